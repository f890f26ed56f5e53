"""Every source round the line: from the org's rows to a transcript, as a person would tell it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from classifier.models import Transcript
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.records import CHANNELS, Record, Said
from sfsync.local_org.speech import FILLERS
from sfsync.models import CaseLink, Notice, Source, Watermark
from sfsync.pulling import Pulled, pull_changed

pytestmark = pytest.mark.django_db
TALK = (
    Said("customer", "Hello, my card does not work since Monday."),
    Said("representative", "I am sorry. Which card is it?"),
    Said("customer", "The blue one: I pay with it every day."),
    Said("representative", "Thank you, a new one is on its way."),
)


@pytest.fixture
def pull(gateway: SalesforceGateway) -> Callable[[], Pulled]:
    return lambda: pull_changed(gateway)


@pytest.fixture
def own_sources() -> None:
    """What an admin of the local org would name."""
    own = {"interval_seconds": 0}
    Source.objects.create(
        code="own-notes",
        name="Call notes",
        kind="object",
        sobject="Call_Note__c",
        case_field="Case__c",
        text_field="Words__c",
        time_field="Said_At__c",
        speaker_rule="field",
        speaker_field="Speaker__c",
        **own,
    )
    Source.objects.create(
        code="own-field",
        name="Call transcript",
        kind="case_field",
        text_field="Call_Transcript__c",
        speaker_rule="lines",
        **own,
    )


def told(case_id: str) -> list[tuple[str, str]]:
    turns = Transcript.objects.current().get(thread=case_id).turns
    return [(turn["speaker"], turn["text"]) for turn in turns]


def plain(text: str) -> list[str]:
    """Return the words without what writing and recognition make of them."""
    letters = "".join(mark if mark.isalnum() else " " for mark in text.casefold())
    return [word for word in letters.split() if word not in FILLERS]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_talk_of_every_channel_arrives_in_order_with_its_speakers(
    pull, org, own_sources, channel
):
    ids = org.load([Record(f"talk-{number}", TALK, channel, "") for number in range(3)])

    pull()

    wanted = [(one.speaker, plain(one.text)) for one in TALK]
    for case_id in ids:
        said = [(who, plain(text)) for who, text in told(case_id)]
        # The local org makes some calls long; what is said in between is small talk.
        assert [one for one in said if one in wanted or channel != "voice"] == wanted


NEW = "And another thing: the bill is wrong, too."


def chats_on(org, case_id):
    org.people.chat_on(case_id, [Said("customer", NEW)])


def notes(org, case_id):
    org.people.hear_more(case_id, [Said("customer", NEW)], "custom_object")


def posts(org, case_id):
    org.people.hear_more(case_id, [Said("customer", NEW)], "social")


def logs(org, case_id):
    org.people.hear_more(case_id, [Said("customer", NEW)], "call_log")


def calls(org, case_id):
    org.people.hear_more(case_id, [Said("customer", NEW)], "voice")


def attaches(org, case_id):
    org.people.attach(case_id, "Call", "txt", f"Customer: {NEW}\nAgent: I see.".encode())


def edits(org, case_id):
    org.people.edit_case(case_id, {"Call_Transcript__c": f"Kunde: {NEW}"})


@pytest.mark.parametrize("goes_on", [chats_on, notes, posts, logs, calls, attaches, edits])
def test_new_words_of_every_source_make_the_case_be_read_again(
    pull, org, own_sources, open_case, clock, goes_on
):
    case_id = open_case("Hello")
    pull()
    clock.go_on(minutes=11)

    goes_on(org, case_id)
    pulled = pull()

    assert pulled.transcripts_new == 1
    assert plain(NEW) in [plain(text) for who, text in told(case_id) if who == "customer"]


def test_a_slow_source_is_asked_at_its_own_pace_and_a_fast_one_each_time(
    pull, org, open_case, clock
):
    case_id = open_case("Hello")
    pull()
    clock.go_on(seconds=60)

    posts(org, case_id)
    org.people.customer_comments(case_id, "How long will it take, please?")
    pull()
    early = [text for _, text in told(case_id)]
    clock.go_on(minutes=5)
    org.people.edit_case(case_id, {"Priority": "Low"})
    pull()

    assert "How long will it take, please?" in early
    assert NEW in early  # the Case is read whole, whatever made it be read
    watermark = Watermark.objects.get(sobject="SocialPost")
    assert watermark.pulled_at >= clock.now - timedelta(seconds=5)


def test_a_post_alone_waits_for_its_sources_pause(pull, org, open_case, clock):
    case_id = open_case("Hello")
    pull()
    clock.go_on(seconds=30)
    pull()
    clock.go_on(minutes=3)
    posts(org, case_id)

    first = pull()
    clock.go_on(minutes=2)
    second = pull()

    assert (first.transcripts_new, second.transcripts_new) == (0, 1)


def test_a_call_is_read_when_it_has_ended(pull, org, open_case, clock):
    case_id = open_case("Hello")
    call_id = org.people.take_call(case_id, TALK)
    pull()
    during = told(case_id)
    clock.go_on(minutes=3)

    org.people.hang_up(call_id)
    pull()

    assert len(during) == 1
    assert len(told(case_id)) == 1 + len(TALK)


def test_a_file_that_is_replaced_is_read_in_its_latest_version(pull, org, open_case, clock):
    case_id = open_case("Hello")
    document = org.people.attach(case_id, "Call", "vtt", caption("the first version of it"))
    pull()
    before = told(case_id)
    clock.go_on(minutes=5)

    org.people.replace_file(document, caption("the second version of it"))
    pull()

    assert before[-1] == ("customer", "the first version of it")
    assert told(case_id)[-1] == ("customer", "the second version of it")
    assert len(told(case_id)) == len(before)


def caption(words: str) -> bytes:
    cue = "00:01.000 --> 00:09.000"
    text = f"WEBVTT\n\n{cue}\n<v Agent>Hello\n\n{cue}\n<v Customer>{words}"
    return text.encode("utf-16")


@pytest.mark.parametrize(
    ("extension", "content"),
    [
        ("txt", b"shopping list\nNote: milk"),
        ("json", b'{"a": [1, 2]}'),
        ("json", b"[" * 100_000),
        ("vtt", b"WEBVTT"),
        ("txt", b"\xff\xfe\x00"),
        ("txt", b""),
        ("png", b"\x89PNG Customer: hello\nAgent: hello"),
        ("txt", b"Customer: hello\nAgent: hello\n" * 200_000),
    ],
    ids=["list", "json", "deep", "empty-vtt", "bytes", "empty", "picture", "too-large"],
)
def test_a_file_that_is_no_transcript_is_left_alone(pull, org, open_case, extension, content):
    case_id = open_case("Hello there")
    org.people.attach(case_id, "File", extension, content)

    pulled = pull()

    assert (pulled.cases_read, pulled.unreadable) == (1, 0)
    assert len(told(case_id)) == 1


def test_words_of_three_sources_are_one_story_and_nothing_is_said_twice(
    pull, org, own_sources, open_case, clock
):
    case_id = open_case("My blue card does not work since Monday.", channel="email")
    clock.go_on(minutes=2)
    org.people.reply(case_id, "We will call you about your card.")
    clock.go_on(minutes=2)
    org.people.hear_more(case_id, TALK, "custom_object")
    lines = "\n".join(f"{one.speaker.title()}: {one.text}" for one in TALK)
    org.people.attach(case_id, "Call", "txt", lines.encode())
    org.people.edit_case(case_id, {"Call_Transcript__c": lines})
    clock.go_on(minutes=9)
    org.people.customer_emails(case_id, "Thank you, the new card is here.")

    pull()

    said = [text for _, text in told(case_id)]
    assert [said.count(one.text) for one in TALK] == [1, 1, 1, 1]
    assert said[0] == "Hello"
    assert "My blue card" in said[1]
    assert said[-1] == "Thank you, the new card is here."
    assert sum("We will call you" in text for text in said) == 1
    assert Transcript.objects.current().get(thread=case_id).moment == "replied"


def test_a_call_of_5000_words_with_its_noise_goes_round(pull, org, open_case):
    case_id = open_case("Hello")
    talk = [
        Said(
            "customer" if n % 2 else "representative",
            f"uh so um number {n} " + "the the card is " * 6,
        )
        for n in range(250)
    ]
    org.people.hear_more(case_id, talk, "voice")

    pull()

    turns = told(case_id)
    assert len(turns) == 1 + len(talk)
    assert sum(len(text.split()) for _, text in turns) > 5_000
    assert "number 249" in " ".join(plain_text(text) for _, text in turns)


def plain_text(text: str) -> str:
    return " ".join(plain(text))


@pytest.mark.parametrize("sobject", ["LiveChatTranscript", "VoiceCall", "SocialPost"])
def test_a_feature_that_an_org_never_had_is_quietly_off(pull, org, open_case, sobject):
    org.remove_sobject(sobject)
    case_id = open_case("Hello")

    pull()

    (off,) = Source.objects.filter(is_enabled=False)
    assert sobject in off.off_because
    assert not Notice.objects.filter(cleared_at=None).exists()
    assert told(case_id)


def test_calls_of_other_records_than_cases_are_passed_over(pull, org, open_case):
    case_id = open_case("Hello")
    org.people.hear_more(case_id, [Said("customer", NEW)], "call_log")
    task = next(iter(org.table("Task")))
    task["WhatId"] = org.founders.products[0]

    pull()

    assert set(CaseLink.objects.values_list("case_id", flat=True)) == {case_id}


def test_a_source_of_ones_own_whose_field_is_gone_goes_off_and_the_rest_goes_on(
    pull, org, open_case, own_sources
):
    Source.objects.filter(code="own-notes").update(text_field="Wrods__c")
    case_id = open_case("Hello")

    pull()

    assert "Wrods__c of Call_Note__c" in Source.objects.get(code="own-notes").off_because
    assert Notice.objects.filter(cleared_at=None, text__startswith="Call notes").exists()
    assert told(case_id)


def test_what_a_day_of_questions_costs(pull, org, open_case, clock):
    """One API call per object and question, and one for what was deleted."""
    open_case("Hello")
    pull()
    clock.go_on(minutes=20)
    pull()
    before = org.ledger.api_calls
    for _ in range(20):
        clock.go_on(seconds=30)
        pull()

    # 20 pulls of 30 s: four objects and the deleted ones each time, voice, call logs and files
    # five times, posts twice, chats once.
    assert org.ledger.api_calls - before <= 20 * 5 + 3 * 5 + 2 + 1
