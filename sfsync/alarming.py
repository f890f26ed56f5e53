"""Alarming: what rings is told outside, again and again, until somebody has heard it.

An outbox as for Salesforce: a row for each thing to tell and each way to tell it, leased, tried
again after growing waits. The network stands outside transactions. A worker that dies between
sending and writing that down sends once more: twice is better than never.
"""

import logging
import smtplib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Max, Q
from django.urls import reverse

from classifier import leases
from sfsync.models import Alarm, Notice
from sfsync.posting import NotPosted, Webhook

logger = logging.getLogger(__name__)

AT_ONCE = 20
PATIENCE = timedelta(days=1)
"""So long a message is tried; what still rings then is told by the reminders."""
LONGEST_WAIT_SECONDS = 3600.0
HOLDS_FOR = timedelta(seconds=45)
"""What passes sooner, between two looks, is told to nobody."""
UNSENT = "alarms-unsent"
Channel, Kind, Outcome = Alarm.Channel, Alarm.Kind, Alarm.Outcome
HEADS = {
    Kind.RAISED: "Alarm",
    Kind.REPEATED: "Still so",
    Kind.CLEARED: "All clear",
}


def tell(moment: datetime | None = None) -> int:
    """Stage what is to be told and send what is due; return how many messages were sent."""
    stage(moment or leases.now())
    return send_due()


def stage(moment: datetime) -> int:
    """Put what is to be told into the outbox; return how many messages are new.

    Doing it twice, or in two workers at once, adds nothing: a constraint keeps each once.
    """
    _drop_what_nobody_wants(moment)
    alarms = [
        Alarm(
            notice=notice,
            kind=kind,
            number=number,
            channel=channel,
            made_at=moment,
            due_at=moment,
        )
        for notice, kind, number, channel in _wanted(moment)
    ]
    Alarm.objects.bulk_create(alarms, ignore_conflicts=True)
    return len(alarms)


def send_due(*, limit: int = AT_ONCE) -> int:
    """Send up to ``limit`` due messages, each by its way, and return how many went out."""
    sent = 0
    for alarm in leases.take(Alarm.objects.due(leases.now()), limit=limit):
        if not _is_wanted(alarm, leases.now()):
            _end(alarm, Outcome.DROPPED)
            continue
        try:
            with leases.kept([alarm]):
                _send(alarm)
        except (NotPosted, smtplib.SMTPException, OSError) as error:
            _put_off(alarm, error)
        else:
            sent += _end(alarm, Outcome.SENT)
            Notice.clear(f"{UNSENT}:{alarm.channel}", leases.now())
    if sent:
        logger.info("alarms=sent count=%d", sent)
    return sent


def channels() -> list[Alarm.Channel]:
    """Return the ways by which the settings let people be told."""
    ways = {
        Channel.EMAIL: bool(settings.ALARM_EMAILS),
        Channel.WEBHOOK: bool(settings.ALARM_WEBHOOK_URL),
    }
    return [channel for channel, is_set in ways.items() if is_set]


def subject_of(alarm: Alarm) -> str:
    """Return the one line that an inbox shows."""
    level = alarm.notice.get_level_display()
    head = HEADS[Kind(alarm.kind)]
    return f"[Contact Reason] {head}" + ("" if alarm.kind == Kind.CLEARED else f": {level}")


def text_of(alarm: Alarm) -> str:
    """Return what is told: what happened, to what, what to do, and where."""
    notice = alarm.notice
    since = f"Since {notice.first_at:%d %b %Y, %H:%M} UTC."
    if alarm.kind == Kind.CLEARED and notice.cleared_at is not None:
        since = f"{since[:-1]}; over since {notice.cleared_at:%d %b %Y, %H:%M} UTC."
        return f"This is over, there is nothing left to do:\n{notice.text}\n{since}"
    return (
        f"{notice.text}\n{since} Acknowledge or silence it here, else it is told again in"
        f" {settings.ALARM_REPEAT_HOURS} hours:"
    )


def link_of(notice: Notice) -> str:
    """Return where the notice is looked at, acknowledged and silenced."""
    return f"{settings.SITE_URL}{reverse('admin:sfsync_notice_change', args=[notice.pk])}"


def _wanted(moment: datetime) -> Iterator[tuple[Notice, Alarm.Kind, int, Alarm.Channel]]:
    told = _told()
    silent = set(Notice.objects.silenced(moment).values_list("key", flat=True))
    ringing = Notice.objects.still_open().ringing()
    holding = ringing.filter(acknowledged_at=None, first_at__lte=moment - HOLDS_FOR)
    for notice in holding.exclude(key__in=silent):
        for channel in channels():
            last_at, rounds = told.get((notice.pk, channel), (None, 0))
            if last_at is None:
                yield notice, Kind.RAISED, 0, channel
            elif _is_time_again(notice, last_at, moment):
                yield notice, Kind.REPEATED, rounds, channel
    over = Notice.objects.filter(
        cleared_at__isnull=False, alarms__outcome=Outcome.SENT
    ).exclude(alarms__kind=Kind.CLEARED)
    for notice in over.distinct():
        for channel in channels():
            if (notice.pk, channel) in told:
                yield notice, Kind.CLEARED, 0, channel


def _told() -> dict[tuple[int, str], tuple[datetime, int]]:
    """Return notice and channel → when it was last told, and how often."""
    rows = (
        Alarm.objects.filter(Q(notice__cleared_at=None) | Q(outcome=Outcome.SENT))
        .exclude(outcome=Outcome.DROPPED)
        .order_by()
        .values_list("notice", "channel")
        .annotate(last=Max("made_at"), rounds=Max("number") + 1)
    )
    return {(notice, channel): (last, rounds) for notice, channel, last, rounds in rows}


def _is_time_again(notice: Notice, last_at: datetime, moment: datetime) -> bool:
    until = notice.silenced_until
    if until is not None and last_at < until <= moment:
        return True  # whoever silenced it for an hour wants to hear of it after that hour
    return moment - last_at >= timedelta(hours=settings.ALARM_REPEAT_HOURS)


def _drop_what_nobody_wants(moment: datetime) -> None:
    silent = Notice.objects.silenced(moment).values("key")
    unwanted = (
        Q(notice__cleared_at__isnull=False)
        | Q(notice__acknowledged_at__isnull=False)
        | Q(notice__key__in=silent)
    )
    waiting = Alarm.objects.filter(unwanted, ended_at=None).exclude(kind=Kind.CLEARED)
    Alarm.objects.filter(pk__in=list(waiting.values_list("pk", flat=True))).drop(moment)


def _is_wanted(alarm: Alarm, moment: datetime) -> bool:
    notice = alarm.notice
    if alarm.kind == Kind.CLEARED:
        return notice.cleared_at is not None
    return (
        notice.cleared_at is None
        and notice.acknowledged_at is None
        and not Notice.objects.silenced(moment).filter(key=notice.key).exists()
    )


def _send(alarm: Alarm) -> None:
    if alarm.channel == Channel.EMAIL:
        EmailMessage(
            subject_of(alarm),
            f"{text_of(alarm)}\n{link_of(alarm.notice)}\n",
            to=settings.ALARM_EMAILS,
            # The same message twice, after a crash, is one to most mail programs.
            headers={
                "Message-ID": f"<alarm-{alarm.pk}-{alarm.notice_id}@contact-reason>",
                "Auto-Submitted": "auto-generated",
            },
        ).send()
        return
    text = f"*{subject_of(alarm)}*\n{text_of(alarm)}"
    webhook = Webhook(settings.ALARM_WEBHOOK_URL, settings.ALARM_WEBHOOK_LOCAL)
    webhook.post(f"{_escaped(text)}\n<{link_of(alarm.notice)}|Open it>")


def _escaped(text: str) -> str:
    """Return text whose signs Slack does not take for links or mentions (its docs, "Escaping")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _put_off(alarm: Alarm, error: Exception) -> None:
    """Try again later, give up after a day; either way people see it in the admin."""
    moment = leases.now()
    trouble = str(error) if isinstance(error, NotPosted) else type(error).__name__
    logger.warning("alarm=unsent channel=%s cause=%s", alarm.channel, trouble)
    if moment - alarm.made_at >= PATIENCE:
        _end(alarm, Outcome.DEAD, trouble=trouble[:200])
    else:
        wait = min(LONGEST_WAIT_SECONDS, 10.0 * 2 ** min(alarm.attempts - 1, 10))
        due_at = moment + timedelta(seconds=wait)
        Alarm.objects.settle(alarm, due_at=due_at, trouble=trouble[:200])
    Notice.raise_for(
        f"{UNSENT}:{alarm.channel}",
        Notice.Level.WARNING,
        f"Alarms do not arrive by {Channel(alarm.channel).label}: {trouble}. Look at"
        f" {_variables_of(alarm.channel)} in the environment; it is tried again by itself.",
        moment,
    )


def _variables_of(channel: str) -> str:
    names: dict[str, Iterable[str]] = {
        Channel.EMAIL: ("EMAIL_URL", "DEFAULT_FROM_EMAIL", "ALARM_EMAILS"),
        Channel.WEBHOOK: ("ALARM_WEBHOOK_URL",),
    }
    return ", ".join(names[channel])


def _end(alarm: Alarm, outcome: Alarm.Outcome, **more: str) -> bool:
    return Alarm.objects.settle(
        alarm, ended_at=leases.now(), due_at=None, outcome=outcome, **more
    )
