"""Tracing: the way of each written Case as OpenTelemetry spans, where an exporter is configured.

OpenTelemetry's own environment variables (``OTEL_…``) say where to; without them nothing of it is
imported. Spans carry ids, outcomes and times, never a word.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from django.db.models import Q

from sfsync.case_trace import Step, trace_of
from sfsync.models import Notice, WriteBack

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

logger = logging.getLogger(__name__)

AT_ONCE = 200
LOOKED_BACK = timedelta(days=1)
WAITS_FOR_CONFIRMATION = timedelta(minutes=5)
"""So long the last station is waited for; the Case is read again within a minute or two."""
FLUSH_MILLISECONDS = 10_000
MISSING = "otel-packages-missing"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
DEEDS = {
    "read": "read",
    "decided": "decide",
    "staged": "stage",
    "sent": "write",
    "confirmed": "confirm",
}
"""Station → the span that ends with it and began at the station before."""


def is_configured(variables: Mapping[str, str] = os.environ) -> bool:
    """Return whether OpenTelemetry's variables name an exporter of traces."""
    if variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = variables.get("OTEL_TRACES_EXPORTER", "")
    return exporter != "none" and (
        bool(exporter) or any(variables.get(name) for name in ENDPOINTS)
    )


def send_spans(moment: datetime) -> int:
    """Export the spans of what ended lately, and return of how many Cases.

    Where the packages are missing a notice says what to install.
    """
    try:
        provider = _provider(os.getpid())
    except ImportError as error:
        text = (
            f"OTEL_ variables name an exporter, but {error.name} is not installed: no spans are"
            " sent. Run `pip install -r requirements-otel.txt`, or unset them."
        )
        Notice.raise_for(MISSING, Notice.Level.WARNING, text, moment)
        return 0
    Notice.clear(MISSING, moment)
    number = export_ended(provider.get_tracer("contact-reason"), moment)
    if number and not provider.force_flush(FLUSH_MILLISECONDS):
        logger.warning("spans=late count=%d", number)
    return number


def export_ended(tracer: "Tracer", moment: datetime) -> int:
    """Make the spans of write-backs that ended lately, each once; return of how many."""
    is_whole = Q(confirmed_at__isnull=False) | Q(ended_at__lte=moment - WAITS_FOR_CONFIRMATION)
    rows = (
        WriteBack.objects.filter(
            is_whole,
            staged_at__gte=moment - LOOKED_BACK,
            ended_at__isnull=False,
            traced_at=None,
        )
        .select_related("case_link", "decision__transcript")
        .defer("decision__transcript__turns", "decision__transcript__context")
        .order_by("staged_at", "id")
    )
    number = 0
    for row in rows[:AT_ONCE]:
        # Whoever stamps the row exports it: two workers never do both.
        if WriteBack.objects.filter(pk=row.pk, traced_at=None).update(traced_at=moment):
            _export(tracer, row, moment)
            number += 1
    return number


def _export(tracer: "Tracer", row: WriteBack, moment: datetime) -> None:
    from opentelemetry.trace import set_span_in_context  # noqa: PLC0415 - only where configured

    decision = row.decision
    steps = trace_of(row.case_link, decision.transcript, decision, row, moment)
    passed = [step for step in steps if step.at is not None]
    ended_at = max([*_stamps(passed), row.ended_at or moment])
    ids: dict[str, str | int] = {"case.id": row.case_link.case_id, "write_back.id": row.pk}
    whole = tracer.start_span(
        "case",
        start_time=_nanoseconds(min(_stamps(passed))),
        attributes={
            **ids,
            "write_back.outcome": row.outcome,
            "write_back.replays": row.replays,
        },
    )
    context = set_span_in_context(whole)
    for step in passed:
        if step.at is None or step.waited is None:
            continue
        span = tracer.start_span(
            DEEDS[step.name],
            context=context,
            start_time=_nanoseconds(step.at - step.waited),
            attributes=ids,
        )
        span.end(_nanoseconds(step.at))
    whole.end(_nanoseconds(ended_at))


@cache
def _provider(_process: int) -> "TracerProvider":
    """Return this process's provider: its thread does not outlive a fork, so each has its own.

    Raises:
        ImportError: the packages of requirements-otel.txt are missing.
    """
    # Only here: a worker without an exporter would hold some megabytes for nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    is_named = "OTEL_SERVICE_NAME" in os.environ or "service.name" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    named = {} if is_named else {"service.name": "contact-reason"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _stamps(steps: Sequence[Step]) -> list[datetime]:
    return [step.at for step in steps if step.at is not None]


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
