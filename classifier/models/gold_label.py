"""Settled truth: all we train and measure on."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import models, transaction

from classifier.engine.example import Example
from classifier.engine.text import Speaker
from classifier.engine.text import Transcript as Words
from classifier.models.category import Category
from classifier.models.transcript import Transcript, digest, to_rows

HELD_OUT_SHARE = 0.15  # as many as leave 30 texts to measure on where 200 are labelled
ROWS_AT_ONCE = 1_000
THREAD_PREFIX = "gold:"
THREAD_DIGITS = 48
PEOPLE = "people"
"""The source of labels that were settled from what people said."""


@dataclass(frozen=True)
class Settled:
    """A conversation and what it is truly about, primary category first; none: out of scope."""

    words: Words
    """As admitted by the engine's intake: cleaned and redacted."""
    categories: tuple[Category, ...]
    language: str = ""

    @cached_property
    def digest(self) -> str:
        return digest(self.words.turns)

    @property
    def thread(self) -> str:
        return thread_of(self.digest)


@dataclass(frozen=True)
class Truth:
    """What people agree that a conversation is about."""

    thread: str
    categories: tuple[Category, ...]
    """The primary reason first; none: out of scope."""
    agreement: float
    """Share of the trusted weight that says so, in [0, 1]."""
    is_audit: bool
    """Said without suggestions: held out for ever, where the words are new."""


class GoldLabelManager(models.Manager["GoldLabel"]):
    """Keeps settled truth, and tells it as the engine learns from it."""

    def keep_all(self, settled: Sequence[Settled], *, source: str, at: datetime) -> int:
        """Store conversations with their labels and return how many were new.

        Words that are known already, with whatever label, stay as they are. One transaction and
        a handful of queries, so give hundreds at once.
        """
        with transaction.atomic():
            known = set(
                Transcript.objects.filter(
                    thread__in=[each.thread for each in settled]
                ).values_list("thread", flat=True)
            )
            new = {each.thread: each for each in settled if each.thread not in known}
            transcripts = Transcript.objects.bulk_create(
                [_transcript(each, at) for each in new.values()]
            )
            labels = self.bulk_create(
                [
                    GoldLabel(
                        transcript=transcript,
                        split=split_of(transcript.digest),
                        source=source,
                        settled_at=at,
                    )
                    for transcript in transcripts
                ]
            )
            GoldReason.objects.bulk_create(
                GoldReason(gold_label=label, category=category, rank=rank)
                for label, each in zip(labels, new.values(), strict=True)
                for rank, category in enumerate(dict.fromkeys(each.categories))
            )
        return len(new)

    def of_words(self, words_digest: str) -> "GoldLabel | None":
        """Return the gold label of exactly these words, whoever settled it."""
        return self.filter(transcript__thread=thread_of(words_digest)).first()

    def settle(self, seen: Transcript, truth: "Truth", *, at: datetime) -> "GoldLabel":
        """Return the gold label of a conversation of which people now agree.

        ``seen``: the words that they saw. One label per conversation, and one per words: one
        that is there keeps its words and its split, and gets the reasons. The caller's
        transaction.
        """
        label = self.filter(thread=truth.thread).first() or self.of_words(seen.digest)
        settled = {
            "thread": truth.thread,
            "agreement": truth.agreement,
            "source": PEOPLE,
            "settled_at": at,
        }
        if label is None:
            split = GoldLabel.Split.AUDIT if truth.is_audit else split_of(seen.digest)
            label = self.create(transcript=_copy(seen, at), split=split, **settled)
        else:
            if label.thread:
                settled["thread"] = label.thread
            self.filter(pk=label.pk).update(**settled)
        _put_reasons(label, truth.categories)
        return label

    def drop(self, label: "GoldLabel") -> None:
        """Remove a label that nobody's word holds any more; models trained on it stay."""
        words = label.transcript
        label.delete()
        if words.purpose == Transcript.Purpose.LEARN and not words.predictions.exists():
            words.delete()

    def examples(self, split: "GoldLabel.Split | str") -> list[Example]:
        """Return the labelled conversations of one split, with their active categories.

        One whose categories are all inactive is left out: it is not out of scope.
        """
        return list(self.stream(split))

    def stream(self, split: "GoldLabel.Split | str") -> Iterator[Example]:
        """Yield what ``examples`` returns, a thousand read at a time."""
        rows = (
            self.filter(split=split)
            .select_related("transcript")
            .prefetch_related("reasons__category")
            .order_by("id")
        )
        for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
            if (example := row.to_example()) is not None:
                yield example

    def fingerprint(self, *splits: "GoldLabel.Split") -> str:
        """Return ``fingerprint`` of the examples of these splits, without reading their words."""
        digests = dict(self.filter(split__in=splits).values_list("id", "transcript__digest"))
        codes: dict[int, set[str]] = {pk: set() for pk in digests}
        inactive: set[int] = set()
        for pk, code, is_active in GoldReason.objects.filter(
            gold_label__split__in=splits
        ).values_list("gold_label_id", "category__code", "category__is_active"):
            if is_active:
                codes[pk].add(code)
            else:
                inactive.add(pk)
        return _digest_of(
            (digests[pk], frozenset(named))
            for pk, named in codes.items()
            if named or pk not in inactive
        )


def thread_of(words_digest: str) -> str:
    """Return the thread under which the words of a gold label are kept."""
    return THREAD_PREFIX + words_digest[:THREAD_DIGITS]


def split_of(digest_of_words: str) -> "GoldLabel.Split":
    """Return the split that a conversation belongs to for ever, drawn from its SHA-256."""
    is_held_out = int(digest_of_words[:8], 16) < HELD_OUT_SHARE * 2**32
    return GoldLabel.Split.TEST if is_held_out else GoldLabel.Split.TRAIN


def fingerprint(examples: Sequence[Example]) -> str:
    """Return the SHA-256 of a set of examples, whatever their order."""
    return _digest_of((each.key, each.categories) for each in examples)


def _digest_of(pairs: Iterable[tuple[str, frozenset[str]]]) -> str:
    lines = sorted(f"{key} {' '.join(sorted(categories))}" for key, categories in pairs)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _copy(seen: Transcript, at: datetime) -> Transcript:
    """Return the words of a gold label: they outlive the conversation's later versions."""
    words, _ = Transcript.objects.current().get_or_create(
        thread=thread_of(seen.digest),
        defaults={
            "purpose": Transcript.Purpose.LEARN,
            "turns": seen.turns,
            "digest": seen.digest,
            "customer_digest": seen.customer_digest,
            "received_at": at,
            **seen.facets,  # who may see the conversation may see its label
        },
    )
    return words


def _put_reasons(label: "GoldLabel", categories: Sequence[Category]) -> None:
    wanted = [category.pk for category in categories]
    if list(label.reasons.values_list("category_id", flat=True)) == wanted:
        return
    label.reasons.all().delete()
    GoldReason.objects.bulk_create(
        GoldReason(gold_label=label, category_id=pk, rank=rank)
        for rank, pk in enumerate(wanted)
    )


def _transcript(settled: Settled, at: datetime) -> Transcript:
    turns = settled.words.turns
    return Transcript(
        thread=settled.thread,
        purpose=Transcript.Purpose.LEARN,
        turns=to_rows(turns),
        digest=settled.digest,
        customer_digest=digest([turn for turn in turns if turn.speaker is Speaker.CUSTOMER]),
        language=settled.language[:16],
        received_at=at,
    )


class GoldLabel(models.Model):
    """What a transcript is truly about. No reasons at all means: out of scope."""

    class Split(models.TextChoices):
        TRAIN = "train", "training"
        TEST = "test", "held out"
        AUDIT = "audit", "blind audit, held out"

    transcript = models.OneToOneField(
        "classifier.Transcript", models.PROTECT, related_name="gold_label"
    )
    split = models.CharField(
        max_length=5,
        choices=Split,
        help_text="Given once, by the text's digest or by a blind audit; never moves.",
    )
    thread = models.CharField(
        max_length=64,
        blank=True,
        help_text="The conversation that people spoke about; empty: it came from a file.",
    )
    agreement = models.FloatField(
        null=True, help_text="Share of the trusted words that say the same, 0 to 1."
    )
    source = models.CharField(max_length=80, help_text="Where the label came from.")
    settled_at = models.DateTimeField()

    objects = GoldLabelManager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["thread"],
                condition=~models.Q(thread=""),
                name="one_gold_label_per_conversation",
            ),
        )

    def __str__(self) -> str:
        return f"gold label of {self.transcript_id}"

    def to_example(self) -> Example | None:
        """Return the label as the engine learns from it; None where it names inactive ones only."""
        named = [reason.category for reason in self.reasons.all()]
        active = frozenset(category.code for category in named if category.is_active)
        if named and not active:
            return None
        return Example(self.transcript.words, active, self.transcript.digest)


class GoldReason(models.Model):
    """One true contact reason of a transcript; rank 0 is the primary one."""

    gold_label = models.ForeignKey(GoldLabel, models.CASCADE, related_name="reasons")
    category = models.ForeignKey(
        "classifier.Category", models.PROTECT, related_name="gold_reasons"
    )
    rank = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("rank",)
        constraints = (
            models.UniqueConstraint(
                fields=["gold_label", "category"], name="a_gold_reason_is_named_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.category)
