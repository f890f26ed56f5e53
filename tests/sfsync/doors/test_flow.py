"""A Flow asks why the customer wrote, writes it itself, and everybody knows that it was us."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import F
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from classifier.models import Category, Decision, Feedback, Transcript
from sfsync.hearing import hear_changes
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.models import CaseLink, Connection, FieldMapping, WriteBack
from sfsync.pulling import pull_changed
from sfsync.pushing import Delivery, deliver_due
from sfsync.staging import stage_decisions
from tests import factories as make
from tests.classifier.making import a_rule
from tests.sfsync.pushing.conftest import CODES, Desk

URL = "/api/v1/classify"
REASON = "Contact_Reason__c"
WORDS = "Where is my refund? I sent the shoes back."
SUBJECT = "Shoes"


@pytest.fixture(autouse=True)
def door(db):
    """Shut the other doors."""


@pytest.fixture
def org(clock):
    org = LocalOrg(clock)
    org.deploy_contact_reason(CODES)
    return org


@pytest.fixture
def desk(org):
    desk = Desk(org)
    a_rule("Refund", Category.objects.get(code="billing.refund"), "refund", strength=0.97)
    return desk


@pytest.fixture
def robot(db):
    def made(*permissions):
        user = User.objects.create_user("flow")
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
        return client

    return made


@pytest.fixture
def ask(robot):
    client = robot("view_category", "add_transcript")

    def asked(case_id=None, **given):
        told = given or {"subject": SUBJECT, "description": WORDS, "origin": "Web"}
        body = told if case_id is None else {"case_id": case_id, **told}
        answer = client.post(URL, body, format="json")
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return asked


@pytest.fixture
def case(desk, clock):
    """A Case that came in just now, and that we have not pulled."""
    case_id = desk.org.people.open_case(
        Record("case-1", (Said("customer", WORDS),), "web", SUBJECT)
    )
    clock.go_on(seconds=2)
    return case_id


def flow_writes(desk, clock, answer, by="automation"):
    """Do what the Flow does with an answer: in its own name, or in that of whom it runs for."""
    clock.go_on(seconds=2)
    fields = answer["case"]["case_fields"]
    if by == "automation":
        desk.org.people.automation_edits(answer["case"]["id"], fields)
    else:
        desk.org.people.edit_case(answer["case"]["id"], fields, by)
    clock.go_on(seconds=20)


def minutes_pass(clock, minutes=11):
    clock.go_on(minutes=minutes)
    span = timedelta(minutes=minutes)
    WriteBack.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - span)


def one_round(desk):
    """Pull, decide, write and hear, as the timetable does."""
    pulled = pull_changed(desk.gateway)
    stage_decisions()
    delivery = deliver_due(desk.gateway)
    return pulled.transcripts_new, delivery, hear_changes(desk.gateway)


def test_the_answer_tells_a_flow_what_to_write(ask, desk, case):
    told = ask(case)["case"]

    assert (told["id"], told["write"], told["why_not"]) == (case, True, "")
    assert (told["primary"], told["source"]) == ("billing.refund", "Rules")
    assert told["confidence"] == 97.0
    assert "“refund”" in told["evidence"]
    assert len(told["evidence"]) <= 255
    assert told["model"].startswith("rules ")
    assert told["case_fields"][REASON] == told["primary"]
    mapped = {row.field for row in FieldMapping.objects.active()}
    assert set(told["case_fields"]) <= mapped


def test_the_decision_stands_for_the_case_with_its_words(ask, desk, case):
    answer = ask(case)

    decision = Decision.objects.standing().get(thread=case)
    assert decision.category.code == answer["reasons"][0]["code"] == "billing.refund"
    assert [turn["text"] for turn in Transcript.objects.current().get(thread=case).turns] == [
        SUBJECT,
        WORDS,
    ]


@pytest.mark.parametrize("by", ["automation", "Ann Bell"])
def test_what_the_flow_wrote_is_ours_and_is_neither_written_again_nor_heard(
    ask, desk, case, clock, by
):
    flow_writes(desk, clock, ask(case), by)

    transcripts_new, delivery, heard = one_round(desk)
    minutes_pass(clock)
    later = one_round(desk)

    assert (transcripts_new, delivery, heard) == (0, Delivery(), 0)
    assert later == (0, Delivery(written=1), 0)  # found there, not sent
    assert desk.writes() == []
    assert not Feedback.objects.exists()
    link = CaseLink.objects.get(case_id=case)
    assert link.ceded_at is None
    assert link.delivered[REASON] == "billing.refund"


def test_where_the_flow_fails_we_write_it_some_minutes_later(ask, desk, case, clock):
    ask(case)
    before = one_round(desk)[1]

    minutes_pass(clock)
    delivery = one_round(desk)[1]

    assert (before, delivery) == (Delivery(), Delivery(written=1))
    assert desk.org.row("Case", case)[REASON] == "billing.refund"


def test_a_person_who_then_says_otherwise_is_heard_and_keeps_the_case(ask, desk, case, clock):
    flow_writes(desk, clock, ask(case))

    desk.org.people.edit_case(case, {REASON: "delivery.late"}, "Ann Bell")
    clock.go_on(seconds=20)
    heard = one_round(desk)[2]

    assert heard == 1
    assert Feedback.objects.get().said_value == "delivery.late"
    assert Decision.objects.standing().get(thread=case).source == "person"
    assert desk.org.row("Case", case)[REASON] == "delivery.late"


def test_a_person_who_returns_to_our_value_from_their_own_has_said_something(
    ask, desk, case, clock
):
    flow_writes(desk, clock, ask(case))
    for value in ("delivery.late", "billing.refund"):
        desk.org.people.edit_case(case, {REASON: value}, "Ann Bell")
        clock.go_on(seconds=20)

    one_round(desk)

    assert set(Feedback.objects.values_list("said_value", flat=True)) == {
        "delivery.late",
        "billing.refund",
    }


def test_where_the_flow_failed_a_person_who_changes_their_mind_is_heard_twice(
    ask, desk, case, clock
):
    ask(case)
    for value in ("delivery.late", "billing.refund"):
        desk.org.people.edit_case(case, {REASON: value}, "Ann Bell")
        clock.go_on(seconds=20)

    assert one_round(desk)[2] == 2


def test_who_empties_the_field_and_chooses_our_value_again_has_said_something(
    ask, desk, case, clock
):
    flow_writes(desk, clock, ask(case))
    one_round(desk)
    for value in (None, "billing.refund"):
        desk.org.people.edit_case(case, {REASON: value}, "Ann Bell")
        clock.go_on(seconds=20)

    heard = one_round(desk)[2]

    assert heard == 2
    assert CaseLink.objects.get(case_id=case).ceded_at is not None


def test_a_flow_that_asks_twice_is_told_the_same_and_nothing_is_doubled(ask, desk, case):
    first, second = ask(case), ask(case)

    assert first["case"] == second["case"]
    assert (WriteBack.objects.count(), Transcript.objects.count()) == (1, 1)


def test_after_it_was_written_a_flow_is_given_nothing_more(ask, desk, case, clock):
    flow_writes(desk, clock, ask(case))
    minutes_pass(clock)
    one_round(desk)

    told = ask(case)["case"]

    assert (told["write"], told["case_fields"], told["primary"]) == (False, {}, None)
    assert told["why_not"] == "It was written before."


def test_words_that_were_pulled_are_never_replaced_by_what_a_flow_tells(ask, desk, case):
    pull_changed(desk.gateway)
    (before,) = Transcript.objects.values_list("digest", flat=True)

    ask(case, text="Something shorter.")

    assert list(Transcript.objects.values_list("digest", flat=True)) == [before]


@pytest.mark.parametrize(
    ("obstacle", "sentence"),
    [
        ({"mode": "shadow"}, "Held back: shadow mode."),
        ({"paused_at": make.NOON}, "All writing is paused."),
        ({"scope_origins": ["Phone"]}, "Held back: outside the scope."),
    ],
)
def test_what_we_may_not_write_a_flow_is_not_given(ask, desk, case, obstacle, sentence):
    Connection.objects.update(**obstacle)

    told = ask(case)["case"]

    assert (told["write"], told["why_not"]) == (False, sentence)
    assert Decision.objects.standing().filter(thread=case).exists()


def test_in_suggest_mode_a_flow_is_given_the_suggestion_alone(ask, desk, case):
    desk.mode("suggest")

    told = ask(case)["case"]

    assert (told["suggestion"], told["primary"], told["source"]) == (
        "billing.refund",
        None,
        None,
    )


def test_where_a_person_must_look_the_answer_names_no_reason(ask, desk, case):
    answer = ask(case, subject="", description="Hello there.")

    assert answer["abstained"]
    assert (answer["case"]["primary"], answer["case"]["source"]) == (None, "Needs review")


def test_without_a_case_nothing_is_stored(ask, desk):
    answer = ask()

    assert (answer["case"], answer["reasons"][0]["code"]) == (None, "billing.refund")
    assert not Transcript.objects.exists()


def test_storing_needs_a_permission_of_its_own(robot, desk, case):
    answer = robot("view_category").post(URL, {"case_id": case, "text": WORDS}, format="json")

    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert not Transcript.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"case_id": "500"},
        {"case_id": "500000000000001"},
        {"case_id": "001000000000001AAA", "text": WORDS},
        {"text": WORDS, "subject": "x"},
        {"text": WORDS, "case_id": "500000000000001", "explain": True},
    ],
)
def test_a_request_that_is_not_right_stores_nothing(robot, desk, body):
    client = robot("view_category", "add_transcript")

    assert client.post(URL, body, format="json").status_code == 400
    assert not CaseLink.objects.exists()


def test_a_case_of_a_queue_that_is_not_theirs_is_not_told(robot, desk, case):
    pull_changed(desk.gateway)
    Transcript.objects.update(queue="Loans")
    client = robot("view_category", "add_transcript")
    group = make.make_group()
    User.objects.get(username="flow").groups.add(group)
    make.make_remit(group=group, queues=["Cards"])

    answer = client.post(URL, {"case_id": case, "text": WORDS}, format="json")

    assert answer.status_code == 403
