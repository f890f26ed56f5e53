"""Files and fields with a transcript: every common shape, and what is none."""

import json
from datetime import UTC, datetime

import pytest

from classifier.engine.text import Speaker
from sfsync.sources import labelled, written

C, R, B = Speaker.CUSTOMER, Speaker.REPRESENTATIVE, Speaker.BOT


def told(text, *names):
    return [(one.speaker, one.text) for one in written.read(text, names)]


HELLO = [(R, "How can I help?"), (C, "My card is broken.")]


@pytest.mark.parametrize(
    "text",
    [
        "Agent: How can I help?\nCustomer: My card is broken.",
        "AGENT : How can I help?\n\nCUSTOMER : My card is broken.\n",
        "[00:00:01] Agent: How can I help?\n[00:00:04] Customer: My card is broken.",
        "2026-05-05 10:15:02 Agent 2: How can I help?\n"
        "2026-05-05 10:15 Customer (Max): My card is broken.",
        "Agent (10:15 AM): How can I help?\nCustomer (10:16 AM): My card is broken.",
        "**Berater**: How can I help?\n**Kunde:** My card is broken.",
        "客服：How can I help?\n客户：My card is broken.",
        "Agent - Ann: How can I help?\nCaller: My card\nis broken.",
        "Call of 5 May\n\nAgent: How can I help?\nSystem: Max joined\nCustomer: My card is broken.",
        "\ufeffAgent: How can I help?\r\nCustomer: My card is broken.".replace("\r\n", "\n"),
    ],
)
def test_lines_that_begin_with_their_speaker(text):
    assert [(who, " ".join(words.split())) for who, words in told(text)] == HELLO


def test_names_are_the_other_side_of_the_one_that_is_known():
    text = "Agent: Hello?\nMax Muster: Broken.\nAgent: Oh.\nMax Muster: Yes."

    assert [who for who, _ in told(text)] == [R, C, R, C]


def test_the_names_that_an_admin_gave_are_the_customers():
    text = "Ann: How can I help?\nMax: My card is broken.\nAnn: Which: blue or red?"

    assert told(text, "max")[:2] == HELLO
    assert told(text, "max")[2] == (R, "Which: blue or red?")
    assert told(text) == []


def test_a_colon_in_what_is_said_makes_no_speaker():
    text = (
        "Agent: See https://example.org\nCustomer: Two things:\nfirst: the card\nNote: it broke"
    )

    assert told(text) == [
        (R, "See https://example.org"),
        (C, "Two things:\nfirst: the card\nNote: it broke"),
    ]


@pytest.mark.parametrize(
    "times", ["00:01.000 --> 00:03.000", "01:00:01.000 --> 01:00:03.000 align:start"]
)
def test_captions_with_voices(times):
    text = (
        "WEBVTT - a call\n\nNOTE\nmade by a phone\n\nSTYLE\n::cue { color: red }\n\n"
        f"1\n{times}\n<v.loud Agent Ann>How can</v>\n\n2\n{times}\n<v Agent Ann>I help?\n\n"
        f"{times}\n<v Customer>My <i>card</i> is\nbroken."
    )

    assert told(text.replace("Agent Ann", "Agent")) == HELLO


def test_captions_whose_text_names_the_speaker_and_older_ones():
    cue = "00:00:01.000 --> 00:00:03.000"
    vtt = (
        f"WEBVTT\n\n{cue}\nAgent: How can\n\n{cue}\nI help?\n\n"
        f"{cue}\nCustomer: My card is broken."
    )
    older = cue.replace(".", ",")
    srt = f"1\n{older}\nAgent: How can I help?\n\n2\n{older}\nCustomer: My card is broken."

    assert told(vtt) == HELLO
    assert told(srt) == HELLO


TURNS = [("agent", "How can I help?"), ("customer", "My card is broken.")]


def rows(speaker, words, **more):
    return [{speaker: who, words: said, **more} for who, said in TURNS]


@pytest.mark.parametrize(
    "value",
    [
        rows("speaker", "text"),
        rows("role", "content"),
        rows("participant", "message"),
        rows("Speaker", "Transcript"),
        {"turns": rows("speaker", "text")},
        {"callId": "1", "messages": rows("role", "content")},
        {"entries": rows("role", "text")},
        {"transcript": rows("speaker", "text")},
        {"results": {"transcript": rows("speaker", "text")}},
        {"results": [{"turns": rows("speaker", "text")}]},
        {"Transcript": rows("ParticipantId", "Content", BeginOffsetMillis=1)},
        {"transcript": "Agent: How can I help?\nCustomer: My card is broken."},
        {"conversationEntries": [{"sender": {"role": r}, "messageText": t} for r, t in TURNS]},
        [
            *rows("speaker", "text"),
            {"speaker": "system", "text": "ended"},
            7,
            None,
            {"text": "x"},
        ],
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_json_in_the_common_shapes(value):
    assert told(json.dumps(value)) == HELLO


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2026-05-05T12:00:00Z", datetime(2026, 5, 5, 12, tzinfo=UTC)),
        (1_777_982_400_000, datetime(2026, 5, 5, 12, tzinfo=UTC)),
        (1_777_982_400, datetime(2026, 5, 5, 12, tzinfo=UTC)),
        (12.5, None),
        ("00:00:12", None),
        (True, None),
        (float("inf"), None),
        (10**400, None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_time_counts_where_it_tells_the_day(time, at):
    (said,) = written.read(json.dumps([{"role": "user", "content": "Hello", "time": time}]))

    assert (said.speaker, said.at) == (C, at)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear all, please find the list.\nRegards: none",
        "user: root\nhost: 10.0.0.1\nlevel: warning",
        "Customer: ACME\nAddress: 1 High Street\n",
        "Agent: Ann\nAgent: Ben",
        '{"name": "app", "version": 3}',
        '[{"name": "Max", "text": "x"}]',
        '[{"speaker": "spk_0", "text": "Hello"}, {"speaker": "spk_1", "text": "Hi"}]',
        '{"a": [[[[[[[[{"role": "customer", "text": "deep"}]]]]]]]]}',
        "[" * 100_000,
        "{broken",
        "WEBVTT\n\n00:01.000 --> 00:02.000\nnobody is named",
        "1234567890" * 10,
    ],
    ids=lambda text: text[:24],
)
def test_what_is_no_transcript_is_left_alone(text):
    assert written.of_file(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Customer: My card is broken.\nIt really is.",
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Customer>My card is broken.",
        '[{"role": "user", "content": "My card is broken."}]',
    ],
)
def test_a_file_in_which_only_the_customer_speaks_is_one(text):
    (said,) = written.of_file(text)

    assert said.speaker is C


@pytest.mark.parametrize(
    "piece",
    [
        "Agent: a\n",
        ": ",
        "[10:15 ",
        " ",
        "<v ",
        "<v a>",
        "a:",
        "10:15" + " " * 50,
        "(((",
        "{",
        "**Agent**\n",
        "00:01.000 --> 00:02.000\n",
        "A b c d e: x\n",
    ],
)
def test_hostile_text_of_150_000_characters_is_read(piece):
    text = piece * (150_000 // len(piece))

    written.read(text)
    written.read("WEBVTT\n\n" + text)
    labelled.read("Customer: x\n" + text)


def test_a_call_of_5000_words_with_the_noise_of_speech_recognition_is_read():
    noise = "uh so um yeah the the [inaudible] card ... is it's like <unk> broke % broken "
    lines = [f"{'Agent' if n % 2 else 'Customer'}: {noise * 3}" for n in range(150)]

    said = written.read("\n".join(lines))

    assert len(said) == 150
    assert sum(len(one.text.split()) for one in said) > 5_000
