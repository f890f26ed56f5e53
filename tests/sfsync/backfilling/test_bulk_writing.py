"""Many rows are written by ingest jobs, and every way in which such a job can go wrong."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from classifier import leases
from sfsync import backfilling
from sfsync.local_org.faults import RowError
from sfsync.models import Backfill, BulkWriting, Connection, Notice, WriteBack
from tests.sfsync.backfilling.conftest import REASON

PREPARING, RUNNING = BulkWriting.State.PREPARING, BulkWriting.State.RUNNING


@pytest.fixture
def approved(history, ada, bob):
    """Cases whose changes are approved, and to be written by Bulk whatever their number."""

    def approve(*reasons: str, **values: object) -> list[str]:
        ids = history.cases(*reasons, **values)
        history.ask(by=ada)
        backfilling.approve(history.to_review(), by=bob)
        Backfill.objects.update(by_bulk=True)
        return ids

    return approve


def ingest_jobs(history) -> list[str]:
    told = history.gateway.told("looking", "GET", "jobs/ingest")["records"]
    return [job["state"] for job in reversed(told)]


def test_one_job_writes_all_rows_each_once_and_as_ours(history, approved, org):
    ids = approved("billing", "delivery", "billing")

    backfill = history.to_end()

    assert (backfill.stage, backfill.done, backfill.total) == ("done", 3, 3)
    assert ingest_jobs(history) == ["JobComplete"]
    assert set(history.outcomes().values()) == {"written"}
    assert [history.reason(one) for one in ids] == ["billing", "delivery", "billing"]
    assert history.writes() == dict.fromkeys(ids, 1)
    assert history.row(ids[0]).outcome == WriteBack.Outcome.DELIVERED
    assert history.link(ids[0]).delivered[REASON] == "billing"
    assert history.link(ids[0]).backfill is None


def test_no_owner_changes_though_the_org_has_an_assignment_rule(history, approved, org):
    (case_id,) = approved("billing")
    owner = org.row("Case", case_id)["OwnerId"]

    history.to_end()

    assert org.has_assignment_rule
    assert org.row("Case", case_id)["OwnerId"] == owner


def test_what_a_person_wrote_since_the_dry_run_is_left_alone(history, approved, org):
    theirs, ours = approved("billing", "billing")
    org.people.edit_case(theirs, {REASON: "delivery"})

    history.to_end()

    assert history.outcomes() == {theirs: "ceded", ours: "written"}
    assert history.reason(theirs) == "delivery"
    assert history.link(theirs).ceded_at is not None


def test_how_long_nobody_looked_is_kept_with_each_row(history, approved):
    (case_id,) = approved("billing")

    history.to_end()

    assert history.row(case_id).gap_ms is not None


def test_where_the_org_has_the_guard_a_later_word_of_a_person_is_kept(
    history, approved, org, tmp_path
):
    call_command("salesforce_metadata", str(tmp_path / "package"), stdout=io.StringIO())
    org.deploy(tmp_path / "package")
    org.assign("Contact_Reason_Integration")
    history.new_worker()
    theirs, ours = approved("billing", "billing")
    org.faults.bulk_stuck = True
    history.step()
    org.people.edit_case(theirs, {REASON: "delivery"})
    org.faults.bulk_stuck = False

    backfill = history.to_end()

    assert history.reason(theirs) == "delivery"
    assert history.outcomes() == {theirs: "ceded", ours: "written"}
    assert backfill.done == 2


def test_a_refused_row_is_a_dead_letter_and_a_locked_one_is_tried_again_as_usual(
    history, approved, org
):
    refused, locked, fine = approved("billing", "billing", "billing")
    org.faults.row_errors = {refused: RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.")}
    org.faults.locked = {locked}

    history.to_end()

    assert history.outcomes() == {refused: "failed", locked: "later", fine: "written"}
    assert history.row(refused).outcome == WriteBack.Outcome.DEAD
    assert history.row(refused).error_text == "No."
    org.faults.locked = set()
    WriteBack.objects.filter(due_at__isnull=False).update(due_at=leases.now())
    history.deliver()
    assert history.reason(locked) == "billing"


def test_a_case_deleted_meanwhile_is_gone(history, approved, org):
    gone, fine = approved("billing", "billing")
    org.people.delete_case(gone)

    history.to_end()

    assert history.outcomes() == {gone: "gone", fine: "written"}


def test_nobody_else_writes_to_a_case_while_its_job_runs(history, approved, org):
    (case_id,) = approved("billing")
    org.faults.bulk_stuck = True
    history.step()

    assert history.row(case_id).leased_until > leases.now() + timedelta(minutes=5)
    for _ in range(3):
        history.step()
    assert history.row(case_id).leased_until > leases.now() + timedelta(minutes=5)
    history.deliver()
    assert history.writes() == {}


def test_a_failed_job_pauses_with_its_reason_and_going_on_writes_by_a_new_one(
    history, approved, org
):
    ids = approved("billing", "delivery")
    org.faults.bulk_failures = 1

    backfill = history.to_end()
    assert backfill.paused_at is not None
    assert backfill.error.startswith("Salesforce gave up a Bulk job (InternalServerError)")
    assert history.writes() == {}
    stopped = Notice.objects.filter(key=backfilling.STOPPED, cleared_at=None)
    assert stopped.get().text.startswith("A backfill is paused: Salesforce gave up")

    backfilling.resume(backfill)
    assert not stopped.exists()
    history.to_end()

    assert ingest_jobs(history) == ["Failed", "JobComplete"]
    assert history.writes() == dict.fromkeys(ids, 1)


def test_a_stuck_job_keeps_no_worker_and_is_looked_at_ever_more_seldom(history, approved, org):
    approved("billing")
    org.faults.bulk_stuck = True
    waits = []
    for _ in range(12):
        history.step()
        waits.append((history.backfill.due_at - leases.now()).total_seconds())

    assert waits[1] < waits[4] < waits[-1] <= 600
    assert ingest_jobs(history) == ["InProgress"]
    org.faults.bulk_stuck = False
    assert history.to_end().stage == "done"


@pytest.mark.parametrize(
    ("kind", "jobs"),
    [
        ("POST jobs/ingest", ["Aborted", "JobComplete"]),
        ("PUT jobs/ingest/*/batches", ["Aborted", "JobComplete"]),
        ("PATCH jobs/ingest/*", ["JobComplete"]),
    ],
)
def test_a_lost_answer_leads_to_no_second_job_that_runs(history, approved, org, kind, jobs):
    ids = approved("billing", "delivery")
    org.faults.lost_answers_to[kind] = 1

    backfill = history.to_end()

    assert backfill.stage == "done"
    assert ingest_jobs(history) == jobs
    assert history.writes() == dict.fromkeys(ids, 1)


def test_where_results_are_forgotten_the_cases_themselves_tell(history, approved, org):
    ids = approved("billing", "delivery")
    while not BulkWriting.objects.filter(state=RUNNING).exists():
        history.step()
    org.faults.bulk_results_expired = True
    history.clock.go_on(seconds=60)
    history.gateway.told("looking", "GET", f"jobs/ingest/{BulkWriting.objects.get().job_id}")
    history.step()
    org.faults.bulk_results_expired = False

    history.to_end()

    assert history.writes() == dict.fromkeys(ids, 1)
    assert set(history.outcomes().values()) == {"written"}


def test_a_job_that_was_never_begun_is_aborted_and_looked_at_afresh(history, approved, org):
    (case_id,) = approved("billing")
    org.faults.lost_answers_to["PUT jobs/ingest/*/batches"] = 1
    history.step()
    assert BulkWriting.objects.get().state == PREPARING
    org.people.edit_case(case_id, {REASON: "delivery"})

    history.to_end()

    assert ingest_jobs(history) == ["Aborted"]
    assert history.outcomes() == {case_id: "ceded"}
    assert history.reason(case_id) == "delivery"


def test_cancelling_aborts_the_job_and_records_what_it_had_written(history, approved, org):
    ids = approved("billing", "delivery")
    org.faults.bulk_stuck = True
    for _ in range(3):
        history.step()
    backfilling.cancel(history.backfill)

    assert history.to_end().stage == "cancelled"
    assert ingest_jobs(history) == ["Aborted"]
    assert history.writes() == {}
    assert set(history.outcomes()) == set(ids)
    history.deliver()
    assert history.writes() == {}


def test_while_all_writing_is_paused_no_job_is_begun(history, approved):
    approved("billing")
    Connection.objects.update(paused_at=leases.now())

    backfill = history.step()

    assert backfill.said.startswith("All writing to Salesforce is paused")
    assert ingest_jobs(history) == []
    Connection.objects.update(paused_at=None)
    assert history.to_end().stage == "done"


def test_the_spent_allowance_puts_the_next_step_off(history, approved, org):
    approved("billing")
    org.faults.allowance_spent = 1
    history.step()

    assert not backfilling.step_due(history.gateway)
    assert backfilling.next_step_at() > leases.now() + timedelta(minutes=10)
