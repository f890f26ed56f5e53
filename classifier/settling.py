"""Settling: what people said becomes gold labels, or a question to another person."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Min

from classifier import leases
from classifier.engine.agreement import Agreement, Outcome, Voice, agree, is_right, is_tested
from classifier.models import (
    Category,
    Decision,
    Feedback,
    GoldLabel,
    Review,
    Transcript,
    Trust,
)
from classifier.models.feedback import FeedbackQuerySet
from classifier.models.gold_label import Truth
from classifier.models.trust import TrustBook

logger = logging.getLogger(__name__)

THREADS_AT_ONCE = 100  # some ten statements each: a transaction of about a second
WORDS_LOOKED_AT = 500
ACCOUNT_SOURCES = {Feedback.Source.DESK, Feedback.Source.API}
"""Where a person is named by the account that they have here."""

Verdict = Feedback.Verdict


def settle_feedback(limit: int = THREADS_AT_ONCE) -> int:
    """Settle feedback that waits, and return how many words were settled.

    Takes up to ``limit`` conversations, those longest waiting first, in one transaction: gold
    labels, people's records, open questions and the words' stamps stand together or not at
    all. Two workers take different conversations; doing it again changes nothing.
    """
    with transaction.atomic():
        settlement = _Settlement(leases.now())
        stamped = sum(settlement.settle(thread) for thread in _claimed(limit))
        settlement.keep_records()
    if stamped:
        told = " ".join(f"{name}={number}" for name, number in settlement.counts.items())
        logger.info("settled=%d %s", stamped, told)
    return stamped


def _claimed(limit: int) -> list[str]:
    """Lock and return up to ``limit`` conversations of which words wait.

    A conversation belongs to whoever holds the lock of its oldest word: others pass it by.
    """
    waiting = Feedback.objects.unsettled().values_list("thread", flat=True)[:WORDS_LOOKED_AT]
    threads = list(dict.fromkeys(waiting))[:limit]
    oldest = (
        Feedback.objects.filter(thread__in=threads)
        .order_by("thread")
        .values("thread")
        .annotate(oldest=Min("id"))
        .values_list("oldest", flat=True)
    )
    locked = (
        Feedback.objects.filter(pk__in=list(oldest))
        .order_by("id")
        .select_for_update(skip_locked=True, of=("self",))
    )
    return [word.thread for word in locked]


@dataclass(frozen=True)
class _Opinion:
    """The word that counts of one person, and how it is weighed."""

    word: Feedback
    voice: Voice


@dataclass
class _Settlement:
    """One batch: what was said of its conversations, and what that does to people's records."""

    at: datetime
    counts: Counter[str] = field(default_factory=Counter)
    _records: dict[tuple[str, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def settle(self, thread: str) -> int:
        """Settle all that was said about a conversation; return how many words that was."""
        own = list(_loaded(Feedback.objects.filter(thread=thread), lock=True))
        fresh = [word.pk for word in own if word.settled_at is None]
        if not fresh:
            return 0  # another worker was quicker
        label = _label_of(thread, own)
        pool = [*own, *_said_elsewhere(label, thread)]
        opinions = _opinions(pool)
        found = agree([opinion.voice for opinion in opinions])
        seen = _seen(opinions, found)
        if found.outcome is Outcome.AGREED and seen:
            self._agreed(thread, pool, opinions, found, seen)
        elif found.outcome is Outcome.CONFLICT:
            self._in_conflict(thread, own, label, found)
        else:
            self._unknown(thread, own, label)
        if found.outcome is not Outcome.CONFLICT:
            _close_question(thread, self.at)
        Feedback.objects.filter(pk__in=fresh).update(settled_at=self.at)
        return len(fresh)

    def keep_records(self) -> None:
        """Write down how right people were, always in the same order of people."""
        for (source, person), (right, settled) in sorted(self._records.items()):
            if right or settled:
                name = self._names.get((source, person), "")
                Trust.count(source, person, name, right=right, settled=settled)

    def _agreed(
        self,
        thread: str,
        pool: Sequence[Feedback],
        opinions: Sequence[_Opinion],
        found: Agreement,
        seen: Transcript,
    ) -> None:
        truth = Truth(
            thread,
            _categories(found.reasons),
            round(found.share, 4),
            is_audit=any(one.word.is_blind and one.word.thread == thread for one in opinions),
        )
        label = GoldLabel.objects.settle(seen, truth, at=self.at)
        self.counts["labels"] += 1
        voices = [one.voice for one in opinions]
        rights = {
            one.word.pk: is_right(one.voice, found.reasons)
            for one in opinions
            if is_tested(one.voice, found.reasons, voices)
        }
        holding = {one.word.pk for one in opinions if one.voice.reasons is not None}
        for word in pool:
            held = label if word.pk in holding else None
            self._mark(word, held, was_right=rights.get(word.pk))

    def _in_conflict(
        self, thread: str, own: Sequence[Feedback], label: GoldLabel | None, found: Agreement
    ) -> None:
        """Ask another person; a label that stands keeps standing, its agreement now lower."""
        self.counts["conflicts"] += _ask_another(thread, own, self.at)
        if label is not None and label.thread == thread:
            GoldLabel.objects.filter(pk=label.pk).update(agreement=round(found.share, 4))
        for word in own:
            self._mark(word, word.gold_label if word.withdrawn_at is None else None)

    def _unknown(self, thread: str, own: Sequence[Feedback], label: GoldLabel | None) -> None:
        for word in own:
            self._mark(word, None)
        if label is not None and label.thread == thread:
            GoldLabel.objects.drop(label)
            self.counts["dropped"] += 1

    def _mark(
        self, word: Feedback, label: GoldLabel | None, *, was_right: bool | None = None
    ) -> None:
        """Note what became of a word, and count the change in its person's record."""
        label_id = label.pk if label else None
        if (word.gold_label_id, word.was_right) == (label_id, was_right):
            return
        record = self._records[word.source, word.person]
        record[0] += (was_right is True) - (word.was_right is True)
        record[1] += (was_right is not None) - (word.was_right is not None)
        self._names[word.source, word.person] = word.person_name
        Feedback.objects.filter(pk=word.pk).update(gold_label=label_id, was_right=was_right)


def _loaded(words: FeedbackQuerySet, *, lock: bool = False) -> FeedbackQuerySet:
    found = (
        words.select_related("category", "transcript", "gold_label", "decision__category")
        .prefetch_related("reasons__category", "decision__reasons__category")
        .order_by("said_at", "id")
    )
    return found.select_for_update(of=("self",)) if lock else found


def _label_of(thread: str, words: Iterable[Feedback]) -> GoldLabel | None:
    """Return the gold label that these words are about: the conversation's, or their words'."""
    if label := GoldLabel.objects.filter(thread=thread).first():
        return label
    labels = [word.gold_label for word in words if word.gold_label is not None]
    spoken_of = [word.transcript for word in words if word.transcript is not None]
    if labels or not spoken_of:
        return labels[-1] if labels else None
    return GoldLabel.objects.of_words(spoken_of[-1].digest)


def _said_elsewhere(label: GoldLabel | None, thread: str) -> list[Feedback]:
    """Return what was said about the same words in other conversations."""
    if label is None:
        return []
    return list(_loaded(label.feedback.counted().exclude(thread=thread)))


def _opinions(pool: Sequence[Feedback]) -> list[_Opinion]:
    """Return the last word of each person, oldest first, with its weight."""
    last: dict[tuple[str, str, str], Feedback] = {}
    for word in sorted(pool, key=lambda word: (word.said_at, word.pk)):
        if word.withdrawn_at is None:
            # Nobody knows whether two nameless words of different Cases are of one person.
            person = (word.source, word.person, "" if word.person else word.thread)
            last.pop(person, None)
            last[person] = word
    book = TrustBook.of({(source, person) for source, person, _ in last})
    return [
        _Opinion(
            word,
            Voice(
                " ".join(person),
                book.share(word.source, word.person),
                _reasons(word),
                word.is_adjudication,
            ),
        )
        for person, word in last.items()
    ]


def _reasons(word: Feedback) -> tuple[str, ...] | None:
    """Return the category codes that a person named; none: out of scope; None: no opinion."""
    if word.verdict == Verdict.OUT_OF_SCOPE:
        return ()
    if word.verdict == Verdict.UNCLEAR:
        return None
    named = word.named
    if not named and word.verdict == Verdict.CONFIRMED and word.decision is not None:
        named = word.decision.named
    return tuple(category.code for category in named) or None


def _seen(opinions: Sequence[_Opinion], found: Agreement) -> Transcript | None:
    """Return the words that the winners saw: the newest that have any."""
    for opinion in reversed(opinions):
        seen = opinion.word.transcript
        if seen is None or not is_right(opinion.voice, found.reasons):
            continue
        if any(turn["text"].strip() for turn in seen.turns):
            return seen
    return None


def _categories(codes: Sequence[str]) -> tuple[Category, ...]:
    found = {category.code: category for category in Category.objects.filter(code__in=codes)}
    return tuple(found[code] for code in codes)


def _ask_another(thread: str, words: Iterable[Feedback], at: datetime) -> bool:
    """Open the question to another person; return whether it is new.

    Those who have spoken already are passed over. Without the words nobody could answer.
    """
    transcript = Transcript.objects.current().filter(thread=thread).first()
    if transcript is None:
        return False
    standing = Decision.objects.standing().filter(thread=thread).first()
    review, is_new = Review.objects.open(Review.Kind.CONFLICT, transcript, standing, at=at)
    names = {word.person for word in words if word.source in ACCOUNT_SOURCES and word.person}
    review.skipped_by.add(*get_user_model().objects.filter(username__in=names))
    return is_new


def _close_question(thread: str, at: datetime) -> None:
    """Close the question that people's words have answered meanwhile."""
    Review.objects.filter(thread=thread, kind=Review.Kind.CONFLICT).close_obsolete(at)
