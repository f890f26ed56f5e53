import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from classifier import leases
from sfsync.models import CaseLink, WriteBack
from tests import factories as make
from tests.sfsync.admin.test_pages import run_action

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:sfsync_writeback_given_up")
AGAIN = reverse("admin:sfsync_writeback_again")


@pytest.fixture
def lead(client):
    rights = ("sfsync.view_writeback", "sfsync.change_writeback", "sfsync.view_caselink")
    client.force_login(
        make.make_user(*rights, "classifier.see_all_conversations", username="ada")
    )
    return client


def dead(code="FIELD_CUSTOM_VALIDATION_EXCEPTION", **fields):
    return make.make_write_back(
        outcome="dead", error_code=code, error_text="A region is needed.", **fields
    )


def shown(client, address=PAGE, **asked):
    return client.get(address, asked).content.decode()


def test_a_group_says_why_how_many_since_when_and_what_to_do(lead):
    rows = [dead() for _ in range(2)]

    page = shown(lead)

    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION: 2" in page
    assert "A validation rule of the org refuses" in page
    assert f"Case {rows[1].case_link}" in page


def test_an_empty_page_says_that_all_is_well(lead):
    page = shown(lead)

    assert "Nothing was given up" in page
    assert "Every Case could be read" in page


def test_many_groups_and_rows_ask_no_more_than_few(lead):
    def asked():
        with CaptureQueriesContext(connection) as captured:
            shown(lead)
        return len(captured)

    dead("A")
    few = asked()
    for number in range(9):
        dead(f"CODE_{number}")
        make.make_case_link(read_error=f"odd {number}")

    assert asked() == few


def test_the_list_of_write_backs_leads_to_what_was_given_up(lead):
    address = reverse("admin:sfsync_writeback_changelist")
    assert "given up: why" not in shown(lead, address)

    dead()

    assert "1 given up: why" in shown(lead, address)


def test_without_salesforce_the_dry_run_says_so_and_sending_is_still_offered(lead):
    dead("X")

    page = shown(lead, AGAIN, code="X")

    assert "It could not be tried out" in page
    assert "Send 1 again" in page


@pytest.mark.parametrize(
    ("chosen", "codes"),
    [({"code": "A"}, {"A"}), ({"all": "1"}, {"A", "B"}), ({}, set())],
)
def test_one_group_or_all_are_sent_again_by_a_person_who_is_remembered(lead, chosen, codes):
    for code in ("A", "A", "B"):
        dead(code)

    lead.post(AGAIN, {**chosen, "deed": "send"})

    again = WriteBack.objects.filter(outcome="", replayed_by="ada", replays=1)
    left = set(WriteBack.objects.dead_letters().values_list("error_code", flat=True))
    assert left == {"A", "B"} - codes
    assert again.count() == LogEntry.objects.count() == {0: 0, 1: 2, 2: 3}[len(codes)]


def test_one_alone_is_chosen_in_the_list_and_tried_out_first(lead):
    one, other = dead("A"), dead("A")

    page = run_action(lead, "writeback", "try_out", one).content.decode()

    assert "1 write-back was given up" in page
    assert f'name="pk" value="{one.pk}"' in page
    assert f'value="{other.pk}"' not in page
    assert WriteBack.objects.dead_letters().count() == 2


def test_closing_needs_a_note_and_keeps_who_wrote_it(lead):
    row = dead("A")
    lead.post(AGAIN, {"code": "A", "deed": "close", "note": " "})
    assert WriteBack.objects.dead_letters().count() == 1

    lead.post(AGAIN, {"code": "A", "deed": "close", "note": "A test Case."})

    row.refresh_from_db()
    assert (row.closed_by, row.closed_note) == ("ada", "A test Case.")
    change = reverse("admin:sfsync_writeback_change", args=[row.pk])
    assert "A test Case." in shown(lead, change)


def test_cases_that_cannot_be_read_are_read_again_by_one_click(lead):
    make.make_case_link(read_error="odd", read_due_at=None)
    assert "odd" in shown(lead)

    lead.post(reverse("admin:sfsync_writeback_read_again"), {"because": "odd"})

    assert CaseLink.objects.due(leases.now()).count() == 1


def test_who_may_only_look_sees_the_reasons_and_can_send_nothing(client):
    client.force_login(
        make.make_user("sfsync.view_writeback", "classifier.see_all_conversations")
    )
    dead("A")

    assert "Try out" not in shown(client)
    assert client.get(AGAIN, {"code": "A"}).status_code == 403
    assert client.post(AGAIN, {"code": "A", "deed": "send"}).status_code == 403
    assert WriteBack.objects.dead_letters().count() == 1


def test_somebody_without_a_right_sees_nothing(client):
    client.force_login(make.make_user())

    assert client.get(PAGE).status_code == 403


def test_a_group_of_another_team_is_neither_seen_nor_sent(client):
    user = make.make_user("sfsync.view_writeback", "sfsync.change_writeback")
    group = make.make_group()
    make.make_remit(group=group, queues=["Mine"])
    user.groups.add(group)
    client.force_login(user)
    row = dead("A")
    CaseLink.objects.filter(pk=row.case_link_id).update(queue="Theirs")

    assert "Nothing was given up" in shown(client)
    client.post(AGAIN, {"all": "1", "deed": "send"})
    assert WriteBack.objects.dead_letters().count() == 1
