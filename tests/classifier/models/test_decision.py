import pytest
from django.db import IntegrityError, transaction

from classifier.engine.verdict import Doubt, Ground
from classifier.models import Category, Decision, Transcript
from classifier.models.decision import AuditDraw, Proposal
from tests.classifier.making import (
    LATER,
    NOON,
    a_category,
    a_person,
    a_transcript,
    sure_of,
    unsure,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def refund() -> Category:
    return a_category("refund")


@pytest.fixture
def billing() -> Category:
    return a_category("billing")


def test_a_verdict_stands_with_its_reasons_suggestions_and_evidence(refund, billing):
    verdict = sure_of("refund", "billing", ground=Ground.BOTH)

    decision = Decision.objects.stand(
        a_transcript("t1"), verdict, at=NOON, audit=AuditDraw(0.01, is_drawn=True)
    )

    assert (decision.category, decision.source, decision.confidence) == (refund, "both", 0.97)
    assert (decision.audit_probability, decision.is_audit) == (0.01, True)
    assert [reason.category for reason in decision.reasons.all()] == [refund, billing]
    assert decision.reasons.first().evidence == [
        {"turn": 0, "start": 0, "end": 5, "term": "where", "weight": 0.0}
    ]


def test_an_abstention_keeps_its_doubt_and_its_guesses(refund):
    decision = Decision.objects.stand(a_transcript("t1"), unsure("refund"), at=NOON)

    assert (decision.category, decision.source, decision.doubt) == (None, "nobody", "unsure")
    assert [reason.is_suggestion for reason in decision.reasons.all()] == [True]


def test_a_newer_sure_verdict_supersedes_the_older(refund, billing):
    transcript = a_transcript("t1")
    old = Decision.objects.stand(transcript, sure_of("refund"), at=NOON)

    new = Decision.objects.stand(transcript, sure_of("billing"), at=LATER)

    old.refresh_from_db()
    assert old.superseded_at == LATER
    assert list(Decision.objects.standing()) == [new]


def test_a_sure_decision_is_kept_when_the_new_verdict_abstains(refund):
    transcript = a_transcript("t1")
    old = Decision.objects.stand(transcript, sure_of("refund"), at=NOON)

    new = Decision.objects.stand(transcript, unsure(), at=LATER)

    assert new is None
    assert list(Decision.objects.standing()) == [old]


def test_automation_never_supersedes_a_person(refund, billing):
    transcript = a_transcript("t1")
    said = Decision.objects.stand_by_person("t1", [refund], at=NOON, decided_by=a_person())

    new = Decision.objects.stand(transcript, sure_of("billing"), at=LATER)

    assert new is None
    assert list(Decision.objects.standing()) == [said]


def test_a_person_supersedes_automation_and_another_person(refund, billing):
    Decision.objects.stand(a_transcript("t1"), sure_of("refund"), at=NOON)

    Decision.objects.stand_by_person("t1", [billing], at=NOON)
    Decision.objects.stand_by_person("t1", [refund], at=LATER)

    assert [d.category for d in Decision.objects.standing()] == [refund]
    assert Decision.objects.count() == 3


def test_the_same_word_of_a_person_said_again_changes_nothing(refund):
    a_transcript("t1")
    first = Decision.objects.stand_by_person("t1", [refund], at=NOON)

    assert Decision.objects.stand_by_person("t1", [refund], at=LATER) == first


def test_a_person_cannot_decide_a_thread_that_is_not_known(refund):
    with pytest.raises(Transcript.DoesNotExist):
        Decision.objects.stand_by_person("nowhere", [refund], at=NOON)


def test_many_verdicts_stand_in_a_fixed_number_of_queries(
    refund, billing, django_assert_num_queries
):
    proposals = [Proposal(a_transcript(f"t{n}"), sure_of("refund")) for n in range(30)]
    Decision.objects.stand_all(proposals[:10], at=NOON)

    # savepoint, standing ones, tree, their reasons, superseding, categories, decisions, reasons,
    # release
    with django_assert_num_queries(9):
        decisions = Decision.objects.stand_all(proposals, at=LATER)

    assert [d.thread for d in decisions] == [f.transcript.thread for f in proposals]
    assert Decision.objects.standing().count() == 30


def test_the_database_forbids_two_standing_decisions_of_one_thread(refund):
    transcript = a_transcript("t1")
    Decision.objects.stand(transcript, sure_of("refund"), at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            thread="t1", transcript=transcript, category=refund, source="rules", decided_at=NOON
        )


def test_every_doubt_of_the_engine_has_words_for_people():
    assert {doubt.value for doubt in Doubt} <= set(Decision.DoubtCode.values)
