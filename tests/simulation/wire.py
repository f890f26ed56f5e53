"""The network between a virtual process and the org: slow, and not to be relied upon."""

from typing import Any

import requests
from django.db import connections
from requests.adapters import BaseAdapter

from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.ledger import Write
from sfsync.local_org.org import LocalOrg
from sfsync.transport import READ_SECONDS
from tests.simulation.breaking import REASONS, broken
from tests.simulation.org_invariants import OrgInvariants
from tests.simulation.ports import Ports
from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import Faults

USUAL_SECONDS = (0.02, 0.3)
SLOW_SECONDS = (2.0, 45.0)


class Wire(BaseAdapter):
    """Carries requests to the org in process; a yield point before the org acts and after."""

    def __init__(
        self,
        org: LocalOrg,
        scheduler: Scheduler,
        faults: Faults,
        ports: Ports,
        watch: OrgInvariants,
    ) -> None:
        super().__init__()
        self._org = org
        self._door = InProcessDoor(org)
        self._scheduler = scheduler
        self._faults = faults
        self._ports = ports
        self._watch = watch

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        path = str(request.path_url).partition("?")[0].removeprefix("/services/")
        if connections["default"].in_atomic_block:
            raise broken("I19", f"{request.method} {path} was sent inside a transaction")
        there, back = self._seconds(), self._seconds()
        self._scheduler.pause(there)
        self._ports.may_die(f"before {request.method} {path}")
        if self._faults.strikes("refused"):
            self._scheduler.note(f"{request.method} {path}: refused")
            raise requests.ConnectionError("connection refused", request=request)
        if there > READ_SECONDS:
            raise requests.ReadTimeout("too slow, before the org acted", request=request)
        response = self._acted(request, path, options)
        self._scheduler.pause(back)
        self._ports.may_die(f"after {request.method} {path}")
        if there + back > READ_SECONDS:
            raise requests.ReadTimeout("too slow, after the org acted", request=request)
        if self._faults.strikes("lost"):
            self._scheduler.note(f"{request.method} {path}: the answer is lost")
            raise requests.ConnectionError("the answer is lost", request=request)
        return response

    def close(self) -> None:
        """Nothing to close."""

    def _seconds(self) -> float:
        span = SLOW_SECONDS if self._faults.strikes("slow") else USUAL_SECONDS
        return self._faults.dice.uniform(*span)

    def _acted(
        self, request: requests.PreparedRequest, path: str, options: dict[str, Any]
    ) -> requests.Response:
        """Let the org act; nobody runs meanwhile, as its transactions are atomic."""
        self._misbehave(str(request.method))
        before = len(self._org.ledger.writes)
        shown = {} if request.method == "GET" else self._watch.shown()
        response = self._door.send(request, **options)
        writes = self._org.ledger.writes[before:]
        self._scheduler.note(f"{request.method} {path}: {response.status_code}{_told(writes)}")
        self._watch.on_api_writes(writes, shown)
        if path.endswith("/composite/sobjects/Case"):
            self._watch.on_look(response.content)
        return response

    def _misbehave(self, method: str) -> None:
        faults, switches = self._faults, self._org.faults
        switches.locked = set()
        if method == "PATCH" and faults.strikes("row_locked"):
            cases = [str(row["Id"]) for row in self._org.table("Case")]
            switches.locked = set(faults.dice.sample(cases, (len(cases) + 1) // 2))
        if faults.strikes("expired"):
            self._org.tokens.revoke_all()
        small = faults.strikes("small_pages")
        switches.page_size = faults.dice.randint(1, 20) if small else None
        switches.outages = int(faults.strikes("outage"))
        switches.too_many_at_once = int(faults.strikes("busy"))
        if faults.strikes("spent"):
            switches.allowance_spent = faults.dice.randint(1, 4)
        if faults.are_over:
            switches.allowance_spent = 0


def _told(writes: list[Write]) -> str:
    return "".join(f"; {one.record_id} {one.fields.get(REASONS[0], '')!r}" for one in writes)
