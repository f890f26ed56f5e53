"""Web chats of the old kind: one row of HTML per chat, as its product wrote it.

The shape is that of a recorded transcript: centred paragraphs for what happened, and turns
of the form ``( 1m 13s ) Ann B: text<br>``, at times with a time alone at the end.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sfsync.local_org.drafts import Draft
from sfsync.local_org.founding import REPRESENTATIVES
from sfsync.local_org.records import Said

VISITOR = "Visitor"
CHATBOT = "Chatbot"
_WAIT = timedelta(seconds=5)
"""From the visitor's request to the first word."""
_SHARE_OLD_MARKUP = 0.3
_SHARE_TRANSFERRED = 0.3
_SHARE_DANGLING = 0.6
_SHARE_WITH_FILE = 0.15
_AGENT = re.compile(r'align="center">Agent ([^<]+)<')
_DANGLING = re.compile(r"\( (?:\d+h )?(?:\d+m )?\d+s \)\Z")


@dataclass(frozen=True, slots=True)
class Transcript:
    """How one chat is written down."""

    tag: str
    """``p`` or ``div``: both are seen in real transcripts."""

    def centred(self, text: str) -> str:
        return f'<{self.tag} align="center">{escaped(text)}</{self.tag}>'


def as_chat(draft: Draft, turns: Sequence[Said]) -> None:
    """Hang one LiveChatTranscript on the Case, ended, with all turns in its Body."""
    dice = draft.dice
    last = draft.at(max(0, len(turns) - 1))
    ended = last + _WAIT
    owner = draft.writer_of("representative")
    speakers = _cast(draft, turns)
    draft.add(
        "LiveChatTranscript",
        ended,
        draft.org.founders.automation,
        Name=f"{dice.randrange(10**8):08d}",
        OwnerId=owner,
        ChatKey=draft.uuid(),
        Body=_body(draft, turns, speakers),
        Status="Completed",
        RequestTime=draft.at(0),
        StartTime=draft.at(0),
        EndTime=ended,
        ChatDuration=int((ended - draft.at(0)).total_seconds()),
        WaitTime=int(_WAIT.total_seconds()),
        EndedBy=dice.choice(("Visitor", "Agent")),
        Browser="Firefox",
    )


def goes_on(body: str, name: str, text: str, offset: timedelta) -> str:
    """Return a Body with one more turn; a time alone at its end gives way to it."""
    return _DANGLING.sub("", body) + said(name, text, offset)


def agent_of(body: str) -> str:
    """Return who answers at the end of a Body, as its last ``Agent`` paragraph says."""
    named = _AGENT.findall(body)
    return html.unescape(named[-1]) if named else short_name(REPRESENTATIVES[0])


def said(name: str, text: str, offset: timedelta) -> str:
    """Return one turn as the Body holds it."""
    return f"{time_of(offset)} {escaped(name)}: {escaped(text)}<br>"


def time_of(offset: timedelta) -> str:
    """Return ``( 1h 2m 3s )``, without the parts that are nought in front."""
    hours, rest = divmod(int(offset.total_seconds()), 3_600)
    minutes, seconds = divmod(rest, 60)
    shown = [f"{hours}h"] if hours else []
    shown += [f"{minutes}m"] if hours or minutes else []
    return f"( {' '.join([*shown, f'{seconds}s'])} )"


def escaped(text: str) -> str:
    """Return text as the product escapes it: quotation marks by number."""
    return html.escape(text).replace("&#x27;", "&#39;")


def short_name(representative: str) -> str:
    """Return how a chat names a representative: first name and initial."""
    first, _, last = representative.partition(" ")
    return f"{first} {last[:1]}".strip()


def _cast(draft: Draft, turns: Sequence[Said]) -> list[str]:
    """Return who says each turn, as the chat names them; a transfer brings another in."""
    own = REPRESENTATIVES[draft.answered_by]
    other = REPRESENTATIVES[draft.answered_by - 1]
    answers = [number for number, turn in enumerate(turns) if turn.speaker == "representative"]
    changes_at = len(turns)
    if len(answers) > 1 and draft.dice.random() < _SHARE_TRANSFERRED:
        changes_at = draft.dice.choice(answers[1:])
    first = other if changes_at < len(turns) else own
    names = {"customer": VISITOR, "bot": CHATBOT}
    return [
        names.get(turn.speaker) or short_name(own if number >= changes_at else first)
        for number, turn in enumerate(turns)
    ]


def _body(draft: Draft, turns: Sequence[Said], speakers: Sequence[str]) -> str:
    dice = draft.dice
    shape = Transcript("div" if dice.random() < _SHARE_OLD_MARKUP else "p")
    body = [
        shape.centred(f"Chat Started: {_long_date(draft.at(0))}"),
        shape.centred("Chat Origin: Live Chat Button"),
    ]
    agents = [name for name in speakers if name != VISITOR]
    agent = agents[0] if agents else short_name(REPRESENTATIVES[draft.answered_by])
    body.append(shape.centred(f"Agent {agent}"))
    for number, (turn, name) in enumerate(zip(turns, speakers, strict=True)):
        if name not in {VISITOR, agent}:
            body.append(shape.centred(f"Chat Transferred From {agent} To {name}"))
            body.append(shape.centred(f"Agent {name}"))
            agent = name
        body.append(said(name, turn.text, draft.at(number) - draft.at(0) + _WAIT))
        if dice.random() < _SHARE_WITH_FILE / max(1, len(turns)):
            body.append(shape.centred("File transfer succeeded"))
    if dice.random() < _SHARE_DANGLING:
        body.append(time_of(draft.ended_at - draft.at(0) + 2 * _WAIT))
    return "".join(body)


def _long_date(moment: datetime) -> str:
    """Return the date as an English org writes it; others write it otherwise."""
    return f"{moment:%A, %B %d, %Y, %H:%M:%S} (+0000)"
