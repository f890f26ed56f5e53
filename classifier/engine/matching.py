"""Matching: which rules hold for conversations, and where; many conversations at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from classifier.engine.folding import Folded, fold, fold_lines, is_word_border
from classifier.engine.hashing import Whole
from classifier.engine.redaction import without_placeholders
from classifier.engine.rulelang.compiling import Compiler
from classifier.engine.rulelang.finding import APART, Finder, Reach
from classifier.engine.rulelang.heard import Heard, Span
from classifier.engine.rulelang.plans import LeafPlan, Plan
from classifier.engine.rulelang.sources import Literals
from classifier.engine.text import Speaker, Transcript

if TYPE_CHECKING:
    from classifier.engine.rules import Rule

SPANS_KEPT = 50
"""How many places a hit tells: enough to show, and bounded."""
_AT_ONCE = 64  # conversations; what is found in them stays in the processor's cache
_FEW = 3  # conversations; up to here, one at a time is quicker than all at once
_ENDING_CHARACTERS = 40  # how much of a word a star shows as evidence; the longest are shorter
_NO_RULE = -1
_ANYBODY = -1
_NUMBERS = {speaker: number for number, speaker in enumerate(Speaker)}
_POSITION = itemgetter(0)
_tuple = tuple.__new__  # half the time of Hit(…), and thousands are made a second


class Hit(NamedTuple):
    """A rule that holds for a transcript, and the places that made it hold."""

    rule: "Rule"
    places: tuple[int, ...]
    """Turn, start and end of each span, one after the other: the garbage collector, which would
    search thousands of spans over and over, does not look into plain numbers."""

    @classmethod
    def of(cls, rule: "Rule", spans: Iterable[Span]) -> "Hit":
        """Return the hit of a rule with these spans."""
        return cls(rule, tuple(chain.from_iterable(spans)))

    @property
    def spans(self) -> tuple[Span, ...]:
        """In reading order, without repeats, at most ``SPANS_KEPT``: where what must be said stands.

        Empty for a rule that asks for facts alone.
        """
        places = iter(self.places)
        return tuple(map(Span, places, places, places))


class Matcher:
    """Rules compiled once, matched many times; never changed, so threads may share it."""

    def __init__(self, rules: Sequence["Rule"]) -> None:
        compiler = Compiler()
        self._rules = rules
        self._plans = [compiler.plan(rule.expression) for rule in rules]
        self._always = [at for at, plan in enumerate(self._plans) if plan.gates is None]
        self._direct = np.full(len(compiler.terms), _NO_RULE)
        """Of each term the number of the rule that asks for nothing else."""
        self._triggered: dict[int, list[int]] = defaultdict(list)
        """Of a term the rules that must be looked at where it is said."""
        for position, plan in enumerate(self._plans):
            term = _only_term(plan)
            if term is not None and self._direct[term] == _NO_RULE:
                self._direct[term] = position
                continue
            for gate in plan.gates or ():
                self._triggered[gate].append(position)
        self._is_trigger = np.zeros(len(compiler.terms), dtype=bool)
        self._is_trigger[list(self._triggered)] = True
        self._speakers = np.array([_speaker_of(plan) for plan in self._plans], dtype=np.int64)
        self._finder = Finder(compiler.terms)
        endings = [sought.reach is Reach.ANY_ENDING for sought in compiler.terms]
        self._has_any_ending = np.array(endings, dtype=bool)
        # Not a set: the hash of an enumeration's member is worked out anew in Python each time.
        self._listens_to = None if None in compiler.speakers else tuple(compiler.speakers)

    def match(self, transcripts: Iterable[Transcript]) -> list[tuple[Hit, ...]]:
        """Return the hits of each conversation, in the order of the rules."""
        rest = iter(transcripts)
        found: list[tuple[Hit, ...]] = []
        while some := list(islice(rest, _AT_ONCE)):
            if len(some) <= _FEW:
                found += map(self._match_one, some)
            else:
                found += map(tuple, self._match(some))
        return found

    def _match(self, transcripts: Sequence[Transcript]) -> list[Sequence[Hit]]:
        """Return the hits; conversations in ASCII are searched as one text, others one by one."""
        held: list[Sequence[Hit]] = [()] * len(transcripts)
        said = _Said(transcripts)
        for owner, transcript in enumerate(transcripts):
            turns, spoken = self._listened_to(transcript), transcript.turns
            received = [spoken[turn].text for turn in turns]
            if "".join(received).isascii():
                said.add(owner, turns, received)
            else:
                held[owner] = self._match_one(transcript)
        if said.conversations:
            said.fold()
            self._hear(said, held)
        return held

    def _match_one(self, transcript: Transcript) -> tuple[Hit, ...]:
        """Return the hits of one conversation, turn by turn in plain Python."""
        said = transcript.turns
        folded = {turn: fold(said[turn].text) for turn in self._listened_to(transcript)}
        found: dict[int, list[Span]] = {}
        hits: dict[int, list[Span]] = {}
        for turn, its in folded.items():
            text = without_placeholders(its.text)
            for term, start, end in self._finder.find_in_one(text):
                shown = _shown_end(text, end) if self._has_any_ending[term] else end
                place = Span(turn, start, shown)
                found.setdefault(term, []).append(place)
                position = self._direct.item(term)
                asked = self._speakers.item(position)
                if position != _NO_RULE and asked in (_ANYBODY, _NUMBERS[said[turn].speaker]):
                    hits.setdefault(position, []).append(_origin(place, its))
        told = [(at, Hit.of(self._rules[at], spans[:SPANS_KEPT])) for at, spans in hits.items()]
        if self._always or not found.keys().isdisjoint(self._triggered):
            told += self._held_by_plans(transcript, found)
        return tuple([hit for _, hit in sorted(told, key=_POSITION)])

    def _listened_to(self, transcript: Transcript) -> Sequence[int]:
        """Return the turns that any rule listens to."""
        turns, listens_to = transcript.turns, self._listens_to
        if listens_to is None:
            return range(len(turns))
        return [at for at, turn in enumerate(turns) if turn.speaker in listens_to]

    def _hear(self, said: "_Said", held: list[Sequence[Hit]]) -> None:
        """Add the hits of the conversations whose turns were added."""
        terms, texts, starts, ends = self._places(said)
        owners = np.array(said.owners, dtype=np.int64)[texts]
        positions = self._add_direct(said, held, owners, (terms, texts, starts, ends))
        is_touched = np.zeros(len(held), dtype=bool)
        is_touched[owners[self._is_trigger[terms]]] = True
        if self._always:
            is_touched[said.conversations] = True
        for owner in np.flatnonzero(is_touched).tolist():
            its = np.flatnonzero(owners == owner)
            found: dict[int, list[Span]] = defaultdict(list)
            for term, text, *place in zip(
                *(each[its].tolist() for each in (terms, texts, starts, ends)), strict=True
            ):
                found[term].append(Span(said.turns[text], *place))
            hits = [*zip(positions[owner], held[owner], strict=True)]
            hits += self._held_by_plans(said.transcripts[owner], dict(found))
            held[owner] = [hit for _, hit in sorted(hits, key=_POSITION)]

    def _places(self, said: "_Said") -> tuple[Whole, Whole, Whole, Whole]:
        """Return what is found: the term, the number of the text, and its span of folded text."""
        joined = APART.join(said.texts)
        begins = _begins(said.texts)
        terms, starts, ends = self._finder.find(joined)
        texts = np.searchsorted(begins, starts, side="right") - 1
        for at in np.flatnonzero(self._has_any_ending[terms]).tolist():
            ends[at] = _shown_end(joined, ends.item(at))
        return terms, texts, starts - begins[texts], ends - begins[texts]

    def _add_direct(
        self,
        said: "_Said",
        held: list[Sequence[Hit]],
        owners: Whole,
        places: tuple[Whole, Whole, Whole, Whole],
    ) -> dict[int, list[int]]:
        """Add the hits of rules that ask for one term alone; return their numbers, by owner."""
        terms, texts, _, _ = places
        positions = self._direct[terms]
        counts = positions != _NO_RULE
        asked = self._speakers[positions]
        if (asked != _ANYBODY).any():
            counts &= (asked == _ANYBODY) | (asked == said.speakers()[texts])
        its = np.flatnonzero(counts)
        keys = owners[its] * len(self._plans) + positions[its]
        order = np.argsort(keys, kind="stable")
        its, keys = its[order], keys[order]
        received = said.as_received(*(each[its] for each in places[1:]))
        flat = tuple(received.ravel().tolist())
        firsts = np.flatnonzero(np.diff(keys, prepend=-1))
        ends = np.minimum(np.append(firsts, len(its))[1:], firsts + SPANS_KEPT)
        numbers = positions[its[firsts]].tolist()
        of_rules = map(self._rules.__getitem__, numbers)
        slices = map(slice, (3 * firsts).tolist(), (3 * ends).tolist())
        told = zip(of_rules, map(flat.__getitem__, slices), strict=True)
        hits = list(map(_tuple, repeat(Hit), told))
        found: dict[int, list[int]] = {}
        cuts = np.searchsorted(owners[its[firsts]], np.arange(len(held) + 1)).tolist()
        for owner, (start, end) in enumerate(pairwise(cuts)):
            if start < end:
                held[owner] = hits[start:end]
            found[owner] = numbers[start:end]
        return found

    def _held_by_plans(
        self, transcript: Transcript, found: dict[int, list[Span]]
    ) -> Iterator[tuple[int, Hit]]:
        """Yield number and hit of the rules that hold of those that what was found touches."""
        touched = set(self._always)
        for term in found.keys() & self._triggered.keys():
            touched.update(self._triggered[term])
        folded = [fold(turn.text) for turn in transcript.turns]
        texts = [without_placeholders(turn.text) for turn in folded]
        heard = Heard(transcript, texts, found)
        for position in touched:
            plan = self._plans[position]
            if plan.holds(heard):
                places = plan.evidence(heard)[:SPANS_KEPT]
                spans = tuple([_origin(place, folded[place.turn]) for place in places])
                yield position, Hit.of(self._rules[position], spans)


class _Said:
    """The turns that are listened to of some conversations in ASCII, one after the other."""

    __slots__ = (
        "conversations",
        "origins",
        "owners",
        "received",
        "texts",
        "transcripts",
        "turns",
    )

    def __init__(self, transcripts: Sequence[Transcript]) -> None:
        self.transcripts = transcripts
        self.origins = np.zeros(0, dtype=np.int64)
        """Where each character of the texts came from."""
        self.conversations: list[int] = []
        """Their numbers, also of those in which nobody is listened to."""
        self.owners: list[int] = []
        """The conversation of each turn."""
        self.turns: list[int] = []
        """Its place there."""
        self.received: list[str] = []
        """What it says."""
        self.texts: list[str] = []
        """The same, folded."""

    def add(self, owner: int, turns: Sequence[int], received: Sequence[str]) -> None:
        self.conversations.append(owner)
        self.owners += [owner] * len(turns)
        self.turns += turns
        self.received += received

    def fold(self) -> None:
        folded = fold_lines(self.received)
        self.texts, self.origins = folded.text.split(APART), folded.origins

    def speakers(self) -> Whole:
        """Return the number of who said each turn."""
        pairs = zip(self.owners, self.turns, strict=True)
        said_by = [
            _NUMBERS[self.transcripts[owner].turns[turn].speaker] for owner, turn in pairs
        ]
        return np.array(said_by, dtype=np.int64)

    def as_received(self, texts: Whole, starts: Whole, ends: Whole) -> Whole:
        """Return turn, start and end (spans × 3) of spans of folded texts, as they were received."""
        turns = np.array(self.turns, dtype=np.int64)[texts]
        begins, received = _begins(self.texts)[texts], _begins(self.received)[texts]
        starts = self.origins[begins + starts] - received
        ends = self.origins[begins + ends - 1] + 1 - received
        return np.column_stack([turns, starts, ends])


def _begins(texts: Sequence[str]) -> Whole:
    """Return where each of some texts begins, and the next one would, if they stand ``APART``."""
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    return np.concatenate([[0], np.cumsum(sizes + len(APART))])


def _only_term(plan: Plan) -> int | None:
    """Return the one term that is all a plan asks for, if it is."""
    if isinstance(plan, LeafPlan) and isinstance(plan.source, Literals) and plan.is_plain:
        return plan.source.terms[0] if len(plan.source.terms) == 1 else None
    return None


def _speaker_of(plan: Plan) -> int:
    """Return the number of who must say what a plan asks for."""
    speaker = plan.where.speaker if isinstance(plan, LeafPlan) else None
    return _ANYBODY if speaker is None else _NUMBERS[speaker]


def _shown_end(text: str, end: int) -> int:
    """Return where the evidence of a star ends: after the rest of the word."""
    last = min(len(text), end + _ENDING_CHARACTERS)
    return next((at for at in range(end, last) if is_word_border(text, at)), last)


def _origin(place: Span, folded: Folded) -> Span:
    return Span(place.turn, *folded.span(place.start, place.end)) if folded.starts else place
