"""Messages of a conversation, as the Connect API gives them: in no particular order.

Deviations: the order is shuffled by the conversation's identifier, so it is the same every
time; ``nextPageUrl`` carries a plain offset; bots' messages are given, though the vendor's
page says they are not, because the live answers that clients recorded are not of one mind.
A call that still goes on has no entries, which is told by 404: the page says "after the call
has ended" and not how it is refused.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from sfsync.local_org.errors import Refusal, not_found
from sfsync.local_org.state import ConversationEntry, OrgState

DEFAULT_LIMIT = 25
MOST_ENTRIES = 1_000
CALLS_PER_HOUR = 1_000


def entries(org: OrgState, identifier: str, asked: Mapping[str, str]) -> dict[str, object]:
    """Return one page of entries.

    Raises:
        Refusal: 404 for an unknown conversation, 400 for a wrong parameter, 503 beyond
            1,000 calls in an hour.
    """
    _count_call(org)
    found = org.entries.get(identifier)
    if found is None or _is_being_spoken(org, found):
        raise not_found()
    limit = _number(asked, "recordLimit", DEFAULT_LIMIT)
    if not 1 <= limit <= MOST_ENTRIES:
        raise Refusal(400, "INVALID_ARGUMENT", "recordLimit must be between 1 and 1000")
    start = _number(asked, "startTimestamp", 0)
    end = _number(asked, "endTimestamp", 1 << 62)
    chosen = sorted(
        (one for one in found if start <= _milliseconds(one.at) <= end),
        key=lambda one: one.at,
        reverse=asked.get("queryDirection", "FromEnd") == "FromEnd",
    )
    offset = _number(asked, "pageToken", 0)
    page = chosen[offset : offset + limit]
    Random(f"{identifier}{offset}").shuffle(page)
    rest = len(chosen) > offset + limit
    return {
        "conversationEntries": [_shaped(one) for one in page],
        "hasMore": rest,
        "nextPageUrl": _next_page(identifier, asked, offset + limit) if rest else None,
    }


def _is_being_spoken(org: OrgState, found: Sequence[ConversationEntry]) -> bool:
    calls = (org.table("VoiceCall").get(one.session_id) for one in found)
    return any(call is not None and call["CallEndDateTime"] is None for call in calls)


def _count_call(org: OrgState) -> None:
    now = org.now()
    recent = [at for at in org.connect_calls if at > now - timedelta(hours=1)]
    org.connect_calls[:] = recent
    if len(recent) >= CALLS_PER_HOUR:
        raise Refusal(503, "SERVICE_UNAVAILABLE", "Too many requests")
    org.connect_calls.append(now)


def _number(asked: Mapping[str, str], name: str, default: int) -> int:
    text = asked.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise Refusal(400, "INVALID_ARGUMENT", f"{name} is not a number: {text}")
    return int(text)


def _milliseconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)


def _shaped(entry: ConversationEntry) -> dict[str, object]:
    at = _milliseconds(entry.at)
    shaped: dict[str, object] = {
        "identifier": entry.identifier,
        "clientTimestamp": at,
        "serverReceivedTimestamp": at + 123,
        "sender": {"role": entry.role, "appType": "agent", "subject": entry.subject},
        "type": "Message" if entry.text is not None else "ParticipantChanged",
        "clientDuration": 0,
        "relatedRecords": [entry.session_id],
    }
    if entry.text is not None:
        shaped["messageText"] = entry.text
    return shaped


def _next_page(identifier: str, asked: Mapping[str, str], offset: int) -> str:
    kept = {name: value for name, value in asked.items() if name != "pageToken"}
    query = "&".join(f"{name}={value}" for name, value in kept.items())
    path = f"/services/data/v66.0/connect/conversation/{identifier}/entries"
    return f"{path}?{query}&pageToken={offset}".replace("?&", "?")
