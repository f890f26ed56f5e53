from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from sfsync.local_org.org import LocalOrg
from sfsync.pushing import Delivery, deliver_due
from sfsync.staging import stage_decisions
from tests.sfsync.pushing.conftest import AT_ONCE, Desk


def test_two_workers_at_once_write_every_case_once(org: LocalOrg, transactional_db: None):
    desk = Desk(org)
    links = [desk.decided_case("billing") for _ in range(60)]
    gateways = [desk.connect(), desk.connect()]

    def work(number: int) -> Delivery:
        total = Delivery()
        try:
            stage_decisions(limit=20)
            for _ in range(8):
                total += deliver_due(gateways[number], limit=15, pace=AT_ONCE)
                stage_decisions(limit=20)
        finally:
            connections.close_all()
        return total

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, range(2))

    assert (first + second).written == len(links)
    assert set(org.ledger.writes_by_case().values()) == {1}
