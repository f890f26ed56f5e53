"""The way of each written Case as spans: where an exporter is configured, and only there."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sfsync.models import CaseLink, WriteBack
from sfsync.tracing import export_ended, is_configured
from tests import factories as make

ROOT = Path(__file__).resolve().parents[2]
NOON = make.NOON
NOW = NOON + timedelta(minutes=10)


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("test")
    provider.shutdown()


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def written(**fields):
    link = make.make_case_link(noticed_at=NOON, case_number="00004711", owner_name="Ann Bell")
    words = make.make_transcript(
        "A canary sings.", thread=link.case_id, received_at=after(10), decided_at=after(13)
    )
    decision = make.make_decision(transcript=words, decided_at=after(13), staged_at=after(14))
    made = {
        "staged_at": after(14),
        "outcome": "delivered",
        "ended_at": after(20),
        "confirmed_at": after(50),
        "fields": {"Contact_Reason__c": "canary"},
    }
    return make.make_write_back(case_link=link, decision=decision, **{**made, **fields})


def seconds(span):
    return (span.end_time - span.start_time) / 1e9


@pytest.mark.django_db
def test_each_station_is_a_span_below_the_case_with_its_time(tracer, exporter):
    row = written()

    assert export_ended(tracer, NOW) == 1

    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert {name: seconds(span) for name, span in spans.items()} == {
        "read": 10, "decide": 3, "stage": 1, "write": 6, "confirm": 30, "case": 50,
    }  # fmt: skip
    whole = spans.pop("case")
    assert whole.attributes["case.id"] == row.case_link.case_id
    assert whole.attributes["write_back.outcome"] == "delivered"
    assert {span.parent.span_id for span in spans.values()} == {whole.context.span_id}
    assert whole.start_time == int(NOON.timestamp()) * 10**9


@pytest.mark.django_db
def test_spans_carry_ids_and_times_and_no_words(tracer, exporter):
    written()

    export_ended(tracer, NOW)

    told = " ".join(span.to_json() for span in exporter.get_finished_spans())
    assert [word for word in ("canary", "Ann", "4711", "billing") if word in told] == []


@pytest.mark.django_db
def test_each_is_exported_once(tracer, exporter):
    row = written()

    assert [export_ended(tracer, NOW) for _ in range(2)] == [1, 0]
    assert WriteBack.objects.get(pk=row.pk).traced_at == NOW


@pytest.mark.django_db
def test_what_is_not_confirmed_yet_waits_some_minutes_for_it(tracer, exporter):
    written(confirmed_at=None)

    assert export_ended(tracer, after(20 + 299)) == 0
    assert export_ended(tracer, after(20 + 300)) == 1
    assert "confirm" not in {span.name for span in exporter.get_finished_spans()}


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", ["dead", "ceded", "gone"])
def test_what_ended_otherwise_has_no_span_of_writing(tracer, exporter, outcome):
    written(outcome=outcome, confirmed_at=None)

    export_ended(tracer, NOW)

    assert {span.name for span in exporter.get_finished_spans()} == {
        "case", "read", "decide", "stage",
    }  # fmt: skip


@pytest.mark.django_db
def test_what_still_waits_has_no_spans_yet(tracer, exporter):
    written(outcome="", ended_at=None, confirmed_at=None, due_at=NOON)

    assert export_ended(tracer, NOW) == 0
    assert CaseLink.objects.exists()


@pytest.mark.parametrize(
    ("variables", "is_on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
    ],
)
def test_only_opentelemetrys_own_variables_turn_it_on(variables, is_on):
    assert is_configured(variables) is is_on


def test_without_an_exporter_nothing_of_it_is_imported():
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    program = (
        "import django, sys; django.setup();"
        "from sfsync import tasks; assert tasks.send_spans() == 0;"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**clean, "DJANGO_SETTINGS_MODULE": "contactreason.settings"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.strip() == "[]"
