"""Cases of an org with a clock of its own, which people change; and an ear for it."""

from collections.abc import Callable

import pytest

from sfsync.hearing import hear_changes
from sfsync.local_org.org import LocalOrg
from tests.sfsync.conftest import OrgClock
from tests.sfsync.pushing.conftest import CODES, Desk


@pytest.fixture
def org(clock: OrgClock) -> LocalOrg:
    org = LocalOrg(clock)
    org.deploy_contact_reason(CODES)
    return org


@pytest.fixture
def desk(org: LocalOrg, db: None) -> Desk:
    return Desk(org)


@pytest.fixture
def sets(desk: Desk, clock: OrgClock) -> Callable[..., None]:
    """Let a person change fields of a Case; a minute passes before."""

    def set_fields(case: object, by: str = "Ann Bell", **fields: object) -> None:
        clock.go_on(minutes=1)
        desk.org.people.edit_case(case.case_id, fields, by)  # type: ignore[attr-defined]
        clock.go_on(seconds=10)

    return set_fields


@pytest.fixture
def hear(desk: Desk) -> Callable[[], int]:
    return lambda: hear_changes(desk.gateway)
