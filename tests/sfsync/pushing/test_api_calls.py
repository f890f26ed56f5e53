"""What 1,000 new Cases cost in API calls, by the org's own count: pulled, decided, written."""

import pytest

from classifier import deciding
from classifier.models import Category
from sfsync.local_org.records import Record, Said
from sfsync.models import Source
from sfsync.pulling import pull_changed, read_due
from sfsync.pushing import deliver_due
from sfsync.staging import stage_decisions
from tests.classifier.making import a_rule

CASES = 1_000


@pytest.fixture(params=["guarded", "conditional"])
def line(request, desk):
    """A line that has run before: what is asked once, or once a minute, is known."""
    Source.objects.exclude(code="description").update(is_enabled=False)
    a_rule("refund", Category.objects.get(code="billing.refund"), "refund", is_certain=True)
    if request.param == "guarded":
        request.getfixturevalue("guarded")
    else:
        desk.decided_case("billing")
        desk.push()
    desk.clock.go_on(minutes=2)
    for _ in range(2):  # the second sees what the first wrote
        run(desk)
    return desk


def run(desk):
    """Let all stations work until nothing is due; return how many Cases were written."""
    written = 0
    desk.clock.go_on(seconds=31)  # the pace of the timetable
    is_partial = pull_changed(desk.gateway).is_partial
    while is_partial:  # as the table of rings has it
        is_partial = read_due(desk.gateway).is_partial
    while deciding.decide_waiting(limit=500).taken:
        pass
    while stage_decisions():
        pass
    while (delivery := deliver_due(desk.gateway)).moved_on:
        written += delivery.written
    return written


MOST = {"guarded": 10, "conditional": 45}
ECHO = 4
"""What we wrote has changed the Cases: they are looked at once more, and nothing follows."""


def test_a_thousand_cases_cost_few_calls(line, request):
    words = (Said("customer", "Where is my refund?"),)
    for number in range(CASES):
        line.org.people.open_case(Record(f"new-{number}", words, "web", "Refund"))
    before = line.org.ledger.calls.copy()

    assert run(line) == CASES

    spent = line.org.ledger.calls - before
    assert spent.total() <= MOST[request.node.callspec.params["line"]], spent
    before = line.org.ledger.calls.copy()
    assert run(line) == 0
    seen_again = line.org.ledger.calls - before
    assert seen_again.total() <= ECHO, seen_again
