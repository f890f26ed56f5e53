"""What rings is told by e-mail and webhook until somebody has heard it, and once it is over."""

from datetime import timedelta

import pytest
from django.core import mail

from classifier import leases
from sfsync import alarming
from sfsync.models import Alarm, Notice
from tests import factories as make

pytestmark = pytest.mark.django_db
WORDS = "Salesforce refused the login. Renew the token, then run check_salesforce."


def make_notice(**fields):
    """A notice that is old enough to be told."""
    at = leases.now() - timedelta(minutes=5)
    return make.make_notice(**{"first_at": at, "last_at": at, "text": WORDS, **fields})


def later(**span):
    return leases.now() + timedelta(**span)


def age(notice, **span):
    """Let everything told of a notice have happened so much earlier."""
    for alarm in notice.alarms.all():
        alarm.made_at -= timedelta(**span)
        alarm.save()


def test_what_stops_work_is_told_by_both_ways_with_what_to_do_and_a_link(told_outside):
    notice = make_notice()

    assert alarming.tell() == 2

    link = f"https://reasons.example.com/admin/sfsync/notice/{notice.pk}/change/"
    (message,) = mail.outbox
    (posted,) = told_outside.texts
    assert message.subject == "[Contact Reason] Alarm: stops work"
    assert message.to == ["ada@example.com"]
    for told in (message.body, posted):
        assert WORDS in told
        assert link in told
    assert set(notice.alarms.values_list("outcome", flat=True)) == {"sent"}


def test_it_is_told_once_however_often_we_look(told_outside):
    make_notice()

    for _ in range(3):
        alarming.tell()

    assert len(mail.outbox) == len(told_outside.posts) == 1


def test_two_workers_that_look_at_once_put_it_into_the_outbox_once(told_outside):
    make_notice()
    moment = leases.now()

    alarming.stage(moment)
    Alarm.objects.filter(channel="email").update(lease_token=None)
    alarming.stage(moment)

    assert Alarm.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"level": "warning"}, False),
        ({"level": "warning", "rings": True}, True),
        ({"level": "info"}, False),
        ({"cleared_at": make.NOON}, False),
    ],
)
def test_only_open_notices_that_ring_are_told(told_outside, fields, is_told):
    make_notice(**fields)

    alarming.tell()

    assert bool(told_outside.posts) is is_told


def test_what_passes_within_a_moment_is_told_to_nobody(told_outside):
    notice = make_notice(first_at=leases.now())

    assert alarming.tell() == 0
    Notice.clear(notice.key, leases.now())
    assert alarming.tell(later(minutes=2)) == 0


def test_it_is_told_again_after_some_hours_unless_somebody_has_heard_it(told_outside):
    notice = make_notice()
    alarming.tell()
    alarming.tell(later(hours=3, minutes=59))
    assert len(mail.outbox) == 1

    age(notice, hours=4)
    alarming.tell()
    age(notice, hours=4)
    alarming.tell()

    assert [message.subject for message in mail.outbox] == [
        "[Contact Reason] Alarm: stops work",
        "[Contact Reason] Still so: stops work",
        "[Contact Reason] Still so: stops work",
    ]


def test_an_acknowledged_alarm_is_quiet_until_all_is_clear(told_outside):
    notice = make_notice()
    alarming.tell()
    Notice.objects.acknowledge(by="ada", at=leases.now())
    age(notice, days=2)
    assert alarming.tell() == 0

    Notice.clear(notice.key, leases.now())
    alarming.tell()
    alarming.tell()

    assert [message.subject for message in mail.outbox][1:] == ["[Contact Reason] All clear"]
    assert "nothing left to do" in told_outside.texts[-1]


def test_what_was_never_told_needs_no_all_clear(told_outside):
    notice = make_notice()
    Notice.clear(notice.key, leases.now())

    assert alarming.tell() == 0


def test_a_silenced_alarm_is_told_again_when_the_silence_is_over(told_outside):
    notice = make_notice()
    alarming.tell()
    age(notice, minutes=61)
    at = leases.now() - timedelta(minutes=61)
    Notice.objects.silence(by="ada", at=at, until=at + timedelta(hours=2))
    assert alarming.tell() == 0

    Notice.objects.silence(by="ada", at=at, until=at + timedelta(hours=1))

    assert alarming.tell() == 2


def test_a_silence_for_a_day_outlasts_a_cause_that_comes_and_goes(told_outside):
    notice = make_notice(key="breaker")
    Notice.objects.silence(by="ada", at=leases.now(), until=later(days=1))
    Notice.clear(notice.key, leases.now())
    make_notice(key="breaker")

    assert alarming.tell() == 0


def test_a_silence_until_cleared_ends_with_its_cause(told_outside):
    notice = make_notice(key="breaker")
    Notice.objects.silence(by="ada", at=leases.now(), until=None)
    assert alarming.tell() == 0
    Notice.clear(notice.key, leases.now())
    make_notice(key="breaker")

    assert alarming.tell() == 2


def test_what_may_ring_again_rings_again(told_outside):
    make_notice()
    Notice.objects.silence(by="ada", at=leases.now(), until=None)
    Notice.objects.ring_again()

    assert alarming.tell() == 2


def test_a_receiver_that_is_down_is_tried_again_after_growing_waits(told_outside):
    notice = make_notice()
    told_outside.status = 503
    alarming.tell()
    (waiting,) = notice.alarms.filter(ended_at=None)
    first_wait = waiting.due_at - leases.now()
    assert waiting.trouble == "the receiver answered 503"

    Alarm.objects.filter(pk=waiting.pk).update(due_at=leases.now())
    alarming.tell()
    waiting.refresh_from_db()
    assert waiting.due_at - leases.now() > first_wait + timedelta(seconds=5)

    told_outside.status = 200
    Alarm.objects.filter(pk=waiting.pk).update(due_at=leases.now())
    assert alarming.tell() == 1
    assert len(mail.outbox) == 1


def test_a_way_that_does_not_work_is_told_in_the_admin_and_not_by_itself(told_outside):
    make_notice()
    told_outside.status = 404
    alarming.tell()

    unsent = Notice.objects.get(key="alarms-unsent:webhook")
    assert "the receiver answered 404. Look at ALARM_WEBHOOK_URL" in unsent.text
    assert not unsent.is_ringing
    Alarm.objects.update(due_at=leases.now(), ended_at=None, outcome="")
    told_outside.status = 200
    alarming.tell()
    assert Notice.objects.get(pk=unsent.pk).cleared_at


def test_a_message_is_given_up_after_a_day(told_outside):
    notice = make_notice()
    told_outside.status = 500
    alarming.tell()
    age(notice, days=1)
    Alarm.objects.filter(ended_at=None).update(due_at=leases.now())
    alarming.send_due()

    assert notice.alarms.get(channel="webhook").outcome == "dead"


def test_what_is_over_before_it_was_sent_is_not_sent(told_outside):
    notice = make_notice()
    alarming.stage(leases.now())
    Notice.clear(notice.key, leases.now())

    assert alarming.tell() == 0
    assert set(notice.alarms.values_list("outcome", flat=True)) == {"dropped"}


def test_a_row_that_another_worker_took_is_not_ended_by_us(told_outside):
    make_notice()
    alarming.stage(leases.now())
    (ours, *_) = leases.take(Alarm.objects.due(leases.now()), limit=1)
    Alarm.objects.filter(pk=ours.pk).update(epoch=ours.epoch + 1)

    assert not Alarm.objects.settle(
        ours, ended_at=leases.now(), due_at=None, outcome=Alarm.Outcome.SENT
    )


def test_nothing_is_staged_where_nobody_is_to_be_told(settings):
    settings.ALARM_EMAILS, settings.ALARM_WEBHOOK_URL = [], ""
    make_notice()

    assert alarming.tell() == 0
    assert not Alarm.objects.exists()


def test_signs_that_slack_takes_for_links_are_sent_as_words(told_outside):
    make_notice(text="<!channel> a & b")

    alarming.tell()

    assert "&lt;!channel&gt; a &amp; b" in told_outside.texts[0]


def test_mail_that_falls_into_a_folder_is_read_there(told_outside, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    notice = make_notice()

    alarming.tell()

    (file,) = tmp_path.iterdir()
    written = file.read_text()
    alarm = notice.alarms.get(channel="email")
    assert f"Message-ID: <alarm-{alarm.pk}-{notice.pk}@contact-reason>" in written
    assert "Auto-Submitted: auto-generated" in written
