"""Deciding: what waits in the tray gets its contact reasons, batch by batch."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter

from django.db import transaction

from classifier import leases, serving
from classifier.engine.text import EARLIER_REASONS, Facet
from classifier.engine.text import Transcript as Words
from classifier.models import Decision, Prediction, Transcript
from classifier.models.decision import AuditDraw, Proposal
from classifier.serving import Serving

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
"""A transcript that was claimed so often and is still here kills workers: a person must look."""
PREDICTIONS_KEPT = 10


@dataclass(frozen=True, slots=True)
class Decided:
    """What one batch came to. Each transcript taken is counted once."""

    decided: int = 0
    """Got at least one contact reason."""
    abstained: int = 0
    """Wait for a person now."""
    kept: int = 0
    """An older decision stands on: a person's, or a sure one where we are unsure now."""
    skipped: int = 0
    """Replaced by newer words, or taken over by another worker, while we were at it."""

    @property
    def taken(self) -> int:
        return self.decided + self.abstained + self.kept + self.skipped

    def __str__(self) -> str:
        return (
            f"decided={self.decided} abstained={self.abstained} kept={self.kept}"
            f" skipped={self.skipped}"
        )

    def __add__(self, other: "Decided") -> "Decided":
        return Decided(
            self.decided + other.decided,
            self.abstained + other.abstained,
            self.kept + other.kept,
            self.skipped + other.skipped,
        )


def count_waiting() -> int:
    """Return how many transcripts wait for a decision."""
    return Transcript.objects.waiting().count()


def decide_waiting(*, limit: int) -> Decided:
    """Decide up to ``limit`` waiting transcripts, oldest first, and return what it came to.

    Safe beside other workers and to be killed at any point: the rows are leased, nothing is
    written before the one transaction at the end, and a transcript that was superseded or taken
    over meanwhile is skipped there.
    """
    started = perf_counter()
    decided = Decided()
    if fresh := _take(limit, attempts=0):
        decided += decide_claimed(fresh)
    # What was begun before and not finished may have killed its worker. It is claimed alone, so
    # that the innocent of its batch are not counted guilty.
    while decided.taken < limit and (again := _take(1, attempts__gt=0)):
        decided += (
            _set_aside(again[0]) if again[0].attempts > MOST_ATTEMPTS else decide_claimed(again)
        )
    if decided.taken:
        milliseconds = (perf_counter() - started) * 1000
        logger.info("%s milliseconds=%d", decided, milliseconds)
    return decided


def _take(limit: int, **narrowed: int) -> list[Transcript]:
    waiting = Transcript.objects.waiting().filter(**narrowed)
    return leases.take(waiting, limit=limit)


def decide_claimed(rows: Sequence[Transcript]) -> Decided:
    """Decide rows that the caller leased, and return what it came to.

    The engine works outside any transaction; what is no longer the caller's then is skipped.
    """
    current = serving.current()
    with leases.kept(rows):
        weighed = current.weigh(_words(rows))
    proposals = [
        Proposal(
            row,
            verdict,
            current.model_version,
            current.rulebook.digest,
            _audit(row, current),
        )
        for row, (verdict, _) in zip(rows, weighed, strict=True)
    ]
    predictions = {
        row.pk: _best(shares) for row, (_, shares) in zip(rows, weighed, strict=True) if shares
    }
    return _stand(proposals, predictions)


def _words(rows: Sequence[Transcript]) -> list[Words]:
    """Return the words of each row, with the reasons that its conversation ever had as a facet."""
    earlier = Decision.objects.reasons_ever([row.thread for row in rows])
    return [
        replace(words, facets=(*words.facets, Facet(EARLIER_REASONS, codes)))
        if (codes := earlier.get(row.thread, ()))
        else words
        for row in rows
        for words in (row.words,)
    ]


def _set_aside(row: Transcript) -> Decided:
    """Let a person look at what could not be decided after all attempts."""
    logger.error("transcript=%s set_aside=yes attempts=%d", row.pk, MOST_ATTEMPTS)
    return _stand([Proposal.abstaining(row, Decision.DoubtCode.SET_ASIDE)], {})


def _audit(row: Transcript, current: Serving) -> AuditDraw:
    key = f"{row.thread}:{row.moment}:{row.digest}"
    return AuditDraw(current.policy.audit_share, current.policy.audits(key))


def _best(shares: Mapping[str, float]) -> dict[str, float]:
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return {code: round(share, 5) for code, share in ranked[:PREDICTIONS_KEPT]}


def _stand(
    proposals: Sequence[Proposal], predictions: Mapping[int, dict[str, float]]
) -> Decided:
    """Write what is still ours to decide, in one short transaction."""
    at = leases.now()
    with transaction.atomic():
        ours = _still_ours([proposal.transcript for proposal in proposals])
        mine = [proposal for proposal in proposals if proposal.transcript.pk in ours]
        decisions = Decision.objects.stand_all(mine, at=at)
        _keep_predictions(mine, predictions, at)
        Transcript.objects.filter(pk__in=ours).update(
            decided_at=at, lease_token=None, leased_until=None
        )
    new = [decision for decision in decisions if decision is not None]
    sure = sum(decision.category_id is not None for decision in new)
    return Decided(
        decided=sure,
        abstained=len(new) - sure,
        kept=len(mine) - len(new),
        skipped=len(proposals) - len(mine),
    )


def _still_ours(rows: Sequence[Transcript]) -> set[int]:
    """Lock and return the rows whose lease nobody took over and whose words are still current."""
    found = (
        Transcript.objects.waiting()
        .order_by("id")  # always in this order, so that two workers never deadlock
        .select_for_update(of=("self",))
        .filter(pk__in=[row.pk for row in rows])
        .values_list("pk", "epoch")
    )
    epochs = dict(found)
    return {row.pk for row in rows if epochs.get(row.pk) == row.epoch}


def _keep_predictions(
    proposals: Sequence[Proposal], predictions: Mapping[int, dict[str, float]], at: datetime
) -> None:
    Prediction.objects.bulk_create(
        [
            Prediction(
                transcript=proposal.transcript,
                model_version=proposal.model_version,
                probabilities=predictions[proposal.transcript.pk],
                predicted_at=at,
            )
            for proposal in proposals
            if proposal.transcript.pk in predictions
        ],
        ignore_conflicts=True,  # the same words and model, decided again by hand
    )
