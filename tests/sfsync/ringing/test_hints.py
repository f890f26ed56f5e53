"""A ring makes a Case be read soon; what comes of it is told."""

from datetime import timedelta

import pytest
from celery import Celery, current_app
from django.conf import settings
from django.db.models import F

from classifier import leases
from classifier.models import Transcript
from sfsync import tasks
from sfsync.local_org.ids import new_id
from sfsync.models import CaseLink, Doorbell
from sfsync.pulling import pull_changed, read_due
from sfsync.ringing import Ring, heed_rings, note_rings, prune_rings, ring_station

pytestmark = pytest.mark.django_db
Heard = Doorbell.Heard
OUTBOUND = Doorbell.Source.OUTBOUND
_numbers = iter(range(1, 10_000))


def ring(case_id, changed_at=None):
    note_rings(OUTBOUND, "00D", [Ring(f"04l-{next(_numbers)}", case_id, changed_at)])


def heard():
    return list(Doorbell.objects.order_by("id").values_list("heard", flat=True))


def time_passes(**span):
    """Let everything that we remember have happened so much earlier."""
    back = timedelta(**span)
    Doorbell.objects.update(received_at=F("received_at") - back)
    Doorbell.objects.filter(due_at__isnull=False).update(due_at=F("due_at") - back)
    CaseLink.objects.filter(news_at__isnull=False).update(news_at=F("news_at") - back)


def look(gateway):
    heed_rings()
    return read_due(gateway)


def test_a_ring_brings_a_new_case_before_any_poll(gateway, open_case):
    case_id = open_case("Where is my parcel?")

    ring(case_id)
    look(gateway)

    assert (
        Transcript.objects.current().get(thread=case_id).turns[-1]["text"]
        == "Where is my parcel?"
    )
    assert heard() == [Heard.HINT]


def test_reading_what_rang_asks_less_of_the_org_than_a_poll(gateway, open_case):
    pull_changed(gateway)
    case_id = open_case()

    ring(case_id)
    rung = look(gateway).api_calls

    assert 0 < rung < pull_changed(gateway).api_calls


def test_where_nothing_is_due_the_org_is_not_asked(gateway):
    assert look(gateway).api_calls == 0
    assert gateway.calls == 0


def test_a_ring_before_its_case_is_visible_waits_and_looks_again(
    gateway, org, clock, open_case
):
    org.faults.commit_delay = timedelta(seconds=40)
    case_id = open_case()
    ring(case_id)
    look(gateway)
    waits = heard()

    clock.go_on(seconds=60)
    time_passes(seconds=10)
    look(gateway)

    assert (waits, heard()) == ([""], [Heard.HINT])
    assert CaseLink.objects.get(case_id=case_id).gone_at is None


def test_after_five_more_looks_it_is_left_to_the_poll_and_the_case_is_forgotten(gateway):
    invented = new_id("500", 4711)
    ring(invented)
    look(gateway)

    for _ in range(5):
        waits = heard()
        time_passes(seconds=(Doorbell.objects.get().due_at - leases.now()).total_seconds() + 1)
        look(gateway)

    assert (waits, heard()) == ([""], [Heard.MISSED])
    assert not CaseLink.objects.filter(case_id=invented).exists()
    calls = gateway.calls
    look(gateway)
    assert gateway.calls == calls


def test_all_looks_lie_within_a_quarter_of_an_hour(gateway):
    ring(new_id("500", 4711))
    look(gateway)
    rung_at = Doorbell.objects.get().received_at

    spans = []
    while (due_at := Doorbell.objects.get().due_at) is not None:
        spans.append(due_at - rung_at)
        ahead = due_at - leases.now()
        time_passes(seconds=ahead.total_seconds() + 0.1)
        rung_at = Doorbell.objects.get().received_at
        look(gateway)

    assert len(spans) == 5
    assert spans == sorted(spans)
    assert spans[-1] <= timedelta(minutes=15)


def test_a_ring_that_tells_when_it_changed_waits_for_just_that(gateway, org, clock, open_case):
    case_id = open_case()
    pull_changed(gateway)
    seen = CaseLink.objects.get(case_id=case_id).modstamp

    ring(case_id, changed_at=seen)
    ring(case_id, changed_at=seen + timedelta(seconds=1))
    look(gateway)

    assert heard() == [Heard.EARLIER, ""]


def test_several_rings_of_one_change_are_all_answered_by_one_read(gateway, open_case):
    case_id = open_case()

    ring(case_id)
    ring(case_id)
    look(gateway)
    ring(case_id)
    look(gateway)

    assert heard() == [Heard.HINT, Heard.HINT, Heard.EARLIER]


def test_what_a_missed_ring_spoke_of_may_still_be_found_by_asking(gateway, clock, open_case):
    case_id = open_case()
    pull_changed(gateway)
    Doorbell.objects.create(
        source=OUTBOUND,
        notification_id="04l-lost",
        case_id=case_id,
        received_at=leases.now() - timedelta(minutes=20),
        heard=Heard.MISSED,
        heard_at=leases.now(),
    )

    clock.go_on(minutes=1)
    link = CaseLink.objects.filter(case_id=case_id)
    link.update(modstamp=F("modstamp") - timedelta(minutes=5), read_due_at=leases.now())
    look(gateway)

    assert heard() == [Heard.LATER]


def test_news_that_no_door_told_of_is_remembered_as_found_by_the_poll(
    gateway, clock, open_case
):
    ring(open_case())
    look(gateway)
    time_passes(minutes=20)
    Doorbell.objects.update(received_at=clock.now)  # the org's noon: doors are in use since

    unrung = open_case("Nobody rang for me.")
    pull_changed(gateway)

    found = CaseLink.objects.filter(found_unrung_at__isnull=False)
    assert [link.case_id for link in found] == [unrung]


def test_a_ring_that_comes_after_the_poll_still_belongs_to_what_it_found(
    gateway, clock, open_case
):
    ring(open_case())
    look(gateway)
    Doorbell.objects.update(received_at=clock.now)
    late = open_case("The poll was quicker.")
    pull_changed(gateway)
    before = CaseLink.objects.get(case_id=late).found_unrung_at

    ring(late)
    look(gateway)

    assert before is not None
    assert CaseLink.objects.get(case_id=late).found_unrung_at is None
    assert heard()[-1] == Heard.EARLIER


def test_while_no_door_is_in_use_the_poll_finds_everything_and_says_nothing(gateway, open_case):
    open_case()

    pull_changed(gateway)

    assert not CaseLink.objects.filter(found_unrung_at__isnull=False).exists()


def test_a_case_that_could_not_be_read_for_an_hour_is_left_to_the_poll(gateway, open_case):
    ring(open_case())
    heed_rings()
    time_passes(hours=2)

    heed_rings()

    assert heard() == [Heard.MISSED]
    read_due(gateway)
    assert heard() == [Heard.LATER]


def test_a_ring_that_nobody_heeded_for_hours_is_heeded_all_the_same(gateway, open_case):
    ring(open_case())
    time_passes(hours=2)

    look(gateway)

    assert heard() == [Heard.HINT]


def test_ids_are_kept_for_seven_days_and_no_longer(open_case):
    ring(open_case())
    time_passes(days=6, hours=23)
    kept = prune_rings()

    time_passes(hours=2)

    assert (kept, prune_rings(), Doorbell.objects.count()) == (0, 1, 0)


def test_a_broken_bell_is_no_reason_to_fail(caplog, tmp_path):
    ours = current_app._get_current_object()
    lonely = Celery("lonely", set_as_current=False)
    lonely.conf.update(
        broker_url=f"redis+socket://{tmp_path}/nobody.sock",
        broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        task_publish_retry=False,
    )
    lonely.set_current()
    try:
        ring_station()
    finally:
        ours.set_current()

    assert "hint=lost" in caplog.text


def test_the_station_takes_no_arguments_and_rings_for_what_is_left(open_case):
    assert tasks.read_rung_cases.name == "sfsync.tasks.read_rung_cases"
    assert tasks.prune_rings.run() == 0
