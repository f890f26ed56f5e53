"""How much a door takes in: bytes of one request, and requests a minute."""

import time

from django.core.cache import cache
from django.http import HttpRequest

BODY_BYTES = 2_000_000
"""One hundred notifications with every field of a Case are a tenth of it."""
REQUESTS_PER_MINUTE = 6_000
"""Of one door, in one web process. Salesforce sends a busy org's Cases a hundred at a time."""
MINUTE_SECONDS = 60


class BodyTooLarge(Exception):
    """The body has more than ``BODY_BYTES``."""


def body_of(request: HttpRequest) -> bytes:
    """Return the body, not yet looked at.

    Raises:
        BodyTooLarge: what it says of itself is too much, or what it is; no more was read.
    """
    told = request.headers.get("Content-Length") or ""
    if told.isdigit() and int(told[:12]) > BODY_BYTES:
        raise BodyTooLarge
    body: bytes = request.read(BODY_BYTES + 1)
    if len(body) > BODY_BYTES:
        raise BodyTooLarge
    return body


def is_crowded(door: str) -> bool:
    """Count one more request at this door, and return whether it was one too many.

    Every door has a count of its own, apart from the API's, so that a flood at one leaves the
    others and the admin open.
    """
    key = f"door:{door}:{int(time.monotonic()) // MINUTE_SECONDS}"
    if cache.add(key, 1, 2 * MINUTE_SECONDS):
        return False
    return int(cache.incr(key)) > REQUESTS_PER_MINUTE
