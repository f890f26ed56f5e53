"""Where the turns of a conversation live, by the channel it came in through."""

import html
from collections.abc import Callable, Sequence

from sfsync.local_org import chats, files, notes, posts, talks
from sfsync.local_org.drafts import Draft, pieces
from sfsync.local_org.founding import REPRESENTATIVES
from sfsync.local_org.records import Said
from sfsync.local_org.spoken_objects import CALL_NOTE

LONGEST_DESCRIPTION = 32_000
LONGEST_COMMENT = 4_000
LONGEST_BODY = 131_072
_SHARE_QUOTING = 0.5
_SHARE_HTML_ONLY = 0.25
_SUPPORT = "support@acme.example"
_INCOMING_STATUS, _SENT_STATUS = "0", "3"


def place(draft: Draft, turns: Sequence[Said], channel: str) -> None:
    """Put every turn where its channel keeps it."""
    _PLACES[channel](draft, turns)


def _as_emails(draft: Draft, turns: Sequence[Said]) -> None:
    """Email-to-Case copies the first mail's text into the Description as well."""
    if turns and turns[0].speaker == "customer":
        draft.description = turns[0].text[:LONGEST_DESCRIPTION]
    earlier: Said | None = None
    for number, turn in enumerate(turns):
        for piece in pieces(turn.text, LONGEST_BODY // 2):
            quoted = earlier if draft.dice.random() < _SHARE_QUOTING else None
            is_html = draft.dice.random() < _SHARE_HTML_ONLY
            add_email(draft, Said(turn.speaker, piece), number, quoted, is_html_only=is_html)
        earlier = turn


def add_email(
    draft: Draft, turn: Said, number: int, quoted: Said | None, *, is_html_only: bool
) -> None:
    """Hang one e-mail on the Case, its history quoted below where there is one."""
    at = draft.at(number)
    is_incoming = turn.speaker == "customer"
    writer = draft.org.founders.automation if is_incoming else draft.writer_of(turn.speaker)
    sender, receiver = (draft.address, _SUPPORT) if is_incoming else (_SUPPORT, draft.address)
    name = draft.customer if is_incoming else REPRESENTATIVES[draft.answered_by]
    head = f"On {at:%a, %d %b %Y at %H:%M}, {_named(draft, quoted)} wrote:" if quoted else ""
    draft.add(
        "EmailMessage",
        at,
        writer,
        Incoming=is_incoming,
        Status=_INCOMING_STATUS if is_incoming else _SENT_STATUS,
        FromAddress=sender,
        FromName=name,
        ToAddress=receiver,
        Subject="Re: your request" if number else "Your request",
        MessageDate=at,
        HasAttachment=False,
        TextBody=None if is_html_only else _plain(turn.text, head, quoted),
        HtmlBody=_page(turn.text, head, quoted) if is_html_only else None,
    )


def _named(draft: Draft, quoted: Said) -> str:
    if quoted.speaker == "customer":
        return f"{draft.customer} <{draft.address}>"
    return f"{REPRESENTATIVES[draft.answered_by]} <{_SUPPORT}>"


def _plain(text: str, head: str, quoted: Said | None) -> str:
    if quoted is None:
        return text
    lines = "\n".join(f"> {line}" for line in quoted.text.splitlines())
    return f"{text}\n\n{head}\n{lines}\n"


def _page(text: str, head: str, quoted: Said | None) -> str:
    below = ""
    if quoted is not None:
        below = (
            f'<div class="gmail_quote"><div>{html.escape(head)}</div>'
            f"<blockquote>{_marked_up(quoted.text)}</blockquote></div>"
        )
    return f"<html><body><div>{_marked_up(text)}</div>{below}</body></html>"


def _marked_up(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _as_web_form(draft: Draft, turns: Sequence[Said]) -> None:
    """The form is the Description; what is said later comes by e-mail, without history."""
    first = 0
    while first < len(turns) and turns[first].speaker == "customer":
        first += 1
    form = pieces("\n".join(turn.text for turn in turns[:first]), LONGEST_DESCRIPTION)
    draft.description = form[0] or None
    draft.of_case["SuppliedPhone"] = draft.phone
    for piece in form[1:]:
        add_comment(draft, Said("customer", piece), 0)
    for number, turn in enumerate(turns[first:], first):
        for piece in pieces(turn.text, LONGEST_BODY):
            add_email(draft, Said(turn.speaker, piece), number, None, is_html_only=False)


def _as_comments(draft: Draft, turns: Sequence[Said]) -> None:
    """In the customer portal the first words are the Description, the rest are comments."""
    rest = list(enumerate(turns))
    if turns and turns[0].speaker == "customer":
        form = pieces(turns[0].text, LONGEST_DESCRIPTION)
        draft.description = form[0] or None
        rest = [(0, Said("customer", piece)) for piece in form[1:]] + rest[1:]
    for number, turn in rest:
        add_comment(draft, turn, number)


def add_comment(draft: Draft, turn: Said, number: int) -> None:
    """Hang what was said on the Case as comments, as many as it takes."""
    at = draft.at(number)
    for piece in pieces(turn.text, LONGEST_COMMENT):
        writer = draft.writer_of(turn.speaker)
        draft.add("CaseComment", at, writer, CommentBody=piece, IsPublished=True)


_PLACES: dict[str, Callable[[Draft, Sequence[Said]], None]] = {
    "email": _as_emails,
    "web": _as_web_form,
    "comments": _as_comments,
    "messaging": talks.as_messages,
    "chat": chats.as_chat,
    "voice": talks.as_call,
    "call_log": notes.as_call_log,
    "attachment": files.as_attachment,
    "custom_object": notes.as_own_rows,
    "case_field": notes.as_case_field,
    "social": posts.as_posts,
}
SOBJECTS = {
    "email": "EmailMessage",
    "comments": "CaseComment",
    "messaging": "MessagingSession",
    "chat": "LiveChatTranscript",
    "voice": "VoiceCall",
    "call_log": "Task",
    "attachment": "ContentVersion",
    "custom_object": CALL_NOTE,
    "social": "SocialPost",
}
"""What an org must have for words to come in by a channel."""
