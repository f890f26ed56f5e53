"""Errands: how a worker does what people asked for, one at a time, with progress shown.

An errand is a row (``Errand``), claimed by a lease that is kept while it runs: a killed worker's
errand begins anew elsewhere, so what an errand does must be right when done twice.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import QuerySet

from classifier import leases
from classifier.models import Errand, ErrandFile
from classifier.models.errand import ERROR_CHARACTERS, SAID_CHARACTERS, ErrandPiece
from classifier.trouble import TROUBLE, database_sentence

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
PAUSE = timedelta(minutes=1)
"""How long an errand rests after trouble with the database, times the attempts so far."""
FILES_KEPT = timedelta(days=7)
"""A file may hold what customers said: it is not kept for longer than it takes to fetch it."""
ERRANDS_KEPT = timedelta(days=30)


PIECE_BYTES = 1_000_000
"""About as much of a file is in memory at a time."""


class ErrandFailed(Exception):
    """An errand cannot be done; the message says why and what to do, for people."""


class TakenOver(Exception):
    """Another worker does this errand now, or it is gone: stop, nothing more will be kept."""


class Run:
    """One errand being done: what it was asked, and where it tells how far it is."""

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self.parameters: Mapping[str, Any] = errand.parameters

    def say(self, said: str, share: float) -> None:
        """Tell people what is being done, and the share (0 to 1) of the whole that is done.

        Raises:
            TakenOver: the claim was lost meanwhile; let it pass.
        """
        done = min(max(share, 0.0), 1.0)
        if not self._mine().update(said=said[:SAID_CHARACTERS], share=done):
            raise TakenOver

    def attach(self, name: str, media_type: str, content: Iterable[bytes]) -> int:
        """Keep a file for download and return its bytes; another one of this errand is replaced.

        ``content`` is kept as it comes, so progress can be told between its parts.

        Raises:
            TakenOver: the claim was lost meanwhile; let it pass.
        """
        with self._claimed():
            ErrandFile.objects.filter(errand=self.errand).delete()
            file = ErrandFile.objects.create(
                errand=self.errand, name=name, media_type=media_type
            )
        size = 0
        for number, piece in enumerate(_pieces(content)):
            with self._claimed():
                ErrandPiece.objects.create(file=file, number=number, content=piece)
            size += len(piece)
        return size

    @contextmanager
    def _claimed(self) -> Iterator[None]:
        """Write in one short transaction, as long as this errand is ours.

        Raises:
            TakenOver: it is not any more.
        """
        with transaction.atomic():
            if not self._mine().select_for_update().exists():
                raise TakenOver
            yield

    def begin(self) -> None:
        """Note that the work begins, whatever an earlier attempt had come to."""
        self._mine().update(started_at=leases.now(), said="", share=0.0)

    def finish(self, result: Mapping[str, Any]) -> None:
        self._end(result=dict(result), said="", share=1.0, error="")

    def fail(self, error: str) -> None:
        self._end(error=error[:ERROR_CHARACTERS], said="")

    def rest(self, said: str, seconds: float) -> None:
        """Give the errand up for a while: others go first, and then it begins anew."""
        until = leases.now() + timedelta(seconds=seconds)
        self._mine().update(said=said[:SAID_CHARACTERS], leased_until=until)

    def _end(self, **changes: Any) -> None:
        self._mine().update(
            done_at=leases.now(), lease_token=None, leased_until=None, **changes
        )

    def _mine(self) -> QuerySet[Errand]:
        return Errand.objects.filter(pk=self.errand.pk, epoch=self.errand.epoch, done_at=None)


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces of about ``PIECE_BYTES``."""
    piece = bytearray()
    for part in content:
        piece += part
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


Doing = Callable[[Run], Mapping[str, Any]]
"""Does one kind of errand and returns its result. Raises ErrandFailed, which people read."""


def run_next(doings: Mapping[str, Doing]) -> int:
    """Do the errand of these kinds that waits longest; return how many were done: 0 or 1.

    An error that nobody foresaw is logged, and told without its words: they may hold a
    customer's. Trouble with the database lets the errand rest and begin anew, a few times.
    What is long over is forgotten on the way.
    """
    _forget_old()
    claimed = leases.take(Errand.objects.waiting(list(doings)), limit=1)
    if not claimed:
        return 0
    (errand,) = claimed
    run = Run(errand)
    if errand.attempts > MOST_ATTEMPTS:
        run.fail(
            f"It was begun {MOST_ATTEMPTS} times and never came to its end: its worker was"
            " stopped, or the database was in trouble. Ask for it once more; if that fails too,"
            " the worker's log says why."
        )
        return 1
    run.begin()
    _do(run, doings[errand.kind])
    return 1


def _do(run: Run, doing: Doing) -> None:
    """Do one claimed errand and write down how it ended."""
    errand = run.errand
    try:
        with leases.kept([errand]):
            result = doing(run)
    except ErrandFailed as error:
        run.fail(str(error))
    except TakenOver:
        logger.warning("errand=%s kind=%s taken_over=yes", errand.pk, errand.kind)
    except TROUBLE as error:
        logger.error("errand=%s kind=%s %s", errand.pk, errand.kind, database_sentence(error))
        pause = PAUSE * errand.attempts
        run.rest("The database was in trouble; it begins anew soon.", pause.total_seconds())
    except SoftTimeLimitExceeded:
        run.fail("It took longer than a worker may spend on it. Ask for less at a time.")
    except Exception as error:  # noqa: BLE001 - the outermost door of any errand
        # Without the error's own words, which may quote a customer's; the frames say where.
        frames = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))
        kind_of_error = type(error).__name__
        logger.error(
            "errand=%s kind=%s failed=%s at=%s", errand.pk, errand.kind, kind_of_error, where
        )
        run.fail(
            f"It failed unexpectedly ({kind_of_error}). The worker's log says where, under"
            f" errand={errand.pk}."
        )
    else:
        run.finish(result)


def _forget_old() -> None:
    """Delete files after a week and errands after a month, counted from their end."""
    now = leases.now()
    files = ErrandFile.objects.filter(errand__done_at__lt=now - FILES_KEPT)
    errands = Errand.objects.filter(done_at__lt=now - ERRANDS_KEPT)
    for old in (files, errands):
        if old.exists():  # asked first: a DELETE locks SQLite even where nothing is old
            old.delete()
