"""How well the doors work: what rang in vain, and what nobody rang for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import Count, Q

from sfsync.models import CaseLink, Doorbell, WriteBack

WEEK = timedelta(days=7)
LOOKED_AT = 50
"""Rings that the median is taken of."""


@dataclass(frozen=True, slots=True)
class DoorFigures:
    """Numbers of the day (UTC) and of the last seven days."""

    is_in_use: bool
    """Whether anything rang in these days."""
    missed_today: int
    """Rings after which nothing had changed."""
    missed_week: int
    unrung_today: int
    """Cases whose news the poll alone found while doors were in use."""
    unrung_week: int
    seconds_to_written: float | None = None
    """From the ring to the writing, the median of the last Cases that rang and were written."""

    @classmethod
    def at(cls, now: datetime) -> "DoorFigures":
        """Return the figures as of ``now``, in five queries that indexes answer."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        recent = Doorbell.objects.filter(received_at__gt=now - WEEK).order_by()
        missed = recent.filter(heard=Doorbell.Heard.MISSED).aggregate(
            week=Count("id"), today=Count("id", filter=Q(received_at__gte=midnight))
        )
        unrung = CaseLink.objects.filter(found_unrung_at__gt=now - WEEK).aggregate(
            week=Count("id"), today=Count("id", filter=Q(found_unrung_at__gte=midnight))
        )
        return cls(
            is_in_use=recent.exists(),
            missed_today=missed["today"],
            missed_week=missed["week"],
            unrung_today=unrung["today"],
            unrung_week=unrung["week"],
            seconds_to_written=_seconds_to_written(),
        )


def _seconds_to_written() -> float | None:
    """Return the median over the newest rings whose Case was written because of them."""
    rings = Doorbell.objects.filter(heard=Doorbell.Heard.HINT).order_by("-id")
    rung_at: dict[str, datetime] = {}
    for case_id, at in rings.values_list("case_id", "received_at")[:LOOKED_AT]:
        rung_at.setdefault(case_id, at)
    written = WriteBack.objects.filter(
        case_link__case_id__in=rung_at, outcome=WriteBack.Outcome.DELIVERED, handed_at=None
    )
    spans = [
        (ended_at - rung_at[case_id]).total_seconds()
        for case_id, staged_at, ended_at in written.values_list(
            "case_link__case_id", "staged_at", "ended_at"
        )
        if ended_at is not None and staged_at >= rung_at[case_id]
    ]
    return median(spans) if spans else None
