"""The alarm clock: the Celery app, and which station rings which.

The tables are the queue. A task carries no arguments, so no customer's word lies in the broker
and losing every message loses nothing: a sweep every few seconds (rows of django-celery-beat)
finds what a lost hint left behind.
"""

import gc
import logging
import os
from math import inf
from time import monotonic
from typing import Any

from celery import Celery, Task, signals
from django.db import InternalError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

from classifier.trouble import database_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactreason.settings")
# Django's system checks read the whole web app: 27 MB that a worker would hold for nothing, and
# half of its time to start. `manage.py check --deploy` makes them at every release, and CI.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

logger = logging.getLogger(__name__)

PULL = "sfsync.tasks.pull_cases"
RUNG = "sfsync.tasks.read_rung_cases"
DECIDE = "classifier.tasks.decide_waiting_transcripts"
DELIVER = "sfsync.tasks.deliver_write_backs"

HEAR = "sfsync.tasks.hear_changes"
SETTLE = "classifier.tasks.settle_feedback"
OPEN = "classifier.tasks.open_reviews"
BACKFILL = "sfsync.tasks.step_backfills"
RECONCILE = "sfsync.tasks.reconcile"
ERRANDS = ("classifier.tasks.run_errands", "sfsync.tasks.run_errands")

RINGS = {
    # What is found is read on by its own station, so that Salesforce is asked at its pace.
    PULL: (DECIDE, RUNG),
    RUNG: (DECIDE, RUNG),
    DECIDE: (DELIVER, OPEN, DECIDE),
    DELIVER: (DELIVER,),
    HEAR: (SETTLE, DELIVER),
    SETTLE: (OPEN, SETTLE),
    OPEN: (OPEN,),
    BACKFILL: (DECIDE, BACKFILL),
    RECONCILE: (RECONCILE,),
    **{station: (station,) for station in ERRANDS},
}
"""After a station moved rows on it rings these: the next one, and itself for what is left."""


NOTED_EVERY = 2.0
"""Seconds, in each process."""


class Station(Task[Any, Any]):
    """A task that returns how many rows it moved on."""

    abstract = True
    noted_at = -inf

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            self._note_run()
            return self.run(*args, **kwargs)
        except (OperationalError, InternalError) as error:
            # The rows are where they were: the sweep comes back to them.
            logger.error("station=%s %s", self.name, database_sentence(error))
            return 0

    def _note_run(self) -> None:
        """Leave word for the watchman, not more often than it looks."""
        from contactreason.models import StationRun  # noqa: PLC0415  # the apps are ready by now

        if monotonic() - self.noted_at >= NOTED_EVERY:
            self.noted_at = monotonic()
            StationRun.note(self.name)

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        if not retval:
            return
        for name in RINGS.get(self.name, ()):
            try:
                self.app.send_task(name, expires=60)
            except BrokerError as error:
                # The sweep will find the rows: a broken bell is no reason to fail.
                logger.warning("hint=lost station=%s cause=%s", name, type(error).__name__)


@signals.worker_before_create_process.connect
def share_what_is_imported(**_signal: Any) -> None:
    """Keep the collector off what the pool's processes inherit, so that they go on sharing it.

    It writes into every object that it looks at, and what is written to is copied (documentation
    of ``gc.freeze``).
    """
    gc.freeze()


app = Celery("contactreason", task_cls=Station)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
