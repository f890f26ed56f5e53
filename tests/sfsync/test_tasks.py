import inspect

import pytest

from sfsync import gateway, tasks
from sfsync.local_org.org import LocalOrg
from tests.sfsync.pushing.conftest import Desk


@pytest.mark.parametrize("task", [tasks.pull_cases, tasks.deliver_write_backs])
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
