from dataclasses import replace
from threading import Barrier, Thread

import pytest
from django.db import connection

from classifier import leases
from classifier.deciding import Decided, count_waiting, decide_claimed, decide_waiting
from classifier.models import Category, Decision, ModelVersion, Prediction, Transcript
from classifier.tasks import decide_waiting_transcripts
from tests.classifier.making import (
    LATER,
    NOON,
    a_category,
    a_champion,
    a_model,
    a_person,
    a_rule,
    a_transcript,
    sure_of,
)

pytestmark = pytest.mark.django_db

PARCEL = "my parcel has not arrived, the tracking says nothing"


@pytest.fixture
def champion() -> ModelVersion:
    return a_champion()


def standing(thread: str) -> Decision:
    return Decision.objects.standing().get(thread=thread)


def test_the_model_decides_what_waits(champion):
    a_transcript("t1", PARCEL)

    assert decide_waiting(limit=10) == Decided(decided=1)

    decision = standing("t1")
    assert (decision.category.code, decision.source) == ("delivery", "model")
    assert decision.model_version == champion
    assert decision.reasons.first().evidence
    assert count_waiting() == 0


def test_rules_decide_without_a_model():
    a_rule("Parcel", a_category("delivery"), "parcel")
    a_transcript("t1", PARCEL)

    decide_waiting(limit=10)

    assert (standing("t1").category.code, standing("t1").source) == ("delivery", "rules")


def test_what_nobody_is_sure_of_waits_for_a_person(champion):
    a_transcript("t1", "hmm")
    a_transcript("t2", "")

    assert decide_waiting(limit=10) == Decided(abstained=2)

    assert {d.doubt for d in Decision.objects.all()} <= {"unsure", "out_of_scope", "no_words"}


def test_the_best_ten_probabilities_are_kept(champion):
    transcript = a_transcript("t1", PARCEL)

    decide_waiting(limit=10)

    prediction = Prediction.objects.get(transcript=transcript, model_version=champion)
    assert prediction.ranked[0][0] == "delivery"
    assert set(prediction.probabilities) == {"delivery", "login", "refund"}


def test_a_batch_takes_the_oldest_first(champion):
    a_transcript("new", PARCEL, received_at=LATER)
    a_transcript("old", PARCEL, received_at=NOON)

    decide_waiting(limit=1)

    assert [d.thread for d in Decision.objects.all()] == ["old"]


def test_what_a_person_said_is_kept(champion):
    a_transcript("t1", PARCEL)
    said = Decision.objects.stand_by_person(
        "t1", [a_category("login")], at=NOON, decided_by=a_person()
    )

    assert decide_waiting(limit=10) == Decided(kept=1)

    assert standing("t1") == said
    assert count_waiting() == 0


def test_a_sure_decision_survives_words_that_say_nothing(champion):
    old = a_transcript("t1", PARCEL, superseded_at=LATER, decided_at=NOON)
    decision = Decision.objects.stand(old, sure_of("delivery"), at=NOON)
    a_transcript("t1", "hmm")

    assert decide_waiting(limit=10) == Decided(kept=1)

    assert standing("t1") == decision


def test_what_is_learnt_from_and_what_was_replaced_is_never_decided(champion):
    a_transcript("gold:1", PARCEL, purpose="learn")
    a_transcript("t1", PARCEL, superseded_at=NOON)

    assert decide_waiting(limit=10) == Decided()


def claimed() -> list[Transcript]:
    return leases.take(Transcript.objects.waiting(), limit=10, seconds=60)


def test_words_replaced_while_at_work_are_skipped(champion):
    a_transcript("t1", PARCEL)
    rows = claimed()
    Transcript.objects.update(superseded_at=LATER)

    assert decide_claimed(rows) == Decided(skipped=1)

    assert not Decision.objects.exists()


def test_a_worker_whose_lease_was_taken_over_changes_nothing(champion):
    a_transcript("t1", PARCEL)
    rows = claimed()
    expire_leases()
    claimed()

    assert decide_claimed(rows) == Decided(skipped=1)

    assert count_waiting() == 1


def test_a_leased_transcript_is_left_to_its_worker(champion):
    a_transcript("t1", PARCEL)
    claimed()

    assert decide_waiting(limit=10) == Decided()


def expire_leases() -> None:
    Transcript.objects.update(leased_until=NOON)


def die_in_mid_batch() -> None:
    leases.take(Transcript.objects.waiting().filter(attempts=0), limit=200, seconds=60)
    expire_leases()


def test_a_transcript_whose_worker_died_is_decided_by_the_next(champion):
    a_transcript("t1", PARCEL)
    die_in_mid_batch()

    assert decide_waiting(limit=10) == Decided(decided=1)


def test_a_transcript_that_kills_every_worker_is_set_aside_and_its_batch_is_not(champion):
    killer = a_transcript("killer", PARCEL)
    a_transcript("innocent", PARCEL, received_at=LATER)
    die_in_mid_batch()
    for _ in range(2):
        leases.take(Transcript.objects.waiting(), limit=1, seconds=60)
        expire_leases()

    assert decide_waiting(limit=10) == Decided(decided=1, abstained=1)

    assert standing("killer").doubt == "set_aside"
    assert standing("innocent").category.code == "delivery"
    killer.refresh_from_db()
    assert killer.decided_at is not None


def test_the_audit_share_is_drawn_and_its_chance_is_kept(champion, settings):
    settings.AUDIT_SHARE = 0.5
    for number in range(60):
        a_transcript(f"t{number}", f"{PARCEL} {number}")

    decide_waiting(limit=100)

    drawn = Decision.objects.filter(is_audit=True).count()
    assert set(Decision.objects.values_list("audit_probability", flat=True)) == {0.5}
    assert 15 <= drawn <= 45  # 30 expected; outside with chance 1 in 10,000


def test_a_share_of_zero_draws_nothing(champion, settings):
    settings.AUDIT_SHARE = 0.0
    a_transcript("t1", PARCEL)

    decide_waiting(limit=100)

    assert not Decision.objects.filter(is_audit=True).exists()


def test_a_batch_costs_the_same_queries_whatever_its_size(
    champion, django_assert_max_num_queries
):
    for number in range(100):
        a_transcript(f"t{number}", PARCEL)

    with django_assert_max_num_queries(30):
        decide_waiting(limit=100)


def test_the_task_decides_several_batches_and_says_how_many(champion, settings):
    settings.DECIDE_BATCH = 2
    for number in range(5):
        a_transcript(f"t{number}", PARCEL)

    assert decide_waiting_transcripts() == 5

    assert count_waiting() == 0


def test_the_task_with_nothing_to_do_rings_nobody(champion):
    assert decide_waiting_transcripts() == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_tray_decide_each_transcript_once():
    a_champion()
    for number in range(40):
        a_transcript(f"t{number}", PARCEL)
    together = Barrier(2)
    outcomes: list[Decided] = []

    def work() -> None:
        try:
            together.wait()
            while (batch := decide_waiting(limit=7)).taken:
                outcomes.append(batch)
        finally:
            connection.close()

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(outcomes, Decided()) == Decided(decided=40)
    assert Decision.objects.standing().count() == Decision.objects.count() == 40


def test_what_may_be_critical_is_never_tagged_as_something_else(champion):
    a_transcript("t1", PARCEL)
    decide_waiting(limit=10)
    Category.objects.filter(code="refund").update(is_critical=True)
    refund = Category.objects.get(code="refund")
    a_rule("Watch", refund, "tracking", is_certain=False)

    a_transcript("t2", PARCEL)
    Transcript.objects.decide_again(["t1"])
    decide_waiting(limit=10)

    for thread in ("t1", "t2"):  # what was tagged before comes before a person too
        decision = standing(thread)
        assert (decision.category, decision.doubt) == (None, "critical")
        assert decision.reasons.get(rank=0).category.code == "refund"


def test_a_category_that_needs_its_own_proof_is_only_suggested_without(champion):
    Category.objects.filter(code="delivery").update(needs_own_proof=True)
    model = a_model()
    without = replace(model, thresholds=replace(model.thresholds, alone={}))
    champion.delete()
    a_champion(2, without)
    a_transcript("t1", PARCEL)

    decide_waiting(limit=10)

    assert standing("t1").category is None
    assert standing("t1").reasons.get(rank=0).category.code == "delivery"
