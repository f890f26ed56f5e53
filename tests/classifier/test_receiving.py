from dataclasses import replace
from threading import Barrier, Thread

import pytest
from django.db import connection

from classifier.engine.intake import TRANSCRIPT_TURNS
from classifier.engine.text import Speaker, Turn
from classifier.models import Decision, Transcript
from classifier.receiving import Arrival, Receipt, receive_transcript
from tests.classifier.making import LATER, NOON, a_category, customer, representative, sure_of

pytestmark = pytest.mark.django_db

HELLO = Arrival("t1", (customer("Where is my refund?"),))
REPLIED = replace(
    HELLO, turns=(*HELLO.turns, representative("We look into it.")), moment="replied"
)


def current(thread: str = "t1") -> Transcript:
    return Transcript.objects.current().get(thread=thread)


def decided() -> None:
    Transcript.objects.update(decided_at=NOON)


def test_a_new_thread_waits_for_a_decision():
    assert receive_transcript(HELLO, at=NOON) is Receipt.NEW

    assert list(Transcript.objects.waiting()) == [current()]


def test_the_same_words_twice_are_stored_once():
    receive_transcript(HELLO, at=NOON)

    assert receive_transcript(HELLO, at=LATER) is Receipt.UNCHANGED

    assert Transcript.objects.count() == 1


def test_a_thread_waits_again_when_the_customer_says_something_new():
    receive_transcript(HELLO, at=NOON)
    decided()
    more = replace(HELLO, turns=(*HELLO.turns, customer("Still nothing!")))

    assert receive_transcript(more, at=LATER) is Receipt.CHANGED

    assert current().is_waiting
    assert Transcript.objects.get(superseded_at=LATER).received_at == NOON


def test_a_thread_waits_again_at_the_first_reply_and_at_closing():
    receive_transcript(HELLO, at=NOON)
    decided()
    replied = receive_transcript(REPLIED, at=LATER)
    decided()
    closed = receive_transcript(replace(REPLIED, moment="closed"), at=LATER)

    assert (replied, closed) == (Receipt.MOVED, Receipt.MOVED)
    assert current().is_waiting


def test_words_of_others_are_kept_without_a_new_decision():
    receive_transcript(REPLIED, at=NOON)
    decided()
    more = replace(REPLIED, turns=(*REPLIED.turns, representative("Any news?")))

    assert receive_transcript(more, at=LATER) is Receipt.WORDS_ONLY

    assert len(current().turns) == 3
    assert not current().is_waiting


def test_a_version_that_still_waits_hands_its_waiting_on():
    receive_transcript(REPLIED, at=NOON)
    more = replace(REPLIED, turns=(*REPLIED.turns, representative("Any news?")))

    receive_transcript(more, at=LATER)

    assert current().is_waiting


def test_a_moment_that_goes_back_is_no_reason_to_decide_again():
    receive_transcript(replace(REPLIED, moment="closed"), at=NOON)

    assert receive_transcript(REPLIED, at=LATER) is Receipt.UNCHANGED


def test_nothing_personal_is_stored_neither_in_words_nor_in_context():
    card = "4111 1111 1111 1111"
    arrival = Arrival(
        "t1", (customer(f"My card is {card}."),), context={"Subject": f"card {card}"}
    )

    receive_transcript(arrival, at=NOON)

    row = current()
    assert "1111" not in f"{row.turns}{row.context}"
    assert len(row.turns[0]["text"]) == len(f"My card is {card}.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "a\0b",
        "half \ud83d a smile",
        "\u202eright to left",
        "<p>Where is my <b>refund</b>?</p>",
        "x" * 1_000_000,
    ],
)
def test_any_text_is_received(text):
    assert receive_transcript(Arrival("t1", (customer(text),)), at=NOON) is Receipt.NEW

    assert current().words.turns[0].speaker is Speaker.CUSTOMER


def test_a_conversation_without_any_turn_is_received():
    assert receive_transcript(Arrival("t1", ()), at=NOON) is Receipt.NEW


def test_far_too_many_turns_are_kept_as_a_row_that_a_person_must_look_at():
    flood = Arrival("t1", (customer("hi"),) * (TRANSCRIPT_TURNS + 1))

    assert receive_transcript(flood, at=NOON) is Receipt.REFUSED

    decision = Decision.objects.standing().get(thread="t1")
    assert (current().refused, decision.doubt) == ("transcript_too_large",) * 2
    assert (decision.source, current().is_waiting) == ("nobody", False)


def test_the_same_flood_again_changes_nothing():
    flood = Arrival("t1", (customer("hi"),) * (TRANSCRIPT_TURNS + 1))
    receive_transcript(flood, at=NOON)

    assert receive_transcript(flood, at=LATER) is Receipt.UNCHANGED


def test_a_flood_does_not_take_a_sure_decision_away():
    a_category("refund")
    receive_transcript(HELLO, at=NOON)
    Decision.objects.stand(current(), sure_of("refund"), at=NOON)

    receive_transcript(Arrival("t1", (customer("hi"),) * (TRANSCRIPT_TURNS + 1)), at=LATER)

    assert Decision.objects.standing().get(thread="t1").category.code == "refund"


def test_the_times_of_turns_come_back_as_they_were():
    said = Turn(Speaker.CUSTOMER, "hello", NOON)

    receive_transcript(Arrival("t1", (said,)), at=LATER)

    assert current().words.turns == (said,)


@pytest.mark.parametrize("wrong", [{"thread": ""}, {"thread": "x" * 65}, {"moment": "later"}])
def test_an_arrival_that_makes_no_sense_is_refused_at_birth(wrong):
    with pytest.raises(ValueError, match=r"thread|moment"):
        replace(HELLO, **wrong)


@pytest.mark.django_db(transaction=True)
def test_one_thread_received_by_many_at_once_is_stored_once():
    receipts: list[Receipt] = []
    together = Barrier(4)

    def receive() -> None:
        try:
            together.wait()
            receipts.append(receive_transcript(HELLO, at=NOON))
        finally:
            connection.close()

    threads = [Thread(target=receive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(receipts) == ["new", "unchanged", "unchanged", "unchanged"]
    assert Transcript.objects.count() == 1
