"""A backfill from the wish to the written reasons."""

from datetime import timedelta

import pytest

from classifier.models import Decision, Transcript
from sfsync import backfilling
from sfsync.backfill_writing import outcome_of
from sfsync.backfilling import CannotBackfill
from sfsync.local_org.state import Change
from sfsync.models import Backfill, BackfillCase, CaseLink, Mode, WriteBack
from sfsync.pulling import pull_changed
from tests.classifier.making import NOON, sure_of
from tests.sfsync.backfilling.conftest import PAST, REASON


def test_cases_of_the_span_are_listed_read_decided_and_compared_and_nothing_is_written(history):
    billing, delivery, nobody = history.cases("billing", "delivery", "")
    (outside,) = history.cases("billing", created=PAST - timedelta(days=2))
    history.ask()

    backfill = history.to_review()

    assert backfill.stage == "review"
    assert history.verdicts() == {billing: "change", delivery: "change", nobody: "unsure"}
    assert not CaseLink.objects.filter(case_id=outside).exists()
    assert history.writes() == {}
    proposed = dict(BackfillCase.objects.values_list("case_id", "proposed"))
    assert proposed[billing][REASON] == "billing"
    assert {row.held_because for row in WriteBack.objects.all()} == {"backfill"}


def test_a_long_list_is_taken_over_page_by_page_each_page_once(history, org):
    org.faults.bulk_page_rows = 2
    history.cases(*["billing"] * 5)
    history.ask()

    history.go_on_until("read")

    assert BackfillCase.objects.count() == 5
    assert org.ledger.calls["GET jobs/query/*/results"] == 3


def test_what_a_person_wrote_is_never_proposed(history):
    (theirs,) = history.cases("billing", **{REASON: "delivery"})
    (empty,) = history.cases("billing")
    history.ask()

    history.to_review()

    assert history.verdicts() == {theirs: "person", empty: "change"}
    assert BackfillCase.objects.get(case_id=theirs).proposed == {}


def test_after_approval_it_is_written_and_known_as_ours_later(history, ada, bob):
    ids = history.cases("billing", "delivery", "")
    history.ask(by=ada)
    backfilling.approve(history.to_review(), by=bob)

    backfill = history.to_end()

    assert backfill.stage == "done"
    assert (backfill.approved_by, backfill.approved_changes, backfill.done) == ("bob", 2, 2)
    assert [history.reason(one) for one in ids] == ["billing", "delivery", None]
    assert history.outcomes() == {ids[0]: "written", ids[1]: "written", ids[2]: ""}
    assert history.writes() == {ids[0]: 1, ids[1]: 1}
    assert history.link(ids[0]).delivered[REASON] == "billing"


def test_who_asked_does_not_approve_where_two_people_are_asked_for(history, ada, bob, settings):
    history.cases("billing")
    history.ask(by=ada)
    backfill = history.to_review()

    with pytest.raises(CannotBackfill, match="another person"):
        backfilling.approve(backfill, by=ada)
    settings.PROMOTION_NEEDS_SECOND_PERSON = False

    assert backfilling.approve(backfill, by=ada) == 1


def test_nothing_is_approved_in_shadow_mode_nor_twice(history, ada, bob):
    history.cases("billing")
    history.ask(by=ada)
    backfill = history.to_review()
    history.mode(Mode.SHADOW)
    with pytest.raises(CannotBackfill, match="shadow mode"):
        backfilling.approve(backfill, by=bob)
    history.mode(Mode.AUTOMATIC)
    backfilling.approve(backfill, by=bob)

    with pytest.raises(CannotBackfill, match="does not wait"):
        backfilling.approve(backfill, by=bob)


def test_a_change_of_mode_does_not_let_go_what_is_not_approved(history):
    history.mode(Mode.SHADOW)
    history.cases("billing")
    history.ask()
    history.to_review()

    history.mode(Mode.AUTOMATIC)
    history.deliver()

    assert history.writes() == {}


def test_a_second_backfill_waits_for_the_first(history):
    history.cases("billing")
    history.ask()

    with pytest.raises(CannotBackfill, match="under way"):
        history.ask()


def test_only_the_record_types_and_origins_asked_for_are_listed(history, org):
    phone, web = history.cases("billing", "billing")
    origins = {phone: "Phone", web: "O'Web"}
    org.commit([Change("Case", one, {"Origin": name}) for one, name in origins.items()], ())
    history.ask(origins=["O'Web"])

    history.to_review()

    assert set(history.verdicts()) == {web}


def test_cases_of_today_come_first(history):
    history.cases("billing")
    history.ask()
    history.go_on_until("read")
    today = [f"500Hu000000{n:04d}" for n in range(60)]
    CaseLink.objects.mark_due(today, PAST)

    backfill = history.step()

    assert backfill.stage == "read"
    assert backfill.said.startswith("Cases of today come first")


def test_a_case_that_we_look_after_already_is_left_to_the_live_line(history):
    known, fresh = history.cases("billing", "billing")
    CaseLink.objects.create(case_id=known)
    history.ask()

    history.to_review()

    assert history.verdicts() == {known: "known", fresh: "change"}


def test_a_case_of_the_past_that_moves_again_is_one_of_today(history, org):
    (case_id,) = history.cases("billing")
    history.ask()
    history.to_review()
    org.people.customer_emails(case_id, "My parcel is late as well.")
    history.clock.go_on(minutes=2)

    pull_changed(history.gateway)
    history.step()
    history.deliver()

    assert history.link(case_id).backfill is None
    assert history.reason(case_id) is not None


def test_without_anything_to_change_it_is_over_at_once(history):
    history.cases("")
    history.ask()

    backfill = history.to_review()

    assert (backfill.stage, backfill.said) == ("done", "There was nothing to change.")


def test_a_cancelled_backfill_writes_nothing_and_a_later_one_takes_its_cases_up(
    history, ada, bob
):
    (case_id,) = history.cases("billing")
    history.ask(by=ada)
    backfilling.cancel(history.to_review())
    assert history.to_end().stage == "cancelled"
    history.deliver()
    assert history.writes() == {}

    history.ask(by=ada)
    backfilling.approve(history.to_review(), by=bob)
    history.to_end()

    assert history.reason(case_id) == "billing"


def test_a_cancelled_query_is_aborted_in_salesforce(history, org):
    history.cases("billing")
    org.faults.bulk_stuck = True
    history.ask()
    history.step()
    backfilling.cancel(history.backfill)

    history.to_end()

    (job,) = history.gateway.told("looking", "GET", "jobs/query")["records"]
    assert job["state"] == "Aborted"


def test_paused_nothing_is_done_and_going_on_measures_the_pace_anew(history):
    history.cases("billing")
    history.ask()
    history.step()
    backfilling.pause(history.backfill)
    before = history.gateway.calls

    history.step()
    assert history.gateway.calls == before
    backfilling.resume(history.backfill)

    assert history.to_review().stage == "review"


def test_what_was_decided_anew_since_the_approval_is_not_written(history, ada, bob):
    (case_id,) = history.cases("billing")
    history.ask(by=ada)
    backfill = history.to_review()
    words = Transcript.objects.current().get(thread=case_id)
    Decision.objects.stand(words, sure_of("delivery"), at=NOON)
    backfilling.approve(backfill, by=bob)

    history.to_end()

    assert history.outcomes() == {case_id: "moved_on"}
    assert history.writes() == {}


def test_a_newer_decision_that_is_not_staged_yet_counts_as_moved_on(history):
    (case_id,) = history.cases("billing")
    history.ask()
    history.to_review()
    words = Transcript.objects.current().get(thread=case_id)
    Decision.objects.stand(words, sure_of("delivery"), at=NOON)

    row = WriteBack.objects.select_related("decision").get(case_link__case_id=case_id)
    assert outcome_of(row) == BackfillCase.Outcome.MOVED_ON


def test_what_needs_no_write_waits_for_nobody_once_the_backfill_is_over(history, ada, bob):
    history.cases("billing", "")
    history.cases("billing", **{REASON: "delivery"})
    history.ask(by=ada)
    backfilling.approve(history.to_review(), by=bob)

    history.to_end()

    assert not WriteBack.objects.unended().exists()


def test_a_later_backfill_writes_where_a_person_has_emptied_the_field(history, org, ada, bob):
    (case_id,) = history.cases("billing", **{REASON: "delivery"})
    history.cases("billing")
    history.ask(by=ada)
    backfilling.approve(history.to_review(), by=bob)
    history.to_end()
    org.people.edit_case(case_id, {REASON: None})

    history.ask(by=ada)
    backfilling.approve(history.to_review(), by=bob)
    history.to_end()

    assert history.reason(case_id) == "billing"


def test_time_left_is_told_from_the_pace_so_far():
    backfill = Backfill(total=1000, done=300, pace_done=100, pace_at=PAST, stage="read")

    assert backfill.seconds_left(PAST + timedelta(seconds=20)) == pytest.approx(70)
    backfill.done = 110
    assert backfill.seconds_left(PAST + timedelta(seconds=20)) is None
