from sfsync.models import Connection, Mode, WriteBack
from sfsync.staging import stage_decisions
from tests.classifier.making import NOON, a_transcript, sure_of

Outcome = WriteBack.Outcome


def test_a_standing_decision_becomes_a_due_row_once(desk):
    link = desk.decided_case("billing")

    assert (stage_decisions(), stage_decisions()) == (1, 0)

    row = WriteBack.objects.get()
    assert (row.case_link, row.held_because, row.ended_at) == (link, "", None)
    assert row.due_at is not None


def test_no_more_decisions_than_asked_for_are_taken_over(desk):
    for _ in range(3):
        desk.decided_case("billing")

    assert (stage_decisions(limit=2), stage_decisions(limit=2)) == (2, 1)


def test_a_newer_decision_replaces_the_older_row_of_its_case(desk):
    link = desk.decided_case("billing")
    stage_decisions()
    desk.decide(link, "delivery")

    stage_decisions()

    older, newer = WriteBack.objects.order_by("id")
    assert (older.outcome, newer.outcome) == (Outcome.SUPERSEDED, "")
    assert newer.fields["Contact_Reason__c"] == "delivery"


def test_a_held_row_is_replaced_as_well(desk):
    desk.mode(Mode.SHADOW)
    link = desk.decided_case("billing")
    stage_decisions()
    desk.decide(link, "delivery")

    stage_decisions()

    assert list(WriteBack.objects.order_by("id").values_list("outcome", flat=True)) == [
        Outcome.SUPERSEDED,
        "",
    ]


def test_a_row_that_was_written_stays_as_it_ended(desk):
    link = desk.decided_case("billing")
    desk.push()
    desk.decide(link, "delivery")

    stage_decisions()

    assert WriteBack.objects.order_by("id").first().outcome == Outcome.DELIVERED


def test_a_thread_that_is_no_case_is_passed_over_once(desk):
    transcript = a_transcript("api-call-1")
    decision = transcript.decisions.model.objects.stand(transcript, sure_of("billing"), at=NOON)

    assert (stage_decisions(), stage_decisions()) == (1, 0)

    decision.refresh_from_db()
    assert decision.staged_at is not None
    assert not WriteBack.objects.exists()


def test_a_decision_on_a_ceded_case_is_ceded_from_the_start(desk):
    link = desk.case(ceded_at=NOON)
    desk.decide(link, "billing")

    stage_decisions()

    assert desk.row(link).outcome == Outcome.CEDED


def test_a_decision_on_a_deleted_case_has_nowhere_to_go(desk):
    link = desk.case(gone_at=NOON)
    desk.decide(link, "billing")

    stage_decisions()

    assert desk.row(link).outcome == Outcome.GONE


def test_staging_a_hundred_cases_costs_no_query_per_case(desk, django_assert_max_num_queries):
    for _ in range(40):
        desk.decided_case("billing")

    with django_assert_max_num_queries(16):
        assert stage_decisions() == 40


def test_a_pause_does_not_keep_decisions_from_being_staged(desk):
    Connection.objects.update(paused_at=NOON)
    link = desk.decided_case("billing")

    stage_decisions()

    assert desk.row(link).due_at is not None
