"""A reviewer takes an answer back that was written to Salesforce already."""

from classifier import leases, reviewing
from classifier.models import Category, Review, Transcript
from classifier.opening import open_reviews
from classifier.reviewing import Answer
from sfsync.models import Mode, WriteBack
from sfsync.pushing import Delivery
from sfsync.staging import stage_decisions
from tests import factories as make


def reviewed(desk, link, user, code: str = "billing.refund") -> Review:
    """Let ``user`` answer the question about a Case."""
    open_reviews()
    review = Review.objects.for_person(user).reserve_first(user, leases.now())
    seen = Transcript.objects.current().get(thread=link.case_id).pk
    said = Answer(seen, [Category.objects.get(code=code)])
    return reviewing.answer(review.pk, said, user)


def test_a_reason_that_only_the_withdrawn_word_put_there_goes(desk):
    ada = make.make_user()
    link = desk.decided_case()
    desk.push()
    review = reviewed(desk, link, ada)
    desk.push()
    assert desk.on_case(link) == "billing.refund"

    reviewing.undo(review.pk, ada)
    delivery = desk.push()

    assert delivery == Delivery(written=1)
    assert (desk.on_case(link), desk.on_case(link, "Contact_Reason_Source__c")) == (
        None,
        "Needs review",
    )


def test_a_reason_that_stood_before_is_written_again(desk):
    ada = make.make_user()
    link = desk.case()
    decision = desk.decide(link, "delivery.late")
    type(decision).objects.update(is_audit=True)
    desk.push()
    review = reviewed(desk, link, ada)
    desk.push()

    reviewing.undo(review.pk, ada)
    desk.push()

    assert (desk.on_case(link), desk.on_case(link, "Contact_Reason_Source__c")) == (
        "delivery.late",
        "Model",
    )


def test_a_word_undone_before_it_was_written_is_never_written(desk):
    ada = make.make_user()
    link = desk.decided_case()
    desk.push()
    review = reviewed(desk, link, ada)
    stage_decisions()

    reviewing.undo(review.pk, ada)
    desk.push()

    assert all("Contact_Reason__c" not in write for write in desk.writes())
    assert WriteBack.objects.filter(outcome=WriteBack.Outcome.SUPERSEDED).count() == 1


def test_what_a_representative_wrote_meanwhile_stays(desk):
    ada = make.make_user()
    link = desk.decided_case()
    review = reviewed(desk, link, ada)
    desk.push()
    desk.person_sets(link, Contact_Reason__c="delivery.late")

    reviewing.undo(review.pk, ada)
    delivery = desk.push()

    assert (delivery, desk.on_case(link)) == (Delivery(ceded=1), "delivery.late")


def test_a_suggestion_is_taken_back_as_well(desk):
    ada = make.make_user()
    desk.mode(Mode.SUGGEST)
    link = desk.decided_case()
    review = reviewed(desk, link, ada)
    desk.push()
    assert desk.on_case(link, "Contact_Reason_Suggestion__c") == "billing.refund"

    reviewing.undo(review.pk, ada)
    desk.push()

    assert desk.on_case(link, "Contact_Reason_Suggestion__c") is None


def test_the_next_answer_is_written_as_if_nothing_had_been(desk):
    ada = make.make_user()
    link = desk.decided_case()
    review = reviewed(desk, link, ada)
    desk.push()
    reviewing.undo(review.pk, ada)
    desk.push()

    reviewed(desk, link, ada, "delivery.late")
    desk.push()

    assert desk.on_case(link) == "delivery.late"
