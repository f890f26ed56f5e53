"""Promises of noise made on purpose: repeatable, as much as was asked for, and nothing else."""

import pytest

from classifier.engine.example import Example
from classifier.engine.noise import (
    Recogniser,
    cut_short,
    joined,
    mistyped,
    shouted,
    word_count,
)
from classifier.engine.text import Speaker, Transcript, Turn
from tests.classifier.engine.words import examples

LONG = Transcript.of(" ".join(example.transcript.turns[0].text for example in examples(10)))
RECOGNISER = Recogniser.of([LONG])


def words(transcript):
    return [word for turn in transcript.turns for word in turn.text.split()]


def test_about_the_share_that_was_asked_for_is_wrong():
    before, heard = words(LONG), words(RECOGNISER.hear(LONG, 0.15))

    kept = len(set(before) & set(heard))
    assert 0.02 < 1 - len([word for word in heard if word in before]) / len(before) < 0.2
    assert kept > 0.8 * len(set(before))


def test_the_same_words_are_misheard_alike_and_another_seed_mishears_others():
    assert RECOGNISER.hear(LONG, 0.3) == RECOGNISER.hear(LONG, 0.3)
    assert RECOGNISER.hear(LONG, 0.3) != RECOGNISER.hear(LONG, 0.3, seed=1)


def test_a_word_is_heard_as_one_that_sounds_alike():
    recogniser = Recogniser.of([Transcript.of("refund refined table")])

    heard = [
        words(recogniser.hear(Transcript.of("refund"), 1.0, seed))[:1] for seed in range(20)
    ]

    assert ["refined"] in heard


@pytest.mark.parametrize("noise", [RECOGNISER.hear, mistyped])
def test_no_noise_changes_nothing_and_full_noise_changes_most(noise):
    assert noise(LONG, 0.0) == LONG
    same = [a == b for a, b in zip(words(LONG), words(noise(LONG, 1.0)), strict=False)]
    assert sum(same) < 0.2 * len(same)


@pytest.mark.parametrize("text", ["", "   ", "…!?", "退款 please 發票", "\ud800 x", "١٢٣"])
def test_any_text_can_be_misheard_and_mistyped(text):
    for share in (0.15, 1.0):
        assert isinstance(RECOGNISER.hear(Transcript.of(text), share).turns[0].text, str)
        assert isinstance(mistyped(Transcript.of(text), share).turns[0].text, str)


def test_a_share_is_a_share():
    with pytest.raises(ValueError, match="not a share"):
        mistyped(LONG, 1.5)


def test_speakers_and_turns_stay_as_they_are():
    call = Transcript(
        (
            Turn(Speaker.CUSTOMER, "my parcel is late"),
            Turn(Speaker.REPRESENTATIVE, "I am sorry"),
        )
    )

    heard = RECOGNISER.hear(call, 0.5)

    assert [turn.speaker for turn in heard.turns] == [turn.speaker for turn in call.turns]
    assert cut_short(call, 1).turns == call.turns[:1]
    assert shouted(call).turns[0].text == "MY PARCEL IS LATE"


def test_a_joined_call_is_about_all_that_its_parts_are_about():
    made = [
        Example(Transcript.of(f"words {number}"), frozenset([f"label {number}"]), str(number))
        for number in range(25)
    ]

    calls = joined(made, 10)

    assert [len(call.transcript.turns) for call in calls] == [10, 10, 5]
    assert frozenset().union(*(call.categories for call in calls)) == frozenset(
        f"label {number}" for number in range(25)
    )
    assert sum(word_count(call.transcript) for call in calls) == 50
