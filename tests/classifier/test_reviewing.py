from datetime import timedelta

import pytest

from classifier import leases, reviewing
from classifier.models import Decision, Feedback, Review, Transcript
from classifier.opening import open_reviews
from classifier.reviewing import Answer, ReviewLost, WordsChanged
from tests import factories as make
from tests.classifier.making import a_category, a_transcript, sure_of, unsure

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return make.make_user("classifier.change_review", username="ada")


@pytest.fixture
def refund(db):
    return a_category("refund")


def asked(user, verdict=None, thread="one", **facts) -> Review:
    """Return the question about one conversation, reserved to ``user``."""
    transcript = a_transcript(thread)
    Decision.objects.stand(transcript, verdict or unsure("refund"), at=make.NOON)
    Decision.objects.filter(thread=thread).update(staged_at=make.NOON, **facts)
    open_reviews()
    review = take(user)
    assert review is not None
    return review


def take(user) -> Review | None:
    return Review.objects.for_person(user).reserve_first(user, leases.now())


def say(review: Review, user, *categories, **more) -> Review:
    seen = Transcript.objects.current().get(thread=review.thread).pk
    return reviewing.answer(review.pk, Answer(seen, categories, **more), user)


def standing(thread="one") -> Decision:
    return Decision.objects.standing().get(thread=thread)


# --- Whose turn it is ---------------------------------------------------------------------


def test_a_case_is_one_persons_until_the_reservation_runs_out(refund, ada):
    bob = make.make_user()
    review = asked(ada)

    assert take(bob) is None
    assert take(ada) == review  # reloading the page gives it back

    Review.objects.update(reserved_until=leases.now() - timedelta(seconds=1))
    assert take(bob) == review
    with pytest.raises(ReviewLost):
        say(review, ada, refund)


def test_an_answer_after_the_time_counts_where_nobody_else_took_it(refund, ada):
    review = asked(ada)
    Review.objects.update(reserved_until=leases.now() - timedelta(seconds=1))

    assert say(review, ada, refund).outcome == "confirmed"


def test_a_case_nobody_gave_you_cannot_be_answered(refund, ada):
    review = asked(ada)
    Review.objects.update(reserved_by=None, reserved_until=None)

    with pytest.raises(ReviewLost):
        say(review, ada, refund)


def test_people_get_what_their_groups_may_see(ada):
    remit = make.make_remit(queues=["Billing"])
    remit.group.user_set.add(ada)
    make.make_review(queue="Shipping")
    own = make.make_review(queue="Billing")

    assert list(Review.objects.for_person(ada)) == [own]


@pytest.mark.parametrize("kind", ["conflict", "audit"])
def test_nobody_is_asked_for_a_second_opinion_on_their_own_words(ada, kind):
    review = make.make_review(kind=kind)
    make.make_feedback(thread=review.thread, person="ada")

    assert not Review.objects.for_person(ada).exists()
    assert Review.objects.for_person(make.make_user()).exists()


def test_what_was_skipped_goes_to_others(refund, ada):
    bob = make.make_user()
    review = asked(ada)

    reviewing.skip(review.pk, ada)

    assert (take(ada), take(bob)) == (None, review)


# --- What is said -------------------------------------------------------------------------


def test_an_answer_stands_and_goes_on_to_salesforce(refund, ada):
    other = a_category("delivery")
    review = asked(ada)

    say(review, ada, other, refund, note="Two in one.")

    decision = standing()
    assert (decision.source, decision.decided_by, decision.staged_at) == ("person", ada, None)
    assert decision.named == [other, refund]
    word = Feedback.objects.get()
    assert (word.source, word.person, word.note, word.verdict) == (
        "desk",
        "ada",
        "Two in one.",
        "corrected",
    )
    assert (word.named, word.is_blind, word.is_adjudication) == ([other, refund], False, False)
    review.refresh_from_db()
    assert (review.outcome, review.feedback, open_reviews()) == ("corrected", word, 0)


@pytest.mark.parametrize(
    ("named", "outcome"),
    [(["refund"], "confirmed"), (["delivery"], "corrected"), (["refund", "delivery"], "corrected")],
)  # fmt: skip
def test_a_blind_word_confirms_only_what_it_names_exactly(refund, ada, named, outcome):
    a_category("delivery")
    review = asked(ada, sure_of("refund"), is_audit=True)

    say(review, ada, *[a_category(code) for code in named])

    word = Feedback.objects.get()
    assert (word.verdict, word.is_blind) == (outcome, True)
    assert word.decision.category == refund


def test_a_word_on_a_conflict_stands_alone(refund, ada):
    review = make.make_review(kind="conflict", reserved_by=ada)

    say(review, ada, refund)

    assert Feedback.objects.get().is_adjudication


@pytest.mark.parametrize(
    ("said", "outcome"), [({"is_unclear": True}, "unclear"), ({}, "out_of_scope")]
)
def test_without_a_reason_what_stood_keeps_standing(refund, ada, said, outcome):
    review = asked(ada)
    before = standing()

    assert say(review, ada, **said).outcome == outcome
    assert (standing(), open_reviews()) == (before, 0)


def test_the_same_answer_sent_twice_counts_once(refund, ada):
    review = asked(ada)

    say(review, ada, refund)
    say(review, ada, refund)

    assert Feedback.objects.count() == 1


def test_words_that_came_in_while_reading_are_read_first(refund, ada):
    review = asked(ada)
    Transcript.objects.update(superseded_at=make.NOON)
    a_transcript("one", "No, wait: cancel it.")

    with pytest.raises(WordsChanged):
        reviewing.answer(review.pk, Answer(review.transcript_id, [refund]), ada)
    assert say(review, ada, refund).outcome == "confirmed"


# --- Undo ---------------------------------------------------------------------------------


def test_undo_lets_an_equal_copy_of_what_stood_stand_again(refund, ada):
    review = asked(ada, sure_of("refund"), is_audit=True, audit_probability=0.01)
    before = standing()
    say(review, ada, a_category("delivery"))

    undone = reviewing.undo(review.pk, ada)

    after = standing()
    same = ("source", "category", "confidence", "transcript", "is_audit", "audit_probability")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert after.pk != before.pk
    assert (after.staged_at, after.takes_back) == (None, True)
    kept = [
        list(one.reasons.values("category", "score", "evidence")) for one in (before, after)
    ]
    assert kept[0] == kept[1]
    assert (undone.closed_at, undone.outcome, undone.reserved_by) == (None, "", ada)
    assert (undone.decision, Feedback.objects.counted().exists()) == (after, False)
    assert open_reviews() == 0


def test_undo_leaves_alone_what_somebody_said_since(refund, ada):
    review = asked(ada)
    say(review, ada, refund)
    Decision.objects.stand_by_person("one", [a_category("delivery")], at=leases.now())

    reviewing.undo(review.pk, ada)

    assert standing().category.code == "delivery"
    assert Feedback.objects.get().withdrawn_at is not None


def test_words_that_came_in_before_an_undo_are_decided(refund, ada):
    review = asked(ada)
    say(review, ada, refund)
    Transcript.objects.update(superseded_at=make.NOON)
    newer = a_transcript("one", "No, wait.", decided_at=make.NOON)

    reviewing.undo(review.pk, ada)

    newer.refresh_from_db()
    assert newer.is_waiting


def test_what_is_to_be_taken_back_is_handed_on_until_a_reason_stands(refund, ada):
    review = asked(ada)
    say(review, ada, refund)
    reviewing.undo(review.pk, ada)
    transcript = Transcript.objects.get(thread="one")

    again = Decision.objects.stand(transcript, unsure(), at=leases.now())
    sure = Decision.objects.stand(transcript, sure_of("refund"), at=leases.now())

    assert (again.takes_back, sure.takes_back) == (True, False)


def test_a_skip_can_be_undone_while_nobody_else_took_it(refund, ada):
    bob = make.make_user()
    review = asked(ada)
    reviewing.skip(review.pk, ada)

    assert reviewing.undo(review.pk, ada).reserved_by == ada

    reviewing.skip(review.pk, ada)
    take(bob)
    with pytest.raises(ReviewLost):
        reviewing.undo(review.pk, ada)


def test_nobody_undoes_what_another_person_said_or_what_is_long_ago(refund, ada):
    review = asked(ada)
    say(review, ada, refund)

    with pytest.raises(ReviewLost):
        reviewing.undo(review.pk, make.make_user())
    Review.objects.update(closed_at=leases.now() - timedelta(hours=13))
    assert reviewing.last_answered(ada) is None
    with pytest.raises(ReviewLost):
        reviewing.undo(review.pk, ada)
    assert standing().category == refund


def test_undo_reaches_no_case_outside_ones_remit(ada):
    make.make_remit(queues=["Billing"]).group.user_set.add(ada)
    review = make.make_review(queue="Shipping")

    with pytest.raises(ReviewLost):
        reviewing.undo(review.pk, ada)
