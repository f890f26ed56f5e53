"""Transcripts of the web chat that Salesforce retired in 2026, kept as HTML: history only."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

from classifier.engine.text import Speaker, Turn
from sfsync.case_rows import moment, text
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources import html_text, speakers
from sfsync.sources.source import Fetched, Row, Watched, rows_of

FIELDS = ("Id", "CaseId", "Body", "StartTime", "CreatedDate")
CENTRED = re.compile(r"""(?i)align\s{0,9}[=:]\s{0,9}["']?center""")
AGENT = re.compile(
    r"(?i)(?:agent|agente|mitarbeiter|conseiller|medewerker|客服)\s{1,9}(\S.{0,120})"
)
OFFSET = re.compile(
    r"\s{0,99}\(\s{0,9}(?=\d)(?:(\d{1,3})\s?h\s{0,9})?(?:(\d{1,3})\s?m\s{0,9})?(?:(\d{1,3})\s?s\s{0,9})?\)"
)
NAMED = re.compile(r"\s{0,99}([^:\n]{1,120}):(?:\s|$)")
PARAGRAPHS = {"p", "div", "center"}
WATCHED = Watched("LiveChatTranscript", "CaseId")


@dataclass(frozen=True, slots=True)
class ChatSource:
    """LiveChatTranscript: “Visitor” is the customer, whom a paragraph names “Agent …” is not."""

    code: str = "chat"
    name: str = "Chat transcripts (web chat until 2026)"
    watched: Watched = WATCHED
    is_common: bool = False
    text_fields: tuple[str, ...] = ("Body",)

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return {self.watched.sobject: FIELDS}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        return rows_of(gateway, self.watched, FIELDS, cases)

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return [SourcedTurn(turn, self.code, row["Id"]) for row in rows for turn in _turns(row)]


@dataclass(slots=True)
class _Said:
    """One entry of the body: who, how long after the start, and what, piece by piece."""

    name: str
    offset: timedelta
    words: list[str]


def _turns(row: Row) -> Iterator[Turn]:
    start = moment(row["StartTime"] or row["CreatedDate"])
    agents: set[str] = set()
    said: list[_Said] = []
    for is_centred, words in _pieces(text(row["Body"])):
        if is_centred:
            found = AGENT.match(words.strip())
            agents |= {found.group(1).strip().casefold()} if found else set()
        else:
            _add(said, words)
    cast = _cast({one.name for one in said}, agents)
    for one in said:
        if one.name in cast and (spoken := "\n".join(one.words).strip()):
            yield Turn(cast[one.name], spoken, start + one.offset)


def _pieces(html: str) -> Iterator[tuple[bool, str]]:
    """Yield (is a heading, text) of everything between two breaks."""
    heading, buffer = "", []
    for token in html_text.visible(html):
        if isinstance(token, str):
            buffer.append(unescape(token))
        elif token.name in html_text.BLOCKS:
            yield bool(heading), "".join(buffer)
            buffer = []
            if token.name in PARAGRAPHS and (not heading or heading == token.name):
                is_opening = not token.is_closing and (
                    token.name == "center" or token.matches(CENTRED)
                )
                heading = token.name if is_opening else ""
    yield bool(heading), "".join(buffer)


def _add(said: list[_Said], words: str) -> None:
    """Add what stands between two breaks: a new entry, or more of the last one."""
    offset = OFFSET.match(words)
    if offset is None:
        if said:
            said[-1].words.append(words)
        return
    hours, minutes, seconds = (int(number or 0) for number in offset.groups())
    rest = words[offset.end() :]
    named = NAMED.match(rest)
    if named is None:  # a dangling time, or a line that nobody said
        said.append(_Said("", timedelta(), []))
        return
    passed = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    said.append(_Said(named.group(1).strip(), passed, [rest[named.end() :]]))


def _cast(names: Iterable[str], agents: set[str]) -> dict[str, Speaker]:
    """Return name → speaker. A name that no heading tells is the visitor's own where none says
    “Visitor”: a form before the chat had asked for it. Beside one it is a colleague's.
    """
    cast: dict[str, Speaker] = {}
    for name in filter(None, names):
        speaker = speakers.known(name)
        if name.casefold() in agents and speaker is not Speaker.BOT:
            speaker = Speaker.REPRESENTATIVE
        if speaker is not None:
            cast[name] = speaker
    has_visitor = Speaker.CUSTOMER in cast.values()
    other = Speaker.REPRESENTATIVE if has_visitor or not agents else Speaker.CUSTOMER
    rest = [
        name for name in names if name and name not in cast and not speakers.is_nobody(name)
    ]
    return cast | dict.fromkeys(rest, other)
