import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from classifier import leases
from sfsync.models import Alarm, Notice
from tests import factories as make
from tests.sfsync.admin.test_pages import run_action

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client):
    user = make.make_user("sfsync.view_notice", "sfsync.change_notice", username="ada")
    client.force_login(user)
    return client


def page_of(client, notice):
    address = reverse("admin:sfsync_notice_change", args=[notice.pk])
    return client.get(address).content.decode()


def list_of(client, **asked):
    return client.get(reverse("admin:sfsync_notice_changelist"), asked).content.decode()


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("acknowledge", "acknowledged"),
        ("silence_hour", "silenced for one hour"),
        ("silence_day", "silenced for one day"),
        ("silence_cleared", "silenced until the cause is gone"),
    ],
)
def test_an_alarm_is_kept_quiet_by_a_person_whom_the_page_names(lead, action, words):
    notice = make.make_notice()

    answer = run_action(lead, "notice", action, notice)

    assert f"One open notice is {words}" in answer.content.decode()
    assert "by ada" in page_of(lead, notice)
    (entry,) = LogEntry.objects.all()
    assert entry.user.username == "ada"


def test_one_click_on_its_own_page_does_the_same(lead):
    notice = make.make_notice()
    assert "Acknowledge: I look after it" in page_of(lead, notice)

    lead.post(reverse("admin:sfsync_notice_hear", args=[notice.pk, "silence_hour"]))

    notice.refresh_from_db()
    assert 3590 < (notice.silenced_until - leases.now()).total_seconds() <= 3600
    assert "Let it ring again" in page_of(lead, notice)
    lead.post(reverse("admin:sfsync_notice_hear", args=[notice.pk, "ring_again"]))
    notice.refresh_from_db()
    assert (notice.silenced_at, notice.silenced_by) == (None, "")


def test_nothing_is_done_by_a_link_or_by_a_word_that_is_none(lead):
    notice = make.make_notice()

    assert lead.get(_hear(notice, "acknowledge")).status_code == 405
    assert lead.post(_hear(notice, "delete")).status_code == 404
    assert lead.post(_hear(notice, "get_queryset")).status_code == 404


def test_who_may_only_look_sees_no_way_to_silence(client):
    client.force_login(make.make_user("sfsync.view_notice"))
    notice = make.make_notice()

    assert "Acknowledge" not in page_of(client, notice)
    assert client.post(_hear(notice, "acknowledge")).status_code == 403
    run_action(client, "notice", "acknowledge", notice)
    assert Notice.objects.get().acknowledged_at is None


def test_the_page_tells_what_went_out_and_what_did_not(lead):
    notice = make.make_notice()
    Alarm.objects.create(
        notice=notice, kind="raised", channel="email", made_at=make.NOON,
        ended_at=make.NOON, outcome="sent",
    )  # fmt: skip
    Alarm.objects.create(
        notice=notice, kind="raised", channel="webhook", made_at=make.NOON,
        due_at=make.NOON, trouble="the receiver answered 503",
    )  # fmt: skip

    shown = page_of(lead, notice)

    assert "the receiver answered 503" in shown
    assert "will be tried again" in shown
    assert "1 told" in shown


@pytest.mark.parametrize(
    ("asked", "told"),
    [("ringing", "It rings."), ("acknowledged", "Ada looks."), ("silenced", "It sleeps.")],
)
def test_alarms_are_found_by_how_they_stand(lead, asked, told):
    at = leases.now()
    make.make_notice(text="It rings.")
    make.make_notice(text="Ada looks.", acknowledged_at=at)
    make.make_notice(text="It sleeps.", silenced_at=at)
    make.make_notice(text="It is only said.", level="info")

    shown = list_of(lead, alarm=asked)

    all_told = {"It rings.", "Ada looks.", "It sleeps.", "It is only said."}
    assert {one for one in all_told if one in shown} == {told}


def _hear(notice, word):
    return reverse("admin:sfsync_notice_hear", args=[notice.pk, word])
