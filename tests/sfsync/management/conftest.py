"""An org at a local address, and settings that lead there, as in the demo."""

from collections.abc import Iterator

import pytest

from sfsync import gateway
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.org import LocalOrg


@pytest.fixture
def connected(settings, socket_enabled) -> Iterator[LocalOrg]:
    org = LocalOrg()
    with HttpDoor(org) as door:
        settings.SALESFORCE_LOCAL_ORIGIN = door.origin
        settings.SALESFORCE_DOMAIN = "acme.my"
        settings.SALESFORCE_CLIENT_ID = org.app.client_id
        settings.SALESFORCE_CLIENT_SECRET = org.app.client_secret
        gateway.close()
        yield org
        gateway.close()
