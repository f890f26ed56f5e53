"""What people say becomes gold labels, questions to others, and their own record."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from classifier.models import Feedback, GoldLabel, Review, Transcript, Trust
from classifier.models.gold_label import Settled, split_of
from classifier.retraining import Lesson
from classifier.settling import settle_feedback
from tests.classifier.making import (
    LATER,
    NOON,
    a_category,
    a_person,
    a_transcript,
    gold_labels,
)
from tests.factories import make_trust

pytestmark = pytest.mark.django_db
WORDS = "Where is my refund?"


def say(thread, *codes, person="ada", at=NOON, verdict="corrected", source="desk", **more):
    return Feedback.objects.hear(
        thread=thread,
        verdict=verdict,
        source=source,
        said_at=at,
        categories=[a_category(code) for code in codes],
        person=person,
        **more,
    )


def truth(label):
    return [reason.category.code for reason in label.reasons.all()]


def truth_of(thread):
    return truth(GoldLabel.objects.get(thread=thread))


@pytest.fixture
def case():
    return a_transcript("case1", WORDS).thread


@pytest.mark.parametrize("source", ["desk", "salesforce", "api", "import"])
def test_one_persons_word_becomes_a_gold_label(case, source):
    word = say(case, "refund", "delivery", source=source)

    assert settle_feedback() == 1

    label = GoldLabel.objects.get()
    word.refresh_from_db()
    assert truth(label) == ["refund", "delivery"]
    assert (label.thread, label.agreement, label.source) == (case, 1.0, "people")
    assert word.gold_label == label
    assert label.transcript.turns[0]["text"] == WORDS


def test_settling_again_changes_nothing(case):
    say(case, "refund")
    settle_feedback()

    assert settle_feedback() == 0
    assert GoldLabel.objects.count() == 1


def test_none_of_the_reasons_is_a_gold_label_without_reasons(case):
    say(case, verdict="out_of_scope")
    settle_feedback()

    assert truth_of(case) == []


@pytest.mark.parametrize("said", [{"verdict": "unclear"}, {"said_value": "Lunar matters"}])
def test_a_word_that_names_no_reason_of_ours_is_settled_without_a_label(case, said):
    say(case, **said)

    assert settle_feedback() == 1
    assert not GoldLabel.objects.exists()
    assert not Review.objects.exists()


def test_the_split_is_that_of_the_words(case):
    say(case, "refund")
    settle_feedback()

    label = GoldLabel.objects.get()
    assert label.split == split_of(label.transcript.digest)


def test_people_who_disagree_leave_a_question_to_a_third(case):
    ada = a_person("ada")
    say(case, "refund")
    say(case, "delivery", person="bo")
    settle_feedback()

    review = Review.objects.get()
    assert (review.kind, review.thread, review.closed_at) == ("conflict", case, None)
    assert list(review.skipped_by.all()) == [ada]
    assert not GoldLabel.objects.exists()


def test_an_adjudication_settles_it_and_says_who_was_right(case):
    say(case, "refund")
    say(case, "delivery", person="bo")
    settle_feedback()
    say(case, "delivery", person="cy", is_adjudication=True, at=LATER)
    settle_feedback()

    assert truth_of(case) == ["delivery"]
    assert Review.objects.get().outcome == "obsolete"
    records = Trust.objects.values_list("person", "right", "settled")
    assert set(records) == {("ada", 0, 1), ("bo", 1, 1), ("cy", 1, 1)}


def test_whoever_speaks_alone_wins_no_trust_by_it(case):
    say(case, "refund")
    settle_feedback()

    assert not Trust.objects.exists()


def test_a_word_counts_once_in_a_record_however_often_its_case_is_settled(case):
    for person in ("ada", "bo", "cy"):
        say(case, "refund", person=person)
        settle_feedback()

    assert {(row.right, row.settled) for row in Trust.objects.all()} == {(1, 1)}


def test_a_person_who_was_often_wrong_needs_a_second(case):
    make_trust(person="ada", right=2, settled=10)
    say(case, "refund")
    settle_feedback()
    assert Review.objects.get().kind == "conflict"

    say(case, "refund", person="bo")
    settle_feedback()

    assert truth_of(case) == ["refund"]
    assert Review.objects.get().outcome == "obsolete"


def test_whom_an_admin_gave_no_trust_changes_nothing(case):
    make_trust(person="", fixed=0.0)
    say(case, "refund")
    settle_feedback()

    assert not GoldLabel.objects.exists()
    assert not Review.objects.exists()


def test_the_last_word_of_a_person_is_the_one_that_counts(case):
    say(case, "refund")
    say(case, "delivery", at=LATER)
    settle_feedback()

    assert truth_of(case) == ["delivery"]


def test_a_word_taken_back_takes_its_label_along(case):
    word = say(case, "refund")
    settle_feedback()
    Feedback.objects.filter(pk=word.pk).withdraw(LATER)

    assert settle_feedback() == 1

    assert not GoldLabel.objects.exists()
    assert not Transcript.objects.filter(thread__startswith="gold:").exists()


def test_a_word_taken_back_leaves_what_others_said_and_its_mark_in_the_record(case):
    word = say(case, "refund", "delivery")
    for person in ("bo", "cy", "di"):
        say(case, "refund", person=person)
    settle_feedback()
    assert Trust.objects.get(person="ada").settled == 1

    Feedback.objects.filter(pk=word.pk).withdraw(LATER)
    settle_feedback()

    assert truth_of(case) == ["refund"]
    assert Trust.objects.get(person="ada").settled == 0


def test_a_later_word_about_newer_words_keeps_the_label_s_words_and_split(case):
    say(case, "refund")
    settle_feedback()
    before = GoldLabel.objects.get()
    Transcript.objects.filter(thread=case).update(superseded_at=LATER)
    a_transcript(case, "It came. The parcel is late.", received_at=LATER)

    say(case, "delivery", at=LATER + timedelta(hours=1))
    settle_feedback()

    after = GoldLabel.objects.get()
    assert (after.pk, after.transcript, after.split) == (
        before.pk,
        before.transcript,
        before.split,
    )
    assert truth(after) == ["delivery"]


def test_a_word_speaks_of_the_words_that_stood_when_it_was_said(case):
    Transcript.objects.filter(thread=case).update(superseded_at=LATER)
    a_transcript(case, "Something else entirely", received_at=LATER)

    say(case, "refund", at=NOON + timedelta(minutes=1))
    settle_feedback()

    assert GoldLabel.objects.get().transcript.turns[0]["text"] == WORDS


def test_the_same_words_in_two_cases_have_one_label(case):
    other = a_transcript("case2", WORDS).thread
    say(case, "refund")
    say(other, "refund", person="bo")
    settle_feedback()

    label = GoldLabel.objects.get()
    assert (label.thread, label.feedback.count()) == (case, 2)


def test_the_same_words_with_other_reasons_are_a_conflict_that_a_third_settles(case):
    other = a_transcript("case2", WORDS).thread
    say(case, "refund")
    settle_feedback()
    say(other, "delivery", person="bo")
    settle_feedback()
    assert Review.objects.get().thread == other
    assert truth_of(case) == ["refund"]

    say(other, "delivery", person="cy", is_adjudication=True)
    settle_feedback()

    assert truth_of(case) == ["delivery"]
    assert Feedback.objects.get(person="ada").was_right is False


def test_people_win_over_a_file_and_the_split_stays(case):
    transcript = Transcript.objects.get()
    settled = Settled(transcript.words, (a_category("delivery"),))
    GoldLabel.objects.keep_all([settled], source="starter pack", at=NOON)
    GoldLabel.objects.update(split="test")

    say(case, "refund")
    settle_feedback()

    label = GoldLabel.objects.get()
    assert (truth(label), label.source, label.split) == (["refund"], "people", "test")


def test_what_was_audited_blind_is_held_out_and_never_trained_on():
    gold_labels()
    before = Lesson.of_today(stream_from=100)
    for number in range(12):  # by their digests most would be trained on
        thread = a_transcript(f"audit{number}", f"refund of my money number {number}").thread
        say(thread, "refund", is_blind=True)
    settle_feedback()

    assert GoldLabel.objects.filter(split="audit").count() == 12
    assert Lesson.of_today(stream_from=100) == before


def test_an_audit_of_words_that_are_gold_already_keeps_their_split(case):
    say(case, "refund")
    settle_feedback()
    GoldLabel.objects.update(split="train")

    say(case, "refund", person="bo", is_blind=True)
    settle_feedback()

    assert GoldLabel.objects.get().split == "train"


def test_words_that_nobody_can_read_make_no_label():
    thread = a_transcript("case1", "").thread
    say(thread, "refund")

    assert settle_feedback() == 1
    assert not GoldLabel.objects.exists()


def test_a_batch_is_bounded_and_the_rest_comes_next():
    for number in range(3):
        say(a_transcript(f"c{number}", f"Refund {number}, please").thread, "refund")

    assert [settle_feedback(limit=2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_settle_each_conversation_once():
    for number in range(12):
        thread = a_transcript(f"c{number}", f"Refund {number}, please").thread
        for person in ("ada", "bo"):
            say(thread, "refund", person=person)

    def work():
        try:
            return sum(iter(lambda: settle_feedback(limit=3), 0))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        settled = [workers.submit(work) for _ in range(2)]

    assert sum(one.result() for one in settled) <= 24
    settle_feedback()
    assert not Feedback.objects.unsettled().exists()
    assert GoldLabel.objects.count() == 12
    assert {(row.right, row.settled) for row in Trust.objects.all()} == {(12, 12)}
