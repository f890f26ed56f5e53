"""The retired web chat's HTML, in the shape that was recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from classifier.engine.text import Speaker
from sfsync.sources.chat import ChatSource

C, R, B = Speaker.CUSTOMER, Speaker.REPRESENTATIVE, Speaker.BOT
STARTED = "2018-12-18T04:27:57.000+0000"
HEAD = (
    '<p align="center">Chat Started: Monday, December 17, 2018, 23:27:57 (-0500)</p>'
    '<p align="center">Chat Origin: Live Chat Button</p><p align="center">Agent Ann B</p>'
)


def chat(body, **fields):
    row = {
        "Id": "570000000000001AAA",
        "Body": body,
        "StartTime": STARTED,
        "CreatedDate": STARTED,
    }
    return row | fields


def said(*rows):
    return [(one.turn.speaker, one.turn.text) for one in ChatSource().turns(rows)]


def offsets(*rows):
    start = datetime(2018, 12, 18, 4, 27, 57, tzinfo=UTC)
    return [one.turn.at - start for one in ChatSource().turns(rows)]


def test_the_recorded_shape():
    body = (
        f"{HEAD}( 10s ) Ann B: Hi, how can I help?<br>( 44s ) Visitor: I can&#39;t log in<br>"
        "( 1m 13s ) Ann B: One moment<br>( 1h 2m 3s ) Visitor: Still there?<br>( 3m 32s )"
    )

    assert said(chat(body)) == [
        (R, "Hi, how can I help?"),
        (C, "I can't log in"),
        (R, "One moment"),
        (C, "Still there?"),
    ]
    assert offsets(chat(body)) == [
        timedelta(seconds=10),
        timedelta(seconds=44),
        timedelta(seconds=73),
        timedelta(hours=1, minutes=2, seconds=3),
    ]


@pytest.mark.parametrize("tag", ["p", "div", "P", "DIV"])
@pytest.mark.parametrize(
    "align", ['align="center"', "align='center'", "align=center", 'class="x" align="CENTER"']
)
def test_headings_are_nobodys_words_however_they_are_centred(tag, align):
    body = HEAD.replace('<p align="center">', f"<{tag} {align}>").replace("</p>", f"</{tag}>")

    assert said(chat(body + "( 5s ) Visitor: Hello<br>( 9s ) Ann B: Hi<br>")) == [
        (C, "Hello"),
        (R, "Hi"),
    ]


def test_a_transfer_between_agents_and_a_file_stand_between_the_turns():
    body = (
        f"{HEAD}( 5s ) Visitor: Hello<br>( 9s ) Ann B: I pass you on<br>"
        '<p align="center">Chat Transferred From Ann B To Ben C</p><p align="center">Agent Ben C</p>'
        '<div align="center">File transfer succeeded</div>'
        "( 20s ) Ben C: Ben here<br>( 25s ) Visitor: Ann: was nice: really<br>"
    )

    assert said(chat(body)) == [
        (C, "Hello"),
        (R, "I pass you on"),
        (R, "Ben here"),
        (C, "Ann: was nice: really"),
    ]


def test_line_breaks_and_entities_of_a_turn_are_its_own():
    body = (
        f"{HEAD}( 5s ) Visitor: one\n( 9s ) Ann B: not hers<br>two &lt;br&gt; &amp; three<br>"
    )

    assert said(chat(body)) == [(C, "one\n( 9s ) Ann B: not hers\ntwo <br> & three")]


def test_a_visitor_with_a_name_is_known_because_the_agent_is():
    body = f"{HEAD}( 5s ) Max Muster: Hello<br>( 9s ) Ann B: Hi<br>"

    assert said(chat(body)) == [(C, "Hello"), (R, "Hi")]


def test_a_bot_is_a_bot_also_where_a_heading_calls_it_an_agent():
    body = (
        '<p align="center">Agent Acme Chatbot</p>( 1s ) Acme Chatbot: Say what<br>'
        "( 3s ) Visitor: Refund<br>"
        '<p align="center">Agent Abbot K</p>( 9s ) Abbot K: Sure<br>'
    )

    assert said(chat(body)) == [(B, "Say what"), (C, "Refund"), (R, "Sure")]


def test_a_chat_without_a_start_is_placed_by_its_record():
    assert offsets(chat("( 5s ) Visitor: Hi<br>", StartTime=None)) == [timedelta(seconds=5)]


@pytest.mark.parametrize(
    "body", [None, "", "<p>", HEAD, "( 3m 32s )", "()<br>( s ) Visitor: x", "Visitor: x"]
)
def test_a_body_in_which_nobody_speaks_says_nothing(body):
    assert said(chat(body)) == []


@pytest.mark.parametrize(
    "piece",
    [
        "<p align=center>", "<div ", "( ", "( 1s ) ", "( 1s ) a: b<br>", "(((1s", "<br>", "&#39;",
        "<p align=", "( 1s ) Visitor", "<script>", "<!--", "&", "( 1s ) : ", " ",
        "<p align=center>Agent ",
    ],
)  # fmt: skip
def test_broken_and_hostile_html_of_300_000_characters_is_read(piece):
    said(chat(HEAD + piece * (300_000 // len(piece))))
