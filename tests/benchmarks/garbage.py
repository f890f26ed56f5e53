"""Requests that nobody should send to a door, each with the answer that is right."""

import json
import random
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook

from sfsync.local_org.envelope import Told, to_envelope
from sfsync.local_org.ids import new_id

SECRET = "bench-" * 6
WEBHOOK_SECRET, FOREIGN = (
    "whsec_" + b64encode(word * 8).decode() for word in (b"ours", b"evil")
)
ORG = new_id("00D", 1)
OUTBOUND = f"/doors/salesforce/outbound/{SECRET}/"
WEBHOOK = "/doors/webhook"
XML, JSON = "text/xml; charset=utf-8", "application/json"
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><x>&c;</x>'
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
DEEP = b"<a>" * 200_000
HUGE_BYTES = 2_100_000
SELDOM = 200
"""One request in so many is huge."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """One request."""

    what: str
    status: int
    """What it must be answered with."""
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


def garbage(dice: random.Random) -> Iterator[Garbage]:
    """Yield garbage for both doors, for ever; the same dice give the same requests."""
    kinds = [
        *(_random_bytes, _truncated, _wrong_org, _wrong_secret, _bomb, _got, _zipped),
        *(_unsigned, _wrongly_signed, _too_old, _signed_rubbish, _no_json),
    ]
    while True:
        yield _huge(dice) if dice.randrange(SELDOM) == 0 else dice.choice(kinds)(dice)


def envelope(dice: random.Random, notifications: int, org_id: str = ORG) -> bytes:
    """Return a right Outbound Message about Cases drawn by lot."""
    told = [
        Told(
            new_id("04l", dice.randrange(10**14)),
            new_id("500", dice.randrange(10**14)),
            {"Status": "New", "SystemModstamp": "2026-11-21T12:00:00.000Z"},
        )
        for _ in range(notifications)
    ]
    return to_envelope(org_id, new_id("04k", 1), told)


def _outbound(what: str, status: int, body: bytes, **more: object) -> Garbage:
    return Garbage(what, status, OUTBOUND, body, {"Content-Type": XML}, **more)  # type: ignore[arg-type]


def _random_bytes(dice: random.Random) -> Garbage:
    return _outbound("random bytes", 400, dice.randbytes(dice.randrange(4000)))


def _truncated(dice: random.Random) -> Garbage:
    body = envelope(dice, 3).rstrip()
    return _outbound("cut XML", 400, body[: dice.randrange(len(body))])


def _wrong_org(dice: random.Random) -> Garbage:
    return _outbound("another org", 403, envelope(dice, 2, new_id("00D", 2)))


def _wrong_secret(dice: random.Random) -> Garbage:
    path = OUTBOUND.replace("bench", f"{dice.getrandbits(64):x}")
    return Garbage("wrong address", 404, path, envelope(dice, 2), {"Content-Type": XML})


def _bomb(dice: random.Random) -> Garbage:
    return _outbound("XML bomb", 400, dice.choice([BOMB, OUTSIDE, DEEP]))


def _got(dice: random.Random) -> Garbage:
    return Garbage("GET", 405, OUTBOUND, b"", method="GET")


def _zipped(dice: random.Random) -> Garbage:
    headers = {"Content-Type": XML, "Content-Encoding": "gzip"}
    return Garbage("compressed", 415, OUTBOUND, dice.randbytes(100), headers)


def _huge(dice: random.Random) -> Garbage:
    path, kind = dice.choice([(OUTBOUND, XML), (WEBHOOK, JSON)])
    return Garbage("huge", 413, path, b"x" * HUGE_BYTES, {"Content-Type": kind})


def _unsigned(dice: random.Random) -> Garbage:
    return Garbage("no signature", 401, WEBHOOK, _cases(dice), {"Content-Type": JSON})


def _wrongly_signed(dice: random.Random) -> Garbage:
    return _signed("wrong signature", 401, dice, _cases(dice), FOREIGN)


def _too_old(dice: random.Random) -> Garbage:
    at = datetime.now(UTC) - timedelta(minutes=dice.randrange(6, 10_000))
    return _signed("old signature", 401, dice, _cases(dice), at=at)


def _signed_rubbish(dice: random.Random) -> Garbage:
    body = dice.choice([b"[", b"{}", b"null", b'{"case_ids": [1]}', b"[" * 5000])
    return _signed("signed rubbish", 400, dice, body)


def _no_json(dice: random.Random) -> Garbage:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Garbage("another type", 415, WEBHOOK, dice.randbytes(50), headers)


def _cases(dice: random.Random) -> bytes:
    return json.dumps({"case_ids": [new_id("500", dice.randrange(10**9))]}).encode()


def _signed(
    what: str,
    status: int,
    dice: random.Random,
    body: bytes,
    secret: str = WEBHOOK_SECRET,
    at: datetime | None = None,
) -> Garbage:
    moment, number = at or datetime.now(UTC), f"msg_{dice.getrandbits(64):x}"
    headers = {
        "Content-Type": JSON,
        "webhook-id": number,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(number, moment, body.decode()),
    }
    return Garbage(what, status, WEBHOOK, body, headers)
