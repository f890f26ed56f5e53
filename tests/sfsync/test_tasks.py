import inspect

import pytest
from django_celery_beat.models import PeriodicTask

from contactreason.celery import RINGS
from sfsync import gateway, tasks
from sfsync.local_org.org import LocalOrg
from tests.sfsync.pushing.conftest import Desk

STEPS = (tasks.step_backfills, tasks.reconcile)


@pytest.mark.parametrize("task", [tasks.pull_cases, tasks.deliver_write_backs, *STEPS])
def test_a_task_takes_no_arguments_and_is_acknowledged_late(task):
    assert not inspect.signature(task.run).parameters
    assert (task.acks_late, task.ignore_result) == (True, True)
    assert task.soft_time_limit < task.time_limit


def test_without_salesforce_settings_a_tick_moves_nothing_and_breaks_nothing(db):
    gateway.close()

    assert (tasks.pull_cases.run(), tasks.deliver_write_backs.run()) == (0, 0)


def test_decisions_are_staged_even_while_no_org_is_configured(db):
    gateway.close()
    desk = Desk(LocalOrg())
    desk.decided_case("billing")

    assert tasks.deliver_write_backs.run() == 1


def test_steps_of_the_past_are_in_the_timetable_and_ring_themselves_on_the_errands_queue(
    db, settings
):
    for task in STEPS:
        assert PeriodicTask.objects.filter(task=task.name, enabled=True).count() == 1
        assert task.name in RINGS[task.name]
        assert settings.CELERY_TASK_ROUTES[task.name] == {"queue": "errands"}


def test_without_settings_or_anything_asked_for_the_past_rests(db):
    gateway.close()

    assert [task.run() for task in STEPS] == [0, 0]
