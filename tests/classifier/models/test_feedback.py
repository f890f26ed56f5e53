import pytest

from classifier.models import Decision, Feedback
from tests.classifier.making import LATER, NOON, a_category, a_transcript, sure_of

pytestmark = pytest.mark.django_db


def test_a_word_is_linked_to_what_stood_when_it_was_said():
    refund, transcript = a_category("refund"), a_transcript("t1")
    decision = Decision.objects.stand(transcript, sure_of("refund"), at=NOON)

    feedback = Feedback.objects.hear(
        thread="t1", verdict="confirmed", source="desk", categories=[refund], said_at=LATER
    )

    assert (feedback.transcript, feedback.decision) == (transcript, decision)


def test_the_same_word_counts_once():
    said = {"thread": "t1", "verdict": "corrected", "source": "salesforce", "said_at": NOON}

    first = Feedback.objects.hear(**said, said_value="Other", reference="500x/1")
    again = Feedback.objects.hear(**said, said_value="Other", reference="500x/1")

    assert first == again
    assert Feedback.objects.count() == 1


def test_words_without_a_reference_all_count():
    said = {"thread": "t1", "verdict": "unclear", "source": "desk", "said_at": NOON}

    Feedback.objects.hear(**said)
    Feedback.objects.hear(**said)

    assert Feedback.objects.count() == 2


def test_a_value_too_long_for_the_column_is_cut_not_lost():
    feedback = Feedback.objects.hear(
        thread="t1",
        verdict="corrected",
        source="salesforce",
        said_at=NOON,
        said_value="x" * 300,
        person="y" * 300,
    )

    assert (len(feedback.said_value), len(feedback.person)) == (255, 120)
