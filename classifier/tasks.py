"""Celery's door; each task calls one doing."""

from celery import shared_task
from django.conf import settings

from classifier import deciding
from classifier.deciding import Decided

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
