"""Social networks: one post for each turn, the first in public."""

from collections.abc import Sequence

from sfsync.local_org.drafts import Draft, pieces
from sfsync.local_org.records import Said

LONGEST_POST = 10_000
PROVIDERS = ("Facebook", "Instagram", "Twitter")
DESK_HANDLE = "acme_support"


def as_posts(draft: Draft, turns: Sequence[Said]) -> None:
    """What the desk says goes out, what the customer says comes in."""
    provider = draft.dice.choice(PROVIDERS)
    handle = draft.customer.lower().replace(" ", "_")
    persona = draft.add_aside(
        "SocialPersona",
        draft.at(0),
        draft.org.founders.automation,
        Name=handle,
        RealName=draft.customer,
        Provider=provider,
    )
    later = draft.dice.choice(("Comment", "Direct"))
    for number, turn in enumerate(turns):
        for piece in pieces(turn.text, LONGEST_POST):
            kind = later if number else _first_kind(provider)
            _post(draft, Said(turn.speaker, piece), number, provider, kind, handle, persona)


def _first_kind(provider: str) -> str:
    return "Tweet" if provider == "Twitter" else "Post"


def _post(  # a post has so many parts
    draft: Draft, turn: Said, number: int, provider: str, kind: str, handle: str, persona: str
) -> None:
    is_outbound = turn.speaker != "customer"
    at = draft.at(number)
    writer = draft.writer_of(turn.speaker) if is_outbound else draft.org.founders.automation
    by = DESK_HANDLE if is_outbound else handle
    draft.add(
        "SocialPost",
        at,
        writer,
        Name=f"{kind} from: {by}",
        OwnerId=writer,
        PersonaId=None if is_outbound else persona,
        Content=turn.text or None,
        Handle=by,
        Provider=provider,
        MessageType=kind,
        IsOutbound=is_outbound,
        Posted=at,
        Status="SENT" if is_outbound else None,
        ExternalPostId=draft.uuid(),
        Language=draft.language or None,
    )
