from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classifier import leases
from classifier.models import Decision, Review
from classifier.models.review import importance_of
from classifier.opening import open_reviews
from tests import factories as make
from tests.classifier.making import LATER, a_category, a_transcript, sure_of, unsure

pytestmark = pytest.mark.django_db


def waiting() -> list[tuple[str, str]]:
    return [(review.thread, review.kind) for review in Review.objects.waiting()]


def test_what_is_unsure_is_asked_about_once():
    decision = make.make_decision(category=None)
    make.make_decision()

    assert open_reviews() == 1
    assert open_reviews() == 0

    review = Review.objects.get()
    assert (review.kind, review.decision, review.transcript) == (
        "unsure",
        decision,
        decision.transcript,
    )


def test_what_was_drawn_for_audit_is_asked_blind_and_only_so():
    sure = make.make_decision(is_audit=True)
    unsure_too = make.make_decision(category=None, is_audit=True)

    open_reviews()

    assert sorted(waiting()) == sorted((one.thread, "audit") for one in (sure, unsure_too))
    assert all(review.is_blind for review in Review.objects.all())


def test_urgent_cases_come_first_then_conflicts_then_audits_then_the_oldest():
    def asked(kind: str, hour: int, **context: str) -> str:
        words = make.make_transcript(context=context)
        at = make.NOON + timedelta(hours=hour)
        return Review.objects.open(kind, words, None, at=at)[0].thread

    later = asked("unsure", 2, priority="Medium")
    low = asked("conflict", 0, priority="Low")
    audit = asked("audit", 3)
    urgent = asked("unsure", 4, priority="Urgent")
    high = asked("unsure", 4, priority="High")
    conflict = asked("conflict", 3)
    first = asked("unsure", 1)

    found = [thread for thread, _ in waiting()]
    assert found == [urgent, high, conflict, audit, first, later, low]


def test_a_closed_case_is_asked_about_after_those_that_are_still_open():
    closed = make.make_transcript(moment="closed", context={"priority": "High"})
    open_ = make.make_transcript(context={"priority": "Medium"})

    assert importance_of(closed, "conflict") < importance_of(open_, "unsure")


@pytest.mark.parametrize("said_by", ["a sure decision", "a person"])
def test_a_question_that_is_answered_otherwise_is_closed(said_by):
    refund = a_category("refund")
    transcript = a_transcript("one")
    Decision.objects.stand(transcript, unsure("refund"), at=make.NOON)
    open_reviews()

    if said_by == "a person":
        Decision.objects.stand_by_person("one", [refund], at=LATER)
    else:
        Decision.objects.stand(transcript, sure_of("refund"), at=LATER)
    open_reviews()

    assert Review.objects.get().outcome == "obsolete"


def test_a_question_that_somebody_is_reading_stays_open():
    review = make.make_review(
        decision=make.make_decision(),
        reserved_by=make.make_user(),
        reserved_until=leases.now() + timedelta(minutes=5),
    )

    open_reviews()

    review.refresh_from_db()
    assert review.closed_at is None


def test_new_words_renew_the_question_in_its_place():
    a_category("refund")
    first = a_transcript("one")
    Decision.objects.stand(first, unsure("refund"), at=make.NOON)
    open_reviews()
    opened_at = Review.objects.get().opened_at
    first.superseded_at = LATER
    first.save()
    newer = a_transcript("one", "Urgent!", context={"priority": "High"})
    decision = Decision.objects.stand(newer, unsure("refund"), at=LATER)

    assert (open_reviews(), open_reviews()) == (1, 0)

    review = Review.objects.get()
    assert (review.decision, review.transcript) == (decision, newer)
    assert (review.opened_at, review.importance) == (opened_at, 200)


def test_a_question_that_was_answered_without_a_reason_is_not_asked_again():
    make.make_review(outcome="unclear")

    assert open_reviews() == 0


def test_many_are_opened_in_batches_with_the_same_number_of_queries():
    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert open_reviews(limit) == limit
        return len(captured)

    for _ in range(12):
        make.make_decision(category=None)

    assert queries(3) == queries(9)


def test_what_may_be_critical_is_asked_before_all_else():
    urgent = make.make_transcript(context={"priority": "Urgent"})
    Review.objects.open("conflict", urgent, None, at=make.NOON)
    critical = make.make_decision(category=None, doubt="critical")
    make.make_decision(category=None)

    open_reviews()

    assert waiting()[0] == (critical.thread, "unsure")
    assert waiting()[1][1] == "conflict"
