"""The words of one conversation at one moment, immutable and redacted."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from classifier.engine.text import CHANNEL, LANGUAGE, QUEUE, Facet, Speaker, Turn
from classifier.engine.text import Transcript as Words
from classifier.leases import Leased

THREAD_CHARACTERS = 64
FACET_CHARACTERS = 120


class TranscriptQuerySet(models.QuerySet["Transcript"]):
    """Narrows to a tray or a thread."""

    def waiting(self) -> Self:
        """Return what waits for a decision, oldest first."""
        return self.filter(decided_at=None, superseded_at=None, purpose="decide").order_by(
            "received_at", "id"
        )

    def current(self) -> Self:
        """Return the newest version of each thread."""
        return self.filter(superseded_at=None)

    def as_of(self, thread: str, moment: datetime) -> "Transcript | None":
        """Return the version that was the newest at ``moment``; before all of them the first."""
        versions = self.filter(thread=thread).order_by("-id")
        return versions.filter(received_at__lte=moment).first() or versions.last()

    def decide_again(self, threads: Iterable[str]) -> int:
        """Let the current words of these threads wait for a decision; return how many do."""
        return (
            self.current()
            .filter(thread__in=list(threads), purpose="decide")
            .update(decided_at=None, attempts=0, lease_token=None, leased_until=None)
        )


class Faceted(models.Model):
    """A row that reports can be cut by: where, in which language and about what it was said.

    ``queue`` and ``team`` also say who may see it (``Remit``). Longer values are cut.
    """

    channel = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=16, blank=True)
    product = models.CharField(max_length=FACET_CHARACTERS, blank=True)
    queue = models.CharField(max_length=FACET_CHARACTERS, blank=True)
    team = models.CharField(max_length=FACET_CHARACTERS, blank=True)
    contacted_at = models.DateTimeField(
        null=True, help_text="When the customer first contacted us, as far as known."
    )

    FACETS = ("channel", "language", "product", "queue", "team", "contacted_at")

    class Meta:
        abstract = True

    @property
    def facets(self) -> dict[str, str | datetime | None]:
        """The facets by name, to be copied to another row."""
        return {name: getattr(self, name) for name in self.FACETS}


class Transcript(Faceted, Leased):
    """One version of a conversation's words. ``decided_at`` empty means: waits in the tray.

    ``thread`` names the conversation in the system it came from; this app never looks inside.
    A later version of the same thread supersedes the earlier one; nothing is edited.
    """

    class Moment(models.TextChoices):
        """How far the conversation had come: a thread is decided again when this moves on."""

        OPENED = "opened", "opened"
        REPLIED = "replied", "first reply sent"
        CLOSED = "closed", "closed"

    class Purpose(models.TextChoices):
        DECIDE = "decide", "to be decided"
        LEARN = "learn", "to learn from"

    thread = models.CharField(max_length=THREAD_CHARACTERS)
    purpose = models.CharField(max_length=6, choices=Purpose, default=Purpose.DECIDE)
    moment = models.CharField(max_length=7, choices=Moment, default=Moment.OPENED)
    turns = models.JSONField(
        help_text='[{"speaker": "customer", "text": "…", "at": "…" or null}, …], redacted'
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of all turns.")
    customer_digest = models.CharField(
        max_length=64, help_text="SHA-256 of what the customer said."
    )
    context = models.JSONField(
        default=dict, help_text="What came along: origin, status, queue, product, …"
    )
    received_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, editable=False)
    superseded_at = models.DateTimeField(null=True, editable=False)
    refused = models.CharField(
        max_length=40, blank=True, help_text="Error code, where the words could not be read."
    )

    objects = TranscriptQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["thread"],
                condition=Q(superseded_at=None),
                name="one_current_transcript_per_thread",
            ),
        )
        indexes = (
            models.Index(
                fields=["received_at", "id"],
                condition=Q(decided_at=None, superseded_at=None, purpose="decide"),
                name="transcripts_waiting",
            ),
            models.Index(fields=["thread", "-id"], name="transcripts_by_thread"),
            models.Index(fields=["-received_at"], name="transcripts_newest"),
            # For the filters of the list, which ask what channels and languages there are.
            models.Index(fields=["channel"], name="transcripts_by_channel"),
            models.Index(fields=["language"], name="transcripts_by_language"),
        )

    def __str__(self) -> str:
        return f"{self.thread} ({self.get_moment_display()})"

    @property
    def words(self) -> Words:
        """The turns as the engine reads them, with what rules may ask for besides words."""
        return Words(
            tuple(
                Turn(
                    Speaker(turn["speaker"]),
                    turn["text"],
                    datetime.fromisoformat(turn["at"]) if turn.get("at") else None,
                    is_subject=bool(turn.get("is_subject")),
                )
                for turn in self.turns
            ),
            tuple(Facet(name, (value,)) for name, value in self._facts() if value),
        )

    def _facts(self) -> Iterator[tuple[str, str]]:
        """Yield what is known of the conversation by name; the facets before what came along."""
        for name in (CHANNEL, LANGUAGE, QUEUE, "product", "team"):
            yield name, getattr(self, name)
        yield from ((name, str(value)) for name, value in self.context.items())

    @property
    def is_waiting(self) -> bool:
        return self.decided_at is None


def to_rows(turns: Sequence[Turn]) -> list[dict[str, str | bool | None]]:
    """Return ``turns`` in the form of ``Transcript.turns``; a subject line says that it is one."""
    return [
        {
            "speaker": turn.speaker.value,
            "text": turn.text,
            "at": turn.at.isoformat() if turn.at else None,
            **({"is_subject": True} if turn.is_subject else {}),
        }
        for turn in turns
    ]


def digest(turns: Sequence[Turn]) -> str:
    """Return the SHA-256 (64 hexadecimal digits) of who said what, in order; times do not count.

    Give redacted turns: the digest of a short secret could be guessed back.
    """
    said = [[turn.speaker.value, turn.text] for turn in turns]
    # ASCII escapes, because a lone surrogate has no UTF-8 form.
    return hashlib.sha256(json.dumps(said).encode("ascii")).hexdigest()
