"""``manage.py sync --once``: pull, decide and push here and now, without a broker."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from tqdm import tqdm

from classifier import deciding, leases
from classifier.commands import ReportingCommand
from sfsync import budget, gateway, pulling, pushing, staging
from sfsync.calls import Purpose
from sfsync.errors import SalesforceError, SalesforceUnavailable
from sfsync.gateway import SalesforceGateway
from sfsync.models import Connection, WriteBack
from sfsync.pushing import Delivery, Pace

PATIENT_CAP_SECONDS = 30.0
"""Longest wait between two tries while ``--wait`` runs (issue 2, "Push, by mode")."""
SHORTEST_NAP_SECONDS = 0.25


@dataclass
class Tally:
    """What the run came to so far."""

    pulled: int = 0
    """Cases with new or changed words."""
    decided: int = 0
    abstained: int = 0
    delivery: Delivery = field(default_factory=Delivery)


class Command(ReportingCommand):
    help = (
        "Pull, decide and push until nothing is due, in this process and without a broker."
        " Safe beside running workers, and to stop and start again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            required=True,
            help="work until nothing is due, then end; for continuous work run worker and beat",
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=0.0,
            metavar="SECONDS",
            help="how long it may wait for what becomes due later (default: not at all)",
        )

    def handle(self, *, wait: float, **options: Any) -> None:
        began = time.monotonic()
        with _clear_sentences():
            edge = gateway.open()
            calls_before = edge.calls
            run = Run(edge, Pace(PATIENT_CAP_SECONDS) if wait else Pace())
            with tqdm(unit="Case", disable=None) as bar:
                run.until_nothing_is_due(began + wait, bar)
        self.tell(run.tally, edge.calls - calls_before, time.monotonic() - began)

    def tell(self, tally: Tally, api_calls: int, seconds: float) -> None:
        delivery = tally.delivery
        waiting = WriteBack.objects.unended().filter(due_at__isnull=False).count()
        figures = {
            "pulled": tally.pulled,
            "decided": tally.decided,
            "abstained": tally.abstained,
            "written": delivery.written,
            "ceded": delivery.ceded,
            "failed": delivery.failed,
            "unchanged": delivery.unchanged,
            "gone": delivery.gone,
            "held": delivery.held,
            "waiting": waiting,
            "api_calls": api_calls,
            "seconds": round(seconds, 1),
        }
        told = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in figures.items())
        self.report(figures, f"{told}.{_remark(waiting)}")
        if delivery.failed:
            raise CommandError(
                f"{delivery.failed} Cases were given up; the reason of each is under Write-backs"
                " in the admin."
            )


class Run:
    """One run through all stations, again and again until nothing is due."""

    def __init__(self, edge: SalesforceGateway, pace: Pace) -> None:
        self.tally = Tally()
        self._edge = edge
        self._pace = pace

    def until_nothing_is_due(self, deadline: float, bar: "tqdm[Any]") -> None:
        """Work; nap while something becomes due before ``deadline`` (``time.monotonic``).

        Raises:
            SalesforceError: Salesforce refused, or gave no answer up to the deadline.
        """
        tries = 0
        while True:
            try:
                self._work(bar)
                due_at, tries = _next_due_at(), 0
            except SalesforceUnavailable:
                tries += 1
                nap = self._pace.delay(tries)
                if time.monotonic() + nap.total_seconds() > deadline:
                    raise
                due_at = leases.now() + nap
            if due_at is None:
                return
            seconds = (due_at - leases.now()).total_seconds()
            nap_seconds = max(seconds, SHORTEST_NAP_SECONDS)
            # A Case of this very second is no failure to be waited for, only a moment early.
            if time.monotonic() + nap_seconds > deadline and due_at != pushing.opens_at():
                return
            bar.set_description("Waiting")
            time.sleep(nap_seconds)

    def _work(self, bar: "tqdm[Any]") -> None:
        bar.set_description("Pulling")
        while True:
            pulled = pulling.pull_changed(self._edge)
            self.tally.pulled += pulled.transcripts_new
            if not pulled.is_partial:
                break
        self._decide(bar)
        while staging.stage_decisions():
            pass
        self._deliver(bar)

    def _decide(self, bar: "tqdm[Any]") -> None:
        bar.set_description("Deciding")
        while (batch := deciding.decide_waiting(limit=settings.DECIDE_BATCH)).taken:
            self.tally.decided += batch.decided
            self.tally.abstained += batch.abstained
            bar.update(batch.taken)

    def _deliver(self, bar: "tqdm[Any]") -> None:
        bar.set_description("Writing")
        while delivery := _some(pushing.deliver_due(self._edge, pace=self._pace)):
            self.tally.delivery += delivery
            bar.set_postfix(written=self.tally.delivery.written)


def _some(delivery: Delivery) -> Delivery | None:
    return None if delivery == Delivery() else delivery


def _next_due_at() -> datetime | None:
    moments = (pulling.next_read_at(), pushing.next_due_at())
    return min((moment for moment in moments if moment is not None), default=None)


def _remark(waiting: int) -> str:
    """Return what a person may wonder about: why nothing, or not all, was written."""
    if shut := budget.closed(Purpose.FETCH, leases.now()):
        return f" {shut.because}"
    connection = Connection.current()
    if connection.paused_at is not None:
        return " All writing is paused; `set_mode automatic` (or suggest) lets it go on."
    if WriteBack.objects.held(WriteBack.Hold.SHADOW).exists():
        return (
            " Some write-backs are held in shadow mode; `set_mode suggest` or `set_mode"
            " automatic` lets them be written."
        )
    return " Some are due later; run it again, or with --wait 60." if waiting else ""


@contextmanager
def _clear_sentences() -> Iterator[None]:
    """Turn what may go wrong around us into one sentence that says what to do."""
    try:
        yield
    except SalesforceError as error:
        raise CommandError(str(error)) from error
