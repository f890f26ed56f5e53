"""Whether Cases of today wait: what concerns the past goes on only while they do not."""

from datetime import datetime

from classifier.models import Transcript
from sfsync.models import CaseLink, WriteBack

SECONDS = 5.0
"""Until it is looked at again."""
READS, DECISIONS, WRITES = 50, 400, 200
"""Rows in a tray that are no backlog yet."""


def must_wait_to_read(moment: datetime) -> bool:
    """Return whether reading more of the past would make a Case of today wait."""
    reads = CaseLink.objects.due(moment).order_by()[: READS + 1].count()
    return (
        reads > READS
        or Transcript.objects.waiting().order_by()[:DECISIONS].count() >= DECISIONS
    )


def must_wait_to_write(moment: datetime) -> bool:
    """Return whether writing more of the past would make a write of today wait."""
    due = WriteBack.objects.filter(ended_at=None, due_at__lte=moment)
    return due[: WRITES + 1].count() > WRITES
