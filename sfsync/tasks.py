"""Celery's door to the Salesforce side; each task calls its station and returns what moved on."""

import logging
from datetime import datetime

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerError

from classifier import errands, leases
from classifier.errands import Doing
from sfsync import (
    adopting,
    alarming,
    assessing,
    backfilling,
    falling_back,
    gateway,
    hearing,
    pulling,
    pushing,
    reconciling,
    ringing,
    staging,
    tracing,
    watching,
)
from sfsync.errors import NotConfigured, SalesforceError

logger = logging.getLogger(__name__)


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def pull_cases() -> int:
    """Pull what changed, and return how many Cases have something new to be decided.

    Takes no arguments on purpose: watermarks and due Cases are rows, so running it twice or
    losing a run does no harm.
    """
    ringing.heed_rings()
    try:
        pulled = pulling.pull_changed(gateway.open())
    except SalesforceError as error:
        _log(error)
        return 0
    return pulled.cases_read if pulled.is_partial else pulled.transcripts_new


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def read_rung_cases() -> int:
    """Read the Cases that doors told of, and return how many have something to be decided.

    Takes no arguments on purpose: due Cases are rows, so running it twice or losing a run does
    no harm.
    """
    ringing.heed_rings()
    try:
        pulled = pulling.read_due(gateway.open())
    except SalesforceError as error:
        _log(error)
        return 0
    return pulled.cases_read if pulled.is_partial else pulled.transcripts_new


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def prune_rings() -> int:
    """Forget rings that are a week old, and return how many."""
    return ringing.prune_rings()


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def deliver_write_backs() -> int:
    """Stage new decisions, deliver one batch, and return how many rows moved on.

    Takes no arguments on purpose: decisions and write-backs are rows, claimed by leases.
    """
    staged = staging.stage_decisions()
    try:
        delivery = pushing.deliver_due(gateway.open())
    except SalesforceError as error:
        _log(error)
        return staged
    _ring_again_at(pushing.opens_at())
    return staged + delivery.moved_on


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def hear_changes() -> int:
    """Hear what people changed in Salesforce, and return how many words were heard."""
    try:
        return hearing.hear_changes(gateway.open())
    except SalesforceError as error:
        _log(error)
        return 0


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def raise_alarms() -> int:
    """Look what is wrong, tell people, and return 0: nothing moves on by it."""
    moment = leases.now()
    watching.watch(moment)
    alarming.tell(moment)
    return 0


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def step_backfills() -> int:
    """Do the next step of a backfill, and return 1 where another is due at once."""
    if not backfilling.is_due():
        return 0
    try:
        return backfilling.step_due(gateway.open())
    except SalesforceError as error:
        _log(error)
        return 0


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def reconcile() -> int:
    """Begin the weekly reconciliation or go on with it; return 1 where more is due at once."""
    reconciling.begin()
    try:
        return reconciling.step_due(gateway.open())
    except SalesforceError as error:
        _log(error)
        return 0


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def watch_precision() -> int:
    """Let categories fall back whose audits break the promise, and return 0."""
    falling_back.watch_precision(leases.now())
    return 0


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def watch_overrides() -> int:
    """Tell which categories people override beyond chance, and return 0."""
    falling_back.watch_overrides(leases.now())
    return 0


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=120, time_limit=150)
def send_spans() -> int:
    """Export spans of what ended, where an exporter is configured, and return 0."""
    if tracing.is_configured():
        tracing.send_spans(leases.now())
    return 0


ERRANDS: dict[str, Doing] = {
    assessing.ERRAND: assessing.do_assess,
    adopting.ERRAND: adopting.do_adopt,
}
"""Kind of errand → what does it."""


@shared_task(acks_late=True, ignore_result=True, soft_time_limit=7200, time_limit=7260)
def run_errands() -> int:
    """Do the errand that waits longest, and return how many were done: 0 or 1."""
    return errands.run_next(ERRANDS)


def _ring_again_at(moment: datetime | None) -> None:
    """Let delivering be rung at a moment a second or two ahead, sooner than the sweep would."""
    if moment is None:
        return
    seconds = max(0.0, (moment - leases.now()).total_seconds())
    try:
        deliver_write_backs.apply_async(countdown=seconds, expires=seconds + 60)
    except BrokerError as error:
        logger.warning("hint=lost station=deliver cause=%s", type(error).__name__)


def _log(error: SalesforceError) -> None:
    """Say in one line what the notice tells in full; the rows wait and come again."""
    level = logging.DEBUG if isinstance(error, NotConfigured) else logging.WARNING
    logger.log(level, "salesforce=failed kind=%s code=%s", type(error).__name__, error.code)
