"""Errands: how a worker does what people asked for, one at a time, with progress shown.

An errand is a row (``Errand``), claimed by a lease that is kept while it runs: a killed worker's
errand begins anew elsewhere, so what an errand does must be right when done twice.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from classifier import leases
from classifier.models import Errand, ErrandFile
from classifier.trouble import TROUBLE, database_sentence

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
ERROR_CHARACTERS = 500


class ErrandFailed(Exception):
    """An errand cannot be done; the message says why and what to do, for people."""


class Run:
    """One errand being done: what it was asked, and where it tells how far it is."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self.parameters: Mapping[str, Any] = errand.parameters

    def say(self, said: str, share: float) -> None:
        """Tell people what is being done, and the share (0 to 1) of the whole that is done."""
        self._mine().update(said=said[:200], share=min(max(share, 0.0), 1.0))

    def attach(self, name: str, media_type: str, content: bytes) -> None:
        """Keep a file for download; another one of this errand is replaced."""
        ErrandFile.objects.update_or_create(
            errand=self.errand,
            defaults={"name": name, "media_type": media_type, "content": content},
        )

    def finish(self, result: Mapping[str, Any]) -> None:
        self._end(result=dict(result), share=1.0, error="")

    def fail(self, error: str) -> None:
        self._end(error=error[:ERROR_CHARACTERS])

    def _end(self, **changes: Any) -> None:
        self._mine().update(
            done_at=leases.now(), lease_token=None, leased_until=None, **changes
        )

    def _mine(self) -> Any:
        return Errand.objects.filter(pk=self.errand.pk, epoch=self.errand.epoch, done_at=None)


Doing = Callable[[Run], Mapping[str, Any]]
"""Does one kind of errand and returns its result. Raises ErrandFailed, which people read."""


def run_next(doings: Mapping[str, Doing]) -> int:
    """Do the errand of these kinds that waits longest; return how many were done: 0 or 1.

    An error that nobody foresaw is logged, and told without its words: they may hold a
    customer's.
    """
    claimed = leases.take(Errand.objects.waiting(list(doings)), limit=1)
    if not claimed:
        return 0
    (errand,) = claimed
    run = Run(errand)
    if errand.attempts > MOST_ATTEMPTS:
        run.fail(f"Its worker was stopped {MOST_ATTEMPTS} times. Ask for it once more.")
        return 1
    Errand.objects.filter(pk=errand.pk).update(started_at=leases.now())
    try:
        with leases.kept([errand]):
            result = doings[errand.kind](run)
    except ErrandFailed as error:
        run.fail(str(error))
    except TROUBLE as error:
        logger.error("errand=%s kind=%s %s", errand.pk, errand.kind, database_sentence(error))
        leases.release([errand])  # the database's trouble is not the errand's fault
        return 0
    except Exception as error:
        logger.exception("errand=%s kind=%s failed", errand.pk, errand.kind)
        run.fail(f"It failed unexpectedly ({type(error).__name__}); the log says where.")
    else:
        run.finish(result)
    return 1
