"""Cutting quoted history and signatures off an e-mail's text, in several languages.

Two passes: our own line-wise rules for what mail programs write today, then the library
mail-parser-reply for its collection of headers and closings. Of the library we use the
languages whose patterns hold no everyday word ("Tak", "Do:", "/word" would cut real
sentences), and believe a signature only if it looks like one.
"""

import re
from collections.abc import Iterable, Iterator

from mailparser_reply.parser import EmailMessage

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "zh", "ja", "ko")
LONGEST_LINE = 300
"""The library's patterns take quadratic time on a long line, and no header is longer."""
MOST_LINES = 4_000
SIGNATURE_LINES = 12
CLOSING_CHARACTERS = 40
HEADERS_IN_A_ROW = 3
"""So many header lines (From, Sent, To …) together are a quoted message's head."""

# "On 5 May 2026, Ann Bee <ann@example.org> wrote:" and its like; a date or address must be near.
WROTE = re.compile(
    r"""(?ix) .* (?: \b wrote | \b schrieb (?:\s.*)? | \b a\s[ée]crit | \b escribió | \b ha\sscritto
        | \b schreef (?:\s.*)? | \b escreveu | \b napisał(?:\(a\)|a)? | \b skrev (?:\s.*)?
        | \b написа[лв](?:\(а\))?
        | 写道 | 寫道 | のメール | 님이\s작성 .* )\s*[:：] \s*
    """
)
# Such a line may be broken in two; the first half begins so.
WROTE_BEGINS = re.compile(r"(?i)(On|Am|Le|El|Il|Op|Em|Den|Dnia|W dniu|在|于|於).*\d")
HAS_DATE_OR_ADDRESS = re.compile(r"\d{1,4}[./:年-]\s?\d{1,2}|\d{4}|@")
DIVIDER = re.compile(
    r"""(?ix) [-_\s>*]{0,40} (?: original\ (message|appointment) | ursprüngliche\ nachricht
        | original-?nachricht | message\ d['’]origine | message\ original | mensaje\ original
        | messaggio\ originale | oorspronkelijk\ bericht | mensagem\ original
        | original(t)?\ meddelande | oprindelig\ meddelelse | 原始邮件 | 原始郵件 | 回复邮件
        | 元のメッセージ | 원본\ 메시지 ) [-_\s*]{2,40}
    """
)
UNDERSCORES = re.compile(r"\s*_{20,}\s*")
FORWARD = re.compile(
    r"""(?ix) [-\s>*]{0,40} (?: forwarded\ message | begin\ forwarded\ message
        | weitergeleitete\ nachricht | message\ transféré | mensaje\ reenviado
        | messaggio\ inoltrato | doorgestuurd\ bericht | mensagem\ encaminhada | 转发的?邮件
        | 轉寄郵件 ) [-\s:*]{0,40}
    """
)
HEADER = re.compile(
    r"""(?ix) [*\s>]{0,8} (?: from | sent | to | cc | subject | date | reply-to
        | von | gesendet | an | betreff | datum | de | envoyé | à | objet | enviado | para
        | asunto | fecha | da | inviato | a | oggetto | data | van | verzonden | aan | onderwerp
        | 发件人 | 发送时间 | 收件人 | 抄送 | 主题 | 日期 | 寄件者 | 收件者 | 主旨
        | 差出人 | 送信日時 | 宛先 | 件名 | 보낸\s?사람 | 받는\s?사람 | 제목 ) \*? \s? [:：] .*
    """
)
QUOTE = re.compile(r"\s*>")
SIGNATURE_RULE = re.compile(r"--\s*|__\s*")
PLACEHOLDER = "\ue000{}\ue000"
PLACED = re.compile("\ue000(\\d+)\ue000")


def own_words(text: str) -> str:
    """Return what the sender of this message wrote, without history and signature.

    A forwarded message is its sender's word as far as it holds nothing else. Time is linear
    in the length of ``text``: longer lines are hidden from the library, and what follows
    ``MOST_LINES`` lines is taken for history.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MOST_LINES]
    top = list(_before_history(lines))
    unquoted = [line for line in top if not QUOTE.match(line)]
    if words := _without_closing("\n".join(unquoted).strip()):
        return words
    return _forwarded(lines)


def _before_history(lines: list[str]) -> Iterator[str]:
    """Yield lines up to the head of the quoted history, where the reply stands above it."""
    for number, line in enumerate(lines):
        if not _is_history(lines, number):
            yield line
        elif not _is_quoted_below(lines, number):
            return


def _is_history(lines: list[str], number: int) -> bool:
    line = lines[number]
    if len(line) > LONGEST_LINE:
        return False
    if DIVIDER.fullmatch(line) or FORWARD.fullmatch(line):
        return True
    if UNDERSCORES.fullmatch(line) and number + 1 < len(lines):
        return HEADER.fullmatch(lines[number + 1][:LONGEST_LINE]) is not None
    return _says_who_wrote(lines, number) or _is_header_block(lines, number)


def _says_who_wrote(lines: list[str], number: int) -> bool:
    line = lines[number]
    if WROTE.fullmatch(line):
        before = lines[number - 1][-LONGEST_LINE:] if number else ""
        return HAS_DATE_OR_ADDRESS.search(f"{before} {line}") is not None
    if not WROTE_BEGINS.match(line) or number + 1 == len(lines):
        return False
    following = lines[number + 1]
    return len(following) <= LONGEST_LINE and WROTE.fullmatch(following) is not None


def _is_header_block(lines: list[str], number: int) -> bool:
    block = lines[number : number + HEADERS_IN_A_ROW]
    return len(block) == HEADERS_IN_A_ROW and all(
        HEADER.fullmatch(line[:LONGEST_LINE]) for line in block
    )


def _is_quoted_below(lines: list[str], number: int) -> bool:
    """Return whether ``>`` marks follow, so that an answer may stand between or under them."""
    return any(QUOTE.match(line) for line in lines[number + 1 : number + 4])


def _without_closing(text: str) -> str:
    """Return ``text`` without what the library knows as another header or a signature.

    Where nothing would be left, the words only look like a header, and all of them stay.
    """
    if not text:
        return ""
    hidden, long_lines = _hide_long_lines(text.split("\n"))
    message = EmailMessage(
        text=hidden, languages=list(LANGUAGES), keep_hyphen_lists=True
    ).read()
    first = message.replies[0]
    words = first.content.replace(first.headers or "", "", 1).strip()
    signature = (first.signatures or "").strip()
    if signature and _looks_like_signature(signature) and words.endswith(signature):
        words = words[: -len(signature)].rstrip()
    words = _without_rule(words) or hidden
    return PLACED.sub(lambda found: long_lines[int(found.group(1))], words)


def _hide_long_lines(lines: Iterable[str]) -> tuple[str, list[str]]:
    shown: list[str] = []
    hidden: list[str] = []
    for line in lines:
        if len(line) > LONGEST_LINE or "\ue000" in line:
            shown.append(PLACEHOLDER.format(len(hidden)))
            hidden.append(line)
        else:
            shown.append(line)
    return "\n".join(shown), hidden


def _looks_like_signature(text: str) -> bool:
    """Return whether this is a closing and a name, not a sentence that begins with thanks."""
    lines = [line for line in text.split("\n") if line.strip()]
    return (
        len(lines) <= SIGNATURE_LINES
        and len(lines[0]) <= CLOSING_CHARACTERS
        and "?" not in text
        and not PLACED.search(text)
    )


def _without_rule(text: str) -> str:
    """Cut at "-- ", the signature mark of old."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number and SIGNATURE_RULE.fullmatch(line):
            return "\n".join(lines[:number]).rstrip()
    return text


def _forwarded(lines: list[str]) -> str:
    """Return the message that is passed on without a word of one's own; empty if none is."""
    for number, line in enumerate(lines):
        if len(line) <= LONGEST_LINE and FORWARD.fullmatch(line):
            rest = [one for one in lines[number + 1 :] if not HEADER.fullmatch(one[:300])]
            return _without_closing("\n".join(rest).strip())
    return ""
