"""The Source pages: switches, sources of one's own checked against the org, the live test."""

import html
from collections.abc import Iterator

import pytest
from django.urls import reverse

from classifier.models import Transcript
from classifier.models.remit import Remit
from sfsync import gateway as gateways
from sfsync.errors import LimitExceeded
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.records import Record, Said
from sfsync.local_org.state import Change
from sfsync.models import CaseLink, Source
from sfsync.pulling import pull_changed
from sfsync.sampling import sample_from
from sfsync.sources.voice import VoiceSource
from tests import factories as make

pytestmark = pytest.mark.django_db
LIST = "admin:sfsync_source_changelist"
NOTES = {
    "name": "Call notes",
    "kind": "object",
    "sobject": "Call_Note__c",
    "case_field": "Case__c",
    "text_field": "Words__c",
    "time_field": "Said_At__c",
    "speaker_rule": "field",
    "speaker_field": "Speaker__c",
    "customer_names": "",
    "interval_seconds": "120",
    "is_enabled": "on",
}


@pytest.fixture
def administrator(client):
    client.force_login(make.make_administrator())
    return client


@pytest.fixture
def served(org, settings, credentials, socket_enabled) -> Iterator[None]:
    """The settings lead to the local org, as the web process finds it."""
    settings.SALESFORCE_DOMAIN = credentials.domain
    settings.SALESFORCE_CLIENT_ID = credentials.client_id
    settings.SALESFORCE_USERNAME = credentials.username
    settings.SALESFORCE_PRIVATE_KEY = credentials.private_key
    with HttpDoor(org) as door:
        settings.SALESFORCE_LOCAL_ORIGIN = door.origin
        gateways.close()
        yield
    gateways.close()


def add(client, **fields):
    answer = client.post(reverse("admin:sfsync_source_add"), NOTES | fields, follow=True)
    return answer.content.decode()


def test_a_source_of_ones_own_is_added_checked_against_the_org(administrator, served, org):
    make.make_case_link()

    shown = add(administrator)

    source = Source.objects.get(kind="object")
    assert (source.code, source.sobject, source.is_enabled) == (
        "own-call-notes",
        "Call_Note__c",
        True,
    )
    assert "Read again with it: 1 open Case." in shown
    assert org.ledger.writes == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"text_field": "Word__c"}, "Call_Note__c has no field Word__c; it has Words__c"),
        ({"sobject": "Call_Noet__c"}, "does not have the object Call_Noet__c"),
        ({"case_field": "OwnerId_"}, "has no field OwnerId_"),
        ({"case_field": "Speaker__c"}, "Speaker__c is of type string, not a lookup"),
        ({"time_field": "Words__c"}, "Words__c is of type textarea, not a date and time"),
        ({"text_field": ""}, "Name the field that holds the words"),
        ({"sobject": "Call Note"}, "is no API name"),
        ({"speaker_field": ""}, "Name the field that says who speaks"),
        ({"speaker_rule": ""}, "Say who speaks"),
        ({"sobject": "Task", "case_field": "WhoId"}, "by its field WhatId"),
        ({"sobject": "Case", "case_field": "ParentId"}, "choose “a text field of Case”"),
        (
            {"kind": "case_field", "text_field": "Call_Transcrpt__c"},
            "it has Call_Transcript__c",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_name_is_told_with_what_would_be_right(administrator, served, fields, sentence):
    shown = html.unescape(add(administrator, **fields))

    assert sentence in shown
    assert not Source.objects.exclude(kind="built_in").exists()


def test_without_a_connection_a_source_is_saved_and_said_to_be_unchecked(administrator):
    gateways.close()

    shown = add(administrator)

    assert "not compared with the org" in shown
    assert Source.objects.filter(kind="object").exists()


def test_a_new_source_is_read_for_the_cases_that_are_open(
    administrator, served, org, open_case
):
    case_id = open_case("Hello")
    org.people.edit_case(case_id, {"Call_Transcript__c": "Caller: It is about the blue card."})
    gateway = gateways.open()
    pull_changed(gateway)
    CaseLink.objects.update(read_due_at=None)

    field = {"kind": "case_field", "text_field": "Call_Transcript__c", "time_field": ""}
    add(administrator, **field, speaker_rule="lines")
    pull_changed(gateway)

    turns = Transcript.objects.current().get(thread=case_id).turns
    assert "It is about the blue card." in [turn["text"] for turn in turns]


def test_switching_by_hand_and_back_clears_the_message_of_a_source(administrator):
    source = make.make_source(is_enabled=False, off_because="The org lacks it.")
    row = {"action": "switch_on", "_selected_action": [source.pk]}

    shown = administrator.post(reverse(LIST), row, follow=True).content.decode()

    source.refresh_from_db()
    assert (source.is_enabled, source.off_because) == (True, "")
    assert "1 source switched on" in shown
    administrator.post(reverse(LIST), {**row, "action": "switch_off"})
    source.refresh_from_db()
    assert (source.is_enabled, source.is_off_by_itself) == (False, False)


def test_only_own_sources_can_be_deleted(administrator):
    built_in = Source.objects.get(code="email")
    own = make.make_source(kind="case_field", text_field="Words__c")
    urls = [reverse("admin:sfsync_source_delete", args=[one.pk]) for one in (built_in, own)]

    answers = [administrator.post(url, {"post": "yes"}).status_code for url in urls]
    row = {"action": "delete_selected", "_selected_action": [built_in.pk], "post": "yes"}
    administrator.post(reverse(LIST), row)

    assert answers == [403, 302]
    assert Source.objects.filter(code="email").exists()
    assert not Source.objects.filter(pk=own.pk).exists()


def try_it(client, source=None, **fields):
    name = "admin:sfsync_source_try" if source else "admin:sfsync_source_try_new"
    url = reverse(name, args=[source.pk] if source else [])
    return client.post(url, NOTES | fields)


TALK = (
    Said("representative", "How can I help?"),
    Said("customer", "My card 4111 1111 1111 1111 is <b>broken</b>."),
)


@pytest.mark.parametrize(
    ("code", "channel"),
    [
        ("description", "web"),
        ("email", "email"),
        ("comment", "comments"),
        ("messaging", "messaging"),
        ("voice", "voice"),
        ("call_log", "call_log"),
        ("attachment", "attachment"),
        ("social", "social"),
        ("chat", "chat"),
    ],
)
def test_the_live_test_shows_the_last_cases_as_a_source_sees_them(
    administrator, served, org, open_case, code, channel
):
    ids = [open_case("Refund please", channel="web") for _ in range(2)]
    if code != "description":
        ids = [org.people.open_case(Record(f"r{n}", TALK, channel, "")) for n in range(7)]
    source = Source.objects.get(code=code)
    source.switch(is_enabled=False)
    before = org.ledger.api_calls

    shown = try_it(administrator, source).content.decode()

    numbers = [org.row("Case", case_id)["CaseNumber"] for case_id in ids]
    found = [number for number in numbers if f"Case {number}" in shown]
    assert len(found) == min(5, len(ids))
    assert "4111" not in shown
    assert "<b>broken" not in shown
    assert org.ledger.writes == []
    assert org.ledger.api_calls - before <= 40
    assert not Transcript.objects.exists()
    assert not CaseLink.objects.exists()


def test_the_live_test_takes_a_form_that_is_not_saved(administrator, served, org, open_case):
    case_id = open_case("Hello")
    org.people.hear_more(case_id, TALK, "custom_object")

    shown = try_it(administrator).content.decode()
    mistaken = try_it(administrator, text_field="Word__c").content.decode()

    assert "How can I help?" in shown
    assert "Representative" in shown
    assert "it has Words__c" in mistaken
    assert not Source.objects.exclude(kind="built_in").exists()


def test_the_live_test_says_why_nothing_can_be_read(administrator, served, org, open_case):
    source = Source.objects.get(code="voice")
    empty = try_it(administrator, source).content.decode()
    case_id = open_case("Hello")
    org.people.take_call(case_id, TALK)
    running = try_it(administrator, source).content.decode()
    org.access.hide(org.founders.integration, "VoiceCall", "CallEndDateTime")
    gateways.close()
    hidden = try_it(administrator, source).content.decode()
    org.remove_sobject("VoiceCall")
    gateways.close()
    missing = try_it(administrator, source).content.decode()
    org.faults.outages = 9
    away = try_it(administrator, source).content.decode()

    assert "No Case has words here" in empty
    assert "The call still runs" in running
    assert "may not read CallEndDateTime of VoiceCall" in hidden
    assert "no object VoiceCall" in missing
    assert "not available" in away


def test_the_live_test_finds_the_few_cases_that_have_words_in_a_field_of_case(
    administrator, served, org, open_case
):
    field = {"kind": "case_field", "text_field": "Call_Transcript__c", "time_field": ""}
    nobody = try_it(administrator, **field, speaker_rule="lines").content.decode()
    called = open_case("Hello")
    for number in range(60):
        org.people.open_case(Record(str(number), (Said("customer", f"Hello {number}"),), "web"))
    none = try_it(administrator, **field, speaker_rule="lines").content.decode()
    row = {"Call_Transcript__c": "Customer: It is about the blue card."}
    org.commit([Change("Case", called, row)], ())

    shown = try_it(administrator, **field, speaker_rule="lines").content.decode()

    assert "shows our user no Case" in nobody
    assert "Of the 61 Cases that changed last none has words in Call_Transcript__c" in none
    assert "It is about the blue card." in shown


def test_the_live_test_without_settings_says_so(administrator):
    gateways.close()

    shown = try_it(administrator, Source.objects.get(code="email")).content.decode()

    assert "SALESFORCE_CLIENT_ID" in shown


def test_the_live_test_ends_after_so_many_calls(served, org, open_case):
    case_id = open_case("Hello")
    for _ in range(12):
        org.people.hear_more(case_id, TALK, "voice")
    gateway = gateways.open()

    with pytest.raises(LimitExceeded, match="more API calls"), gateway.at_most(10):
        sample_from(gateway, VoiceSource())


def test_words_are_shown_only_to_who_may_see_every_conversation(client):
    source = Source.objects.get(code="email")
    person = make.make_user("sfsync.change_source", "sfsync.view_source")
    client.force_login(person)
    without_words = try_it(client, source).status_code
    person = make.make_user("sfsync.change_source", "classifier.view_transcript")
    group = make.make_group()
    Remit.objects.create(group=group, queues=["Billing"])
    person.groups.add(group)
    client.force_login(person)
    of_some_queues = try_it(client, source).status_code
    client.force_login(make.make_user("sfsync.view_source", "classifier.view_transcript"))
    only_looking = try_it(client, source).status_code

    assert (without_words, of_some_queues, only_looking) == (403, 403, 403)


def test_the_page_offers_the_live_test_to_who_may_make_it(administrator, client):
    url = reverse("admin:sfsync_source_change", args=[Source.objects.get(code="email").pk])
    offered = administrator.get(url).content.decode()
    client.force_login(make.make_user("sfsync.view_source"))

    assert "Test now" in offered
    assert "Test now" not in client.get(url).content.decode()
    assert client.post(reverse("admin:sfsync_source_add"), NOTES).status_code == 403
