"""A door with its secret, and the org that knocks at it."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from sfsync.local_org.envelope import Told, to_envelope
from sfsync.local_org.ids import new_id
from sfsync.models import Connection

SECRET = "s3cret-" * 6
ACTION = new_id("04k", 1)
ADDRESS = f"/doors/salesforce/outbound/{SECRET}/"
ORG = new_id("00D", 1)
_numbers = count(1)


def told(case_id: str, **fields: str) -> Told:
    """Return a notification with an id of its own."""
    return Told(new_id("04l", next(_numbers)), case_id, fields)


def case_ids(how_many: int) -> list[str]:
    return [new_id("500", number) for number in range(1, how_many + 1)]


@pytest.fixture(autouse=True)
def door(settings: Any, db: None) -> None:
    settings.OUTBOUND_SECRETS = [SECRET]
    Connection.objects.create(id=1, org_id=ORG)
    cache.clear()


@pytest.fixture
def knock(client: Client) -> Callable[..., HttpResponse]:
    """Send an Outbound Message; return what the door answers."""

    def knocked(
        *notifications: Told,
        address: str = ADDRESS,
        org_id: str = ORG,
        action_id: str = ACTION,
        session_id: str = "",
        body: bytes | None = None,
    ) -> HttpResponse:
        envelope = to_envelope(org_id, action_id, notifications, session_id=session_id)
        return client.post(
            address, envelope if body is None else body, content_type="text/xml; charset=utf-8"
        )

    return knocked
