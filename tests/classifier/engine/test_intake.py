import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.errors import EngineError, TranscriptTooLarge
from classifier.engine.intake import (
    CUT,
    TRANSCRIPT_CHARACTERS,
    TRANSCRIPT_TURNS,
    WINDOW_CHARACTERS,
    admitted,
    cleaned,
    decoded,
    windowed,
)
from classifier.engine.text import Speaker, Transcript, Turn

HALF = WINDOW_CHARACTERS // 2


def transcript(*texts: str) -> Transcript:
    return Transcript(tuple(Turn(Speaker.CUSTOMER, text) for text in texts))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "ab"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("\r\0\n", "\n"),
        ("\ud800x", "\ufffdx"),
        ("x\udfff", "x\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("\u202eright to left", "\u202eright to left"),
        ("", ""),
    ],
)
def test_what_no_database_holds_is_removed_or_replaced(text, kept):
    assert cleaned(text) == kept


@given(st.text(st.characters(exclude_categories=())))
def test_cleaned_text_can_be_stored_and_is_clean_already(text):
    once = cleaned(text)

    assert "\0" not in once
    assert once.encode() == cleaned(once).encode()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Zürich".encode(), "Zürich"),
        (codecs.BOM_UTF8 + "é".encode(), "é"),
        ("é\r\n退".encode("utf-16"), "é\n退"),
        (codecs.BOM_UTF16_BE + "é".encode("utf-16-be"), "é"),
        ("é".encode("utf-32"), "é"),
        (b"caf\xe9!", "caf\ufffd!"),
        (codecs.BOM_UTF16_LE + b"a\x00\x00\xd8", "a\ufffd"),
        (b"a\x00b", "ab"),
        (b"", ""),
    ],
)
def test_bytes_are_read_as_their_mark_says_and_never_fail(raw, text):
    assert decoded(raw) == text


@given(st.binary())
def test_any_bytes_become_text(raw):
    decoded(raw).encode()


def test_a_short_transcript_is_kept_whole():
    short = transcript("x" * HALF, "y" * HALF)

    assert windowed(short) is short


def test_of_one_long_text_head_and_tail_are_kept():
    long = transcript("h" * HALF + "m" * 1000 + "t" * HALF)

    assert windowed(long) == transcript("h" * HALF + CUT + "t" * HALF)


def test_of_many_turns_those_in_the_middle_are_left_out():
    turns = [f"{number:06d}" + "x" * 994 for number in range(1000)]

    kept = windowed(transcript(*turns)).turns

    assert [turn.text for turn in kept] == turns[:100] + turns[-100:]


def test_turns_at_the_edges_of_the_window_are_cut():
    kept = windowed(transcript("a" * (HALF - 5), "b" * 20, "c" * 20, "d" * (HALF - 5)))

    texts = [turn.text for turn in kept.turns]
    assert texts == ["a" * (HALF - 5), "b" * 5 + CUT, CUT + "c" * 5, "d" * (HALF - 5)]


def test_ten_megabytes_and_five_thousand_turns_are_admitted():
    long = transcript("refund " * 1_500_000, *["hello"] * 5_000)

    kept = admitted(long)

    assert sum(len(turn.text) for turn in kept.turns) <= WINDOW_CHARACTERS + len(CUT)
    assert kept.turns[0].text.startswith("refund refund")


def test_a_number_at_the_edge_of_the_window_is_hidden_before_it_is_cut():
    long = transcript("x" * (HALF - 8) + " 4111111111111111 " + "y" * WINDOW_CHARACTERS)

    kept = admitted(long).turns[0].text

    assert "1" not in kept
    assert "[card•" in kept


def test_what_is_admitted_is_clean_and_redacted():
    assert admitted(transcript("pin\0 1234\r\n")) == transcript("pin ••••\n")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["x" * (TRANSCRIPT_CHARACTERS + 1)], "20,000,001 characters; at most 20,000,000"),
        ([""] * (TRANSCRIPT_TURNS + 1), "20,001 turns; at most 20,000"),
    ],
)
def test_more_than_anybody_says_is_refused_by_name(texts, message):
    with pytest.raises(TranscriptTooLarge, match=message) as refusal:
        admitted(transcript(*texts))

    assert refusal.value.code == "transcript_too_large"


def test_every_error_has_a_code_of_its_own():
    errors = [EngineError, *EngineError.__subclasses__()]

    assert len({error.code for error in errors}) == len(errors)
