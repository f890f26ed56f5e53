"""Counterfactuals: the fewest words without which the answer would have been another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

from classifier.engine.cascade import weigh
from classifier.engine.folding import fold
from classifier.engine.leaving_out import Removed, WordsAt, places_of, without, words_in
from classifier.engine.policy import Policy
from classifier.engine.rules import RuleBook
from classifier.engine.text import Transcript
from classifier.engine.text_model import TextModel
from classifier.engine.verdict import Reason, Verdict

WORDS_REMOVED = 8
"""More words than these explain nothing to a reader: the answer rests on the text as a whole."""
_RUNS = 240  # of the cascade, at most; of short texts they take some 50 ms
_CHARACTERS = 1_000_000  # read in all those runs together: of longer texts there are fewer
_FEWEST_RUNS = 16  # also of the longest text
_PAIRED, _TRIPLED = 12, 8  # of the words that count most, all pairs and all triples are tried


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What would have been answered about one transcript without some of its words."""

    answer: str | None
    """Code of the primary reason of the whole text; None: abstained."""
    removed: tuple[Removed, ...]
    """Without these the answer is another; put back any one of them and it is not. In the order
    of the text. Empty: nothing that was tried changes it."""
    verdict: Verdict | None
    """What the cascade said without them; None where nothing changes the answer."""
    is_smallest: bool
    """No smaller set of words changes the answer: every one was tried."""
    words_tried: int
    """Even without so many words, those that count most, the answer stays; 0 if it changes."""
    runs: int
    """How often the cascade was asked."""


def counterfactual(
    transcript: Transcript, rulebook: RuleBook, model: TextModel | None, policy: Policy
) -> Counterfactual:
    """Return the fewest words found without which the primary reason is another, or none is.

    Each word is left out alone first, then those that count most together, until the answer
    changes; then what is not needed is put back, and smaller sets are tried. Every set is run
    through the whole cascade, rules included, on the text without it. A word is left out
    wherever it is said, by anybody. In scripts without blanks a character is a word. The number
    of runs is bounded, whatever the length.
    """
    search = _Search(transcript, rulebook, model, policy)
    found, is_smallest = search.smallest()
    if not found:
        return Counterfactual(
            search.answer,
            (),
            None,
            is_smallest=False,
            words_tried=search.most_removed,
            runs=search.runs,
        )
    removed = sorted(
        (Removed(*search.places[word][0]) for word in found),
        key=lambda place: (place.turn, place.start),
    )
    verdict = search.verdict_without(found)
    return Counterfactual(
        search.answer, tuple(removed), verdict, is_smallest, words_tried=0, runs=search.runs
    )


_Words = frozenset[str]


class _Search:
    """Asks the cascade about one transcript without this or that, and remembers the answers."""

    def __init__(
        self,
        transcript: Transcript,
        rulebook: RuleBook,
        model: TextModel | None,
        policy: Policy,
    ) -> None:
        self._transcript = transcript
        self._engine = rulebook, model, policy
        ((whole, _),) = weigh([transcript], *self._engine)
        self.runs = 1
        self.answer = whole.primary.category if whole.primary else None
        self._whole = whole
        self._lead = _lead_of(whole)
        self.places = places_of(transcript)
        characters = sum(len(turn.text) for turn in transcript.turns)
        self._budget = max(_FEWEST_RUNS, min(_RUNS, _CHARACTERS // max(characters, 1)))
        self._known: dict[_Words, tuple[Verdict, float]] = {}
        self._candidates = self._most_telling(whole)

    def smallest(self) -> tuple[_Words, bool]:
        """Return the smallest set found, empty for none, and whether no smaller one exists."""
        singles = [frozenset([word]) for word in self._candidates]
        if found := self._first_that_changes(singles):
            return found, True
        ranked = self._by_effect()
        prefixes = [frozenset(ranked[:n]) for n in range(2, WORDS_REMOVED + 1)]
        found = self._first_that_changes([*self._by_evidence(), *prefixes])
        if not found:
            return frozenset(), False
        found = self._irreducible(found)
        for size, among in ((2, _PAIRED), (3, _TRIPLED)):
            if size < len(found):
                several = map(frozenset, combinations(ranked[:among], size))
                found = self._first_that_changes(several) or found
        return found, all(map(self._has_tried_all, range(1, len(found))))

    @property
    def most_removed(self) -> int:
        """The size of the largest set that was tried."""
        return max(map(len, self._known), default=0)

    def verdict_without(self, words: _Words) -> Verdict:
        """Return what the cascade said without these words; they were tried before."""
        return self._known[words][0]

    def _first_that_changes(self, sets: Iterable[_Words]) -> _Words:
        """Return the set whose removal changes the answer, the most clearly of its size."""
        wanted = list(dict.fromkeys(sets))
        self._try(wanted)
        changed = [words for words in wanted if self._changes(words)]
        return min(changed, key=lambda words: (len(words), self._drop(words)), default=_NONE)

    def _irreducible(self, words: _Words) -> _Words:
        """Return what is left of the set when every word that is not needed is put back."""
        while True:
            smaller = [words - {word} for word in sorted(words)] if len(words) > 1 else []
            found = self._first_that_changes(smaller)
            if not found:
                return words
            words = found

    def _has_tried_all(self, size: int) -> bool:
        """Say whether the cascade was asked about every set of so many words."""
        if comb(len(self.places), size) > len(self._known):
            return False
        return all(frozenset(words) in self._known for words in combinations(self.places, size))

    def _try(self, sets: Iterable[_Words]) -> None:
        """Ask about those sets that are not known yet, as far as the bound allows."""
        fresh = [words for words in sets if words not in self._known]
        fresh = fresh[: max(0, self._budget - self.runs)]
        self.runs += len(fresh)
        for batch in _batches(fresh):
            texts = [without(self._transcript, self.places, words) for words in batch]
            answers = weigh(texts, *self._engine)
            self._known.update(
                (words, (verdict, self._score(verdict, shares)))
                for words, (verdict, shares) in zip(batch, answers, strict=True)
            )

    def _changes(self, words: _Words) -> bool:
        if words not in self._known:
            return False
        primary = self._known[words][0].primary
        return (primary.category if primary else None) != self.answer

    def _drop(self, words: _Words) -> float:
        """Return the score that is left; of an abstention what speaks against it counts."""
        score = self._known[words][1]
        return score if self.answer is not None else -score

    def _by_effect(self) -> list[str]:
        """Return the words, those first whose loss alone moves the score most towards a change."""
        known = [word for word in self._candidates if frozenset([word]) in self._known]
        return sorted(known, key=lambda word: self._drop(frozenset([word])))

    def _by_evidence(self) -> Iterator[_Words]:
        """Yield growing sets: to each the word is added that still speaks most without them.

        So of several phrases that each hold a rule up, one word falls after the other, although
        the loss of none alone changes anything.
        """
        words, verdict = _NONE, self._whole
        for _ in range(WORDS_REMOVED):
            said = without(self._transcript, self.places, words)
            word = self._word_of(verdict, said, words)
            if word is None:
                return
            words |= {word}
            self._try([words])
            if words not in self._known:
                return
            yield words
            verdict = self._known[words][0]

    def _word_of(self, verdict: Verdict, said: Transcript, gone: _Words) -> str | None:
        """Return the longest word of the first evidence for the likeliest category of all."""
        lead = _lead_of(verdict)
        for one in lead.evidence if lead else ():
            folded = fold(said.turns[one.turn].text[one.start : one.end])
            words = [folded.text[start:end] for start, end in words_in(folded)]
            known = [word for word in words if word in self.places and word not in gone]
            if known and (one.rule or one.weight > 0):
                return max(known, key=len)
        return None

    def _score(self, verdict: Verdict, shares: Mapping[str, float]) -> float:
        """Return what is left of the score of the whole text's likeliest category."""
        if self._lead is None:
            return 0.0
        code = self._lead.category
        told = (*verdict.suggestions, *verdict.reasons)
        listed = {reason.category: reason.score for reason in told}
        return listed.get(code, shares.get(code, 0.0))

    def _most_telling(self, whole: Verdict) -> list[str]:
        """Return the words to be tried: all, or of many those that rules and model count most."""
        most = self._budget // 2
        if len(self.places) <= most:
            return list(self.places)
        reasons = (*whole.reasons, *whole.suggestions)
        evidence = [one for reason in reasons for one in reason.evidence if one.rule]
        _, model, _ = self._engine
        if model is not None and self._lead is not None:
            evidence += model.explain(self._transcript, self._lead.category, limit=None)
        weights = dict.fromkeys(self.places, 0.0)
        words_at = WordsAt(self.places)
        for one in evidence:
            weight = _OF_A_RULE if one.rule else abs(one.weight)
            for word in words_at(one):
                weights[word] += weight
        return sorted(weights, key=lambda word: -weights[word])[:most]


def _lead_of(verdict: Verdict) -> Reason | None:
    """Return the primary reason, or the best guess of an abstention."""
    return next(iter((*verdict.reasons, *verdict.suggestions)), None)


_NONE: _Words = frozenset()
_OF_A_RULE = 1e3  # before all terms of the model: without its words the rule does not hold
_AT_ONCE = 64  # texts in one call of the cascade


def _batches(sets: Sequence[_Words]) -> Iterator[Sequence[_Words]]:
    for start in range(0, len(sets), _AT_ONCE):
        yield sets[start : start + _AT_ONCE]
