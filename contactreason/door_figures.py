"""How well the doors work: what rang in vain, and what nobody rang for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from sfsync.models import CaseLink, Doorbell

WEEK = timedelta(days=7)


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

    @classmethod
    def at(cls, now: datetime) -> "DoorFigures":
        """Return the figures as of ``now``, in three queries that indexes answer."""
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
        )
