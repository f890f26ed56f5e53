"""The watchman: works the line where nobody rings for it, and leaves it alone where somebody does."""

from datetime import timedelta
from math import inf

import pytest
from django.db import OperationalError
from django_celery_beat.models import PeriodicTask

from classifier import leases
from contactreason.celery import DECIDE, DELIVER, OPEN, PULL, RUNG
from contactreason.models import StationRun
from contactreason.watchman import PATIENCE, Watchman, overdue, stations

pytestmark = pytest.mark.django_db


class Line:
    """Stations that move a given number of rows, one number a run, and write down who ran."""

    def __init__(self, **rows):
        self.rows = rows
        self.ran = []

    def stations(self):
        names = {"pull": PULL, "rung": RUNG, "decide": DECIDE, "deliver": DELIVER, "open": OPEN}
        return {name: self._station(key) for key, name in names.items()}

    def _station(self, key):
        def run():
            self.ran.append(key)
            return self.rows.get(key, [0]).pop(0) if self.rows.get(key) else 0

        return run


@pytest.fixture
def all_ran_just_now():
    for name in (PULL, RUNG, DECIDE, DELIVER, OPEN):
        StationRun.note(name)


def watchman(line, *, broker, later=0.0):
    return Watchman(
        lambda: broker, lambda: leases.now() + timedelta(seconds=later), line.stations()
    )


@pytest.mark.usefixtures("all_ran_just_now")
def test_while_the_broker_brings_the_rings_it_runs_nothing():
    line = Line()

    assert watchman(line, broker=True).look() == 0

    assert line.ran == []


@pytest.mark.usefixtures("all_ran_just_now")
def test_a_station_that_nobody_rang_for_is_run_after_its_pace_and_some_patience():
    line = Line()
    pace = PeriodicTask.objects.get(task=DECIDE).schedule.run_every + PATIENCE

    watchman(line, broker=True, later=pace.total_seconds() - 1).look()
    assert line.ran == []

    watchman(line, broker=True, later=pace.total_seconds() + 1).look()
    assert sorted(line.ran) == ["decide", "deliver", "rung"], "the pull has a longer pace"


@pytest.mark.usefixtures("all_ran_just_now")
def test_without_a_broker_every_station_keeps_its_pace_to_the_second():
    line = Line()
    pace = PeriodicTask.objects.get(task=DELIVER).schedule.run_every.total_seconds()

    watchman(line, broker=False, later=pace + 1).look()

    assert sorted(line.ran) == ["decide", "deliver", "rung"]


def test_what_a_station_moved_on_is_taken_down_the_line_at_once():
    line = Line(pull=[3, 0], decide=[3, 0], deliver=[3, 0])

    moved = watchman(line, broker=False).look()

    assert moved == 9
    assert {name: line.ran.count(name) for name in ("pull", "decide", "deliver")} == {
        "pull": 1,
        "decide": 2,
        "deliver": 2,
    }, "Salesforce is asked at its pace; the trays are looked into until nothing waits"
    assert line.ran.index("rung", line.ran.index("pull")), "what was found is read on"


def test_a_station_that_never_ran_is_due():
    assert PULL in overdue([PULL, DECIDE], leases.now(), PATIENCE)


def test_a_station_taken_off_the_timetable_is_left_alone():
    PeriodicTask.objects.filter(task=PULL).update(enabled=False)

    assert PULL not in overdue([PULL, DECIDE], leases.now(), PATIENCE)


def test_it_knows_the_stations_of_the_timetable_but_not_what_takes_minutes():
    known = stations()

    assert {PULL, DECIDE, DELIVER, OPEN} <= set(known)
    assert not [name for name in known if name.endswith("run_errands")]


@pytest.mark.usefixtures("all_ran_just_now")
def test_a_run_of_a_task_is_noted_for_it():
    before = StationRun.objects.get(station=DECIDE).ran_at
    StationRun.objects.filter(station=DECIDE).update(ran_at=before - timedelta(minutes=5))

    run = stations()[DECIDE]
    run.noted_at = -inf  # an earlier test may have run it a moment ago

    run()

    assert StationRun.objects.get(station=DECIDE).ran_at >= before


def test_a_database_that_is_away_does_not_end_it():
    line = Line()
    asked = []

    def clock():
        asked.append(1)
        if len(asked) == 1:
            raise OperationalError("the server closed the connection")
        guard.is_over.set()
        return leases.now()

    guard = Watchman(lambda: False, clock, line.stations(), look_seconds=0)
    guard.watch()

    assert len(asked) > 1, "it looked again"
