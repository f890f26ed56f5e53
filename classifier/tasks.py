"""Celery's door; each task calls one doing."""

from celery import shared_task
from django.conf import settings

from classifier import (
    comparing,
    deciding,
    errands,
    exporting,
    measuring,
    opening,
    promoting,
    retraining,
    settling,
)
from classifier.deciding import Decided
from classifier.errands import Doing

BATCHES_PER_RUN = 10
"""Then the task ends and rings again: a worker can be stopped in between, and others get a turn."""


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120)
def decide_waiting_transcripts() -> int:
    """Decide waiting transcripts, and return how many.

    Takes no arguments on purpose: the table is the queue, so nothing a customer said ever lies
    in the broker, and running it twice or losing a run does no harm.
    """
    total = Decided()
    for _ in range(BATCHES_PER_RUN):
        batch = deciding.decide_waiting(limit=settings.DECIDE_BATCH)
        total += batch
        if batch.taken < settings.DECIDE_BATCH:
            break
    return total.taken


ERRANDS: dict[str, Doing] = {
    exporting.ERRAND: exporting.export,
    "train": retraining.do_train,
    measuring.ERRAND: measuring.do_measure,
    "compare": comparing.do_compare,
    "redecide": promoting.do_redecide,
}
"""Kind of errand → what does it; those of Salesforce are in ``sfsync.tasks``."""


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=7200, time_limit=7260)
def run_errands() -> int:
    """Do the errand that waits longest, and return how many were done: 0 or 1."""
    return errands.run_next(ERRANDS)


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120)
def open_reviews() -> int:
    """Ask people about what the automation leaves open, and return how many reviews changed."""
    return opening.open_reviews()


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120)
def settle_feedback() -> int:
    """Settle what people said into gold labels, and return how many words were settled."""
    return settling.settle_feedback()
