"""What the door for Outbound Messages lets in, and what it keeps of it."""

import logging
import time
from xml.etree import ElementTree

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from sfsync.doors import limits
from sfsync.local_org.envelope import to_envelope
from sfsync.local_org.ids import new_id
from sfsync.models import CaseLink, Connection, Doorbell
from sfsync.ringing import heed_rings
from tests.sfsync.doors.conftest import ACTION, ADDRESS, ORG, SECRET, case_ids, told

OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
DEEP = b"<a>" * 200_000
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'


def nothing_was_written() -> bool:
    return not Doorbell.objects.exists() and not CaseLink.objects.exists()


def test_a_hundred_notifications_are_kept_and_acknowledged_at_once(knock):
    cases = case_ids(100)

    answer = knock(*(told(case_id) for case_id in cases))

    (ack,) = ElementTree.fromstring(answer.content).iter(f"{OUTBOUND}Ack")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert ack.text == "true"
    assert (
        ElementTree.fromstring(answer.content)[0][0].tag == f"{OUTBOUND}notificationsResponse"
    )
    assert set(Doorbell.objects.values_list("case_id", flat=True)) == set(cases)
    heed_rings()
    assert set(
        CaseLink.objects.filter(read_due_at__isnull=False).values_list("case_id", flat=True)
    ) == set(cases)


def test_a_notification_that_comes_again_in_another_order_changes_nothing(knock):
    first, second = (told(case_id) for case_id in case_ids(2))
    knock(first, second)
    heed_rings()
    CaseLink.objects.update(read_due_at=None)

    answer = knock(second, first)
    heed_rings()

    assert answer.status_code == 200
    assert Doorbell.objects.count() == 2
    assert not CaseLink.objects.filter(read_due_at__isnull=False).exists()


def test_the_number_of_queries_does_not_grow_with_the_notifications(knock):
    def queries(*notifications):
        with CaptureQueriesContext(connection) as caught:
            knock(*notifications)
        return len(caught)

    few = queries(*(told(case_id) for case_id in case_ids(2)))
    many = queries(*(told(case_id) for case_id in case_ids(100)))

    assert many - few < 5  # SQLite cuts long inserts into pieces


def test_an_e_mail_rings_for_its_case_and_what_has_no_case_is_only_acknowledged(knock):
    (case_id,) = case_ids(1)
    email, account = told(new_id("02s", 1), ParentId=case_id), told(new_id("001", 1))

    answer = knock(email, account)

    assert answer.status_code == 200
    assert [one.case_id for one in Doorbell.objects.all()] == [case_id]


def test_a_case_rings_for_itself_and_not_for_its_parent(knock):
    child, parent = case_ids(2)

    knock(told(child, ParentId=parent, SystemModstamp="2026-11-21T12:00:00.000Z"))

    (ring,) = Doorbell.objects.all()
    assert (ring.case_id, ring.changed_at.isoformat()) == (child, "2026-11-21T12:00:00+00:00")


def test_an_organisation_is_the_same_by_15_and_by_18_characters(knock, settings):
    settings.OUTBOUND_ORGANISATIONS = [ORG[:15]]
    settings.OUTBOUND_ACTIONS = [ACTION[:15]]

    assert knock(told(case_ids(1)[0])).status_code == 200
    assert knock(told(case_ids(2)[1][:15]), org_id=ORG[:15]).status_code == 200
    assert {one.case_id for one in Doorbell.objects.all()} == set(case_ids(2))


@pytest.mark.parametrize(
    "foreign", [{"org_id": new_id("00D", 2)}, {"action_id": new_id("04k", 2)}]
)
def test_another_organisation_or_action_is_refused_and_nothing_is_written(
    knock, settings, foreign
):
    settings.OUTBOUND_ACTIONS = [ACTION]

    answer = knock(told(case_ids(1)[0]), **foreign)

    assert answer.status_code == 403
    assert nothing_was_written()


def test_while_no_org_is_connected_nobody_is_let_in(knock):
    Connection.objects.update(org_id="")

    assert knock(told(case_ids(1)[0])).status_code == 403


@pytest.mark.parametrize("address", [ADDRESS.replace("s3", "s4"), ADDRESS.replace(SECRET, "x")])
def test_a_wrong_address_is_no_address(knock, address):
    assert knock(told(case_ids(1)[0]), address=address).status_code == 404
    assert nothing_was_written()


def test_without_a_secret_the_door_is_shut_and_with_two_both_open_it(knock, settings):
    settings.OUTBOUND_SECRETS = []
    shut = knock(told(case_ids(1)[0])).status_code

    settings.OUTBOUND_SECRETS = ["the-next-secret" * 3, SECRET]

    assert (shut, knock(told(case_ids(1)[0])).status_code) == (404, 200)


def test_the_session_id_is_never_kept_nor_logged(knock, caplog):
    canary = "00Dxx0000001gPL!canary.session.id"
    caplog.set_level(logging.DEBUG)

    answer = knock(told(case_ids(1)[0]), session_id=canary)

    rows = [list(model.objects.values()) for model in (Doorbell, CaseLink, Connection)]
    assert answer.status_code == 200
    assert "canary" not in repr(rows) + caplog.text + answer.content.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<a>",
        b"<a/>",
        b"\xff\xfe\x00\x01",
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="hex"?><a/>',
        b"<a>\x00</a>",
        b"<a b='1' b='2'/>",
        b"<x:a/>",
        BOMB,
        OUTSIDE,
        DEEP,
        b"<a " + b" ".join(b"b%d='c'" % number for number in range(100_000)) + b"/>",
        b"<a>" + b"<b/>" * 300_000 + b"</a>",
        b"<a>" + b"\n" * 1_900_000 + b"</a>",
        b"<a>" + b"&#10;" * 380_000 + b"</a>",
    ],
    ids=lambda body: body[:12].decode("latin-1"),
)
def test_what_is_no_outbound_message_is_refused_at_once_and_nothing_is_written(knock, body):
    started = time.process_time()
    answer = knock(body=body)
    seconds = time.process_time() - started

    assert answer.status_code == 400
    assert nothing_was_written()
    assert seconds < 2  # bench_doors prints the milliseconds


def test_a_right_message_with_a_document_type_is_refused(knock):
    body = to_envelope(ORG, ACTION, [told(case_ids(1)[0])])

    answer = knock(body=body.replace(b"?>", b"?><!DOCTYPE x>", 1))

    assert answer.status_code == 400
    assert nothing_was_written()


def test_101_notifications_are_none(knock):
    assert knock(*(told(case_id) for case_id in case_ids(101))).status_code == 400


def test_a_notification_without_a_right_id_spoils_the_whole_envelope(knock):
    good = told(case_ids(1)[0])

    assert knock(good, told("500not-an-id")).status_code == 400
    assert nothing_was_written()


def test_a_body_above_the_limit_is_refused_before_it_is_parsed(knock):
    assert knock(body=b"x" * (limits.BODY_BYTES + 1)).status_code == 413


def test_a_compressed_body_is_not_read(client):
    answer = client.post(
        ADDRESS, b"\x1f\x8b", content_type="text/xml", HTTP_CONTENT_ENCODING="gzip"
    )

    assert answer.status_code == 415


def test_asking_for_the_address_changes_nothing(client):
    answer = client.get(ADDRESS)

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_one_door_does_not_answer_more_than_its_rate(knock, settings):
    for _ in range(limits.REQUESTS_PER_MINUTE):
        limits.is_crowded("outbound")

    answer = knock(told(case_ids(1)[0]))

    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert not limits.is_crowded("webhook")


def test_while_the_database_refuses_salesforce_is_told_to_send_again(knock):
    def refuse(execute, sql, params, many, context):
        raise DatabaseError("the disk is full")

    with connection.execute_wrapper(refuse):
        answer = knock(told(case_ids(1)[0]))

    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


def test_where_the_commit_fails_nothing_is_acknowledged_and_nothing_half_kept(knock):
    def refuse(execute, sql, params, many, context):
        if "INSERT" in sql:
            raise DatabaseError("the connection is gone")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        answer = knock(told(case_ids(1)[0]))

    assert answer.status_code == 503
    assert nothing_was_written()
