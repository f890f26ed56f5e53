"""From Salesforce's rows to turns: pure."""

from datetime import UTC, datetime, timedelta

import pytest

from classifier.engine.text import Speaker, Turn
from sfsync.cases import SourcedTurn
from sfsync.sources.comment import CommentSource
from sfsync.sources.description import DescriptionSource
from sfsync.sources.email import EmailSource
from sfsync.sources.messaging import MessagingSource
from sfsync.sources.source import merged

NOON = datetime(2026, 5, 5, 12, 0, tzinfo=UTC)
STAMP = "2026-05-05T12:00:00.000+0000"
MILLISECONDS = int(NOON.timestamp() * 1000)


def email(**fields):
    row = {
        "Id": "02s000000000001AAA",
        "Incoming": True,
        "TextBody": "My card is broken.",
        "HtmlBody": None,
        "MessageDate": STAMP,
        "CreatedDate": STAMP,
        "Status": "0",
    }
    return row | fields


def comment(user_type, text="Hello"):
    created_by = None if user_type is None else {"UserType": user_type}
    return {
        "Id": "00a000000000001AAA",
        "CommentBody": text,
        "CreatedDate": STAMP,
        "CreatedBy": created_by,
    }


def entry(identifier, role, text, seconds=0.0, **fields):
    at = MILLISECONDS + int(seconds * 1000)
    row = {
        "identifier": identifier,
        "messageText": text,
        "serverReceivedTimestamp": at,
        "sender": {"role": role},
    }
    return row | fields


def session(*entries, starts=STAMP, ends=None):
    return {
        "Id": "0Mw000000000001AAA",
        "StartTime": starts,
        "EndTime": ends,
        "entries": list(entries),
    }


def opening(subject, description, origin="Web"):
    return {
        "id": "500000000000001AAA",
        "subject": subject,
        "description": description,
        "origin": origin,
        "at": NOON,
    }


def words(source, *rows):
    return [(one.turn.speaker, one.turn.text) for one in source.turns(rows)]


def test_what_came_in_is_the_customers_and_what_went_out_the_representatives():
    said = words(EmailSource(), email(), email(Incoming=False, TextBody="We help."))

    assert said == [
        (Speaker.CUSTOMER, "My card is broken."),
        (Speaker.REPRESENTATIVE, "We help."),
    ]


def test_an_email_with_html_alone_is_read_from_it():
    html = "<p>My card is <b>broken</b>.</p><blockquote>How can I help?</blockquote>"

    assert words(EmailSource(), email(TextBody=None, HtmlBody=html)) == [
        (Speaker.CUSTOMER, "My card is broken.")
    ]


@pytest.mark.parametrize(
    "fields", [{"TextBody": None}, {"TextBody": " \n"}, {"Status": "5"}], ids=str
)
def test_an_empty_email_and_a_draft_say_nothing(fields):
    assert words(EmailSource(), email(**fields)) == []


def test_an_email_is_placed_by_the_date_it_bears():
    (turn,) = EmailSource().turns([email(MessageDate="2026-05-04T08:00:00.000+0000")])

    assert turn.turn.at == datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("user_type", "speaker"),
    [
        ("Standard", Speaker.REPRESENTATIVE),
        (None, Speaker.REPRESENTATIVE),
        ("CspLitePortal", Speaker.CUSTOMER),
        ("Guest", Speaker.CUSTOMER),
        ("AutomatedProcess", Speaker.BOT),
    ],
)
def test_a_comments_speaker_is_told_by_the_kind_of_user(user_type, speaker):
    assert words(CommentSource(), comment(user_type)) == [(speaker, "Hello")]


def test_an_empty_comment_says_nothing():
    assert words(CommentSource(), comment("Standard", " ")) == []


def test_entries_out_of_order_are_put_in_order_and_roles_become_speakers():
    said = words(
        MessagingSource(),
        session(
            entry("d", "Supervisor", "I take over.", 3),
            entry("b", "Chatbot", "How can I help?", 1),
            entry("a", "EndUser", "Hello", 0),
            entry("c", "Agent", "Ann here.", 2),
            entry("s", "System", "Ann joined", 1.5),
        ),
    )

    assert said == [
        (Speaker.CUSTOMER, "Hello"),
        (Speaker.BOT, "How can I help?"),
        (Speaker.REPRESENTATIVE, "Ann here."),
        (Speaker.REPRESENTATIVE, "I take over."),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"messageText": None},
        {"sender": None},
        {"sender": {}},
        {"serverReceivedTimestamp": None},
        {"messageText": "  "},
    ],
    ids=str,
)
def test_entries_that_lack_something_are_passed_over(odd):
    lacking = entry("x", "EndUser", "Hello") | odd if odd else {}

    assert words(MessagingSource(), session(lacking, entry("y", "EndUser", "There"))) == [
        (Speaker.CUSTOMER, "There")
    ]


def test_a_missing_server_time_is_replaced_by_the_clients():
    early = entry("a", "EndUser", "Hello", serverReceivedTimestamp=None)
    early["clientTimestamp"] = MILLISECONDS

    assert words(MessagingSource(), session(early)) == [(Speaker.CUSTOMER, "Hello")]


def test_a_conversation_is_cut_to_the_sessions_of_this_case():
    talk = session(
        entry("before", "EndUser", "another Case", -60),
        entry("within", "EndUser", "this Case", 59.9),
        entry("after", "EndUser", "a third Case", 62),
        ends="2026-05-05T12:00:59.000+0000",
    )

    assert words(MessagingSource(), talk) == [(Speaker.CUSTOMER, "this Case")]


def test_an_entry_that_names_its_session_is_believed():
    talk = session(
        entry("a", "EndUser", "mine", 600, relatedRecords=["0Mw000000000001AAA"]),
        entry("b", "EndUser", "another's", 1, relatedRecords=["0Mw000000000002AAA"]),
        ends="2026-05-05T12:00:59.000+0000",
    )

    assert words(MessagingSource(), talk) == [(Speaker.CUSTOMER, "mine")]


def test_two_sessions_of_one_conversation_say_each_entry_once():
    hello = entry("a", "EndUser", "Hello")

    assert len(MessagingSource().turns([session(hello), session(hello)])) == 1


def test_a_conversation_of_5000_turns_is_read():
    talk = session(*(entry(str(n), "EndUser", f"line {n}", n) for n in range(5_000)))

    assert len(MessagingSource().turns([talk])) == 5_000


@pytest.mark.parametrize(
    ("subject", "description", "said"),
    [
        ("Card", "It is broken.", "Card\n\nIt is broken."),
        ("It is", "It is broken.", "It is broken."),
        ("Card", "", "Card"),
        ("", "It is broken.", "It is broken."),
    ],
)
def test_subject_and_description_are_one_opening(subject, description, said):
    assert words(DescriptionSource(), opening(subject, description)) == [
        (Speaker.CUSTOMER, said)
    ]


@pytest.mark.parametrize(
    ("subject", "description", "told"),
    [
        ("Card", "It is broken.", [("Card", True), ("It is broken.", False)]),
        ("Card", "CARD\nIt is broken.", [("CARD", True), ("It is broken.", False)]),
        ("Card", "", [("Card", True)]),
        ("Card", "card", [("card", True)]),
        ("It is", "It is broken.", [("It is broken.", False)]),
        ("", "It is broken.", [("It is broken.", False)]),
        ("STRASSE", "straße\nist weg", [("straße\nist weg", False)]),
    ],
)
def test_the_subject_line_is_a_turn_of_its_own(subject, description, told):
    story = merged(DescriptionSource().turns([opening(subject, description)]))

    assert [(turn.text, turn.is_subject) for turn in story] == told
    assert {(turn.speaker, turn.at) for turn in story} == {(Speaker.CUSTOMER, NOON)}


def test_a_case_without_words_opens_without_a_turn():
    assert words(DescriptionSource(), opening(" ", "")) == []


def test_a_description_of_32000_characters_is_kept_whole():
    ((_, text),) = words(DescriptionSource(), opening("", "word " * 6_400))

    assert len(text) == 31_999


def test_a_case_made_from_an_email_opens_without_its_signature():
    body = "It is broken.\n\nKind regards,\nMax"

    ((_, text),) = words(DescriptionSource(), opening("Card", body, "Email"))

    assert text == "Card\n\nIt is broken."


def test_nul_and_lone_surrogates_do_not_get_through():
    said = words(
        CommentSource(), comment("Guest", "a\0b\ud800c"), comment("Guest", "\ud83d\ude00")
    )

    assert [text for _, text in said] == ["ab\ufffdc", "\N{GRINNING FACE}"]


def turn(source, text, minutes, speaker=Speaker.CUSTOMER):
    at = NOON + timedelta(minutes=minutes)
    return SourcedTurn(Turn(speaker, text, at), source, f"{source}-{minutes}")


def test_the_story_begins_with_the_description_and_goes_on_in_time_order():
    story = merged(
        [
            turn("comment", "third", 20),
            turn("email", "second", -5),
            turn("description", "first", 0),
        ]
    )

    assert [one.text for one in story] == ["first", "second", "third"]


def test_the_email_that_the_case_was_made_from_is_said_once():
    story = merged(
        [
            turn("description", "Card\n\nIt is broken,\nplease help.", 0),
            turn("email", "It is  broken, please help.", -300),
            turn("email", "Any news?", 60),
        ]
    )

    assert [one.text for one in story] == ["Card\n\nIt is broken,\nplease help.", "Any news?"]


def test_a_later_email_that_repeats_words_of_the_description_is_kept():
    story = merged([turn("description", "Card is broken", 0), turn("email", "broken", 60)])

    assert [one.text for one in story] == ["Card is broken", "broken"]


def test_a_subject_made_from_the_first_words_of_a_chat_is_said_once():
    story = merged(
        [
            turn("description", "The vase is in", 0),
            turn("messaging", "The vase is in a thousand pieces.", 1),
        ]
    )

    assert [one.text for one in story] == ["The vase is in a thousand pieces."]


def test_what_a_representative_repeats_of_the_customers_opening_takes_nothing_away():
    story = merged(
        [
            turn("description", "My vase is broken", 0),
            turn("comment", "My vase is broken, she says", 9, Speaker.REPRESENTATIVE),
        ]
    )

    assert [one.text for one in story] == ["My vase is broken", "My vase is broken, she says"]


def test_a_mail_that_is_the_description_word_for_word_is_still_said():
    story = merged([turn("description", "Broken", 0), turn("email", "Broken", 0)])

    assert [one.text for one in story] == ["Broken"]


def test_what_one_source_says_twice_was_said_twice():
    words = "Is anybody there who can help me?"
    story = merged([turn("messaging", words, 0), turn("messaging", words, 9)])

    assert [one.text for one in story] == [words, words]


def test_a_copy_of_a_call_in_another_place_is_left_out_down_to_its_short_words():
    said = ("I want to know where my parcel is.", "Yes.", "到底什么时候才能退款给我？", "Yes.")
    call = [turn("voice", text, number) for number, text in enumerate(said)]
    copy = [
        SourcedTurn(
            Turn(Speaker.CUSTOMER, text.upper(), NOON + timedelta(hours=1)), "file", "f"
        )
        for text in said
    ]
    mail = turn("email", "Yes.", 99)

    assert [one.text for one in merged([*copy, *call, mail])] == [*said, "Yes."]


def test_the_post_that_the_case_was_made_from_is_said_once():
    story = merged(
        [
            turn("description", "Post from max\n\nMy parcel never came!", 0),
            turn("social", "My parcel never came!", -1),
        ]
    )

    assert len(story) == 1
