"""HTML to plain text, in time proportional to its length whatever the input.

The standard library's parser is not used: on Python 3.11.7 it took 290 s for 200 KB of
unclosed tags, and anybody who can write to a support address can send those.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import takewhile

SKIPPED = {"script", "style", "head", "title", "template", "noscript", "svg", "math", "object"}
RAW = {"script", "style", "title"}
"""Elements whose content is not markup: a ``<`` in them opens nothing."""
BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "div", "dl",
    "dt", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol",
    "p", "pre", "section", "table", "tbody", "tr", "ul",
}  # fmt: skip
CLOSING_RAW = {name: re.compile(f"</{name}", re.IGNORECASE) for name in RAW}
VOID = {"br", "hr", "img", "input", "meta", "link", "base", "col", "wbr", "area", "source"}
CELLS = {"td", "th"}
TAG_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
TAG_LIMIT = 1_000
"""Characters of one tag that are looked at: keeps the searches in it short."""
LINE_BREAKS = re.compile(r"[\r\n]+")
MARKED_UP = re.compile(r"(?i)<(?:/?(?:p|div|span|b|strong|ul|li)\b[^<>]{0,300}|br\s?/?)>")
BLANK_LINES = re.compile(r"\n{3,}")

# How mail programs mark what is not this message's own words.
QUOTING_TAG = re.compile(
    r"""(?ix) (?:class|id)\s*=\s*["']?[^"'>]*
        (?: gmail_quote | gmail_attr | yahoo_quoted | moz-cite-prefix | protonmail_quote
          | zmail_extra | OutlookMessageHeader )
    """
)
SIGNATURE_TAG = re.compile(
    r"""(?ix) (?:class|id)\s*=\s*["']?[^"'>]*
        (?: gmail_signature | moz-signature | protonmail_signature | ms-outlook-mobile-signature
          | (?<![\w-])Signature(?![\w-]) )
    """
)
HIDING_STYLE = re.compile(r"""(?i)style\s*=\s*["'][^"']*display\s*:\s*none""")
# After one of these Outlook puts nothing but history.
DIVIDER_TAG = re.compile(
    r"""(?ix) id\s*=\s*["']?(?:x_)?
            (?:divRplyFwdMsg|appendonsend|stopSpelling|mail-editor-reference-message)
        | border-top\s*:\s*solid\s+\#(?:E1E1E1|B5C4DF)\s
    """
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its name in lower case, whether it closes, and its text for a look inside."""

    name: str
    is_closing: bool
    source: str

    def matches(self, pattern: re.Pattern[str]) -> bool:
        return pattern.search(self.source) is not None


def to_text(html: str) -> str:
    """Return all visible words, a line per block."""
    return _in_lines(_without(tokens(html), _is_hidden))


def own_words(html: str) -> str:
    """Return the visible words without quoted history and marked signatures.

    A message that is nothing but a quote (some programs forward so) is returned whole.
    """
    before_history = takewhile(lambda token: not _is_divider(token), tokens(html))
    own = _without(_without(before_history, _is_hidden), _is_quote_or_signature)
    return _in_lines(own) or to_text(html)


def if_marked_up(text: str) -> str:
    """Return a field's text, read as HTML only where it holds tags that people use in one."""
    return to_text(text) if MARKED_UP.search(text) else text


def visible(html: str) -> Iterator[Tag | str]:
    """Yield the tokens that a reader sees: no scripts, no styles, nothing hidden."""
    return _without(tokens(html), _is_hidden)


def tokens(html: str) -> Iterator[Tag | str]:
    """Yield tags and the text between them, entities still in it; every character is met once."""
    position, end = 0, len(html)
    while position < end:
        opening = html.find("<", position)
        if opening < 0:
            yield html[position:]
            return
        yield html[position:opening]
        position, token = _markup(html, opening)
        yield token
        if isinstance(token, Tag) and token.name in RAW and not token.is_closing:
            position = _after_raw(html, position, token.name)


def _markup(html: str, opening: int) -> tuple[int, Tag | str]:
    """Return where the text goes on after the ``<`` at ``opening``, and what stood there."""
    if html.startswith("<!--", opening):
        closing = html.find("-->", opening + 4)
        return (closing + 3 if closing >= 0 else len(html)), ""
    named = TAG_NAME.match(html, opening)
    if named is None and not html.startswith(("<!", "<?"), opening):
        return opening + 1, "<"  # a sign, as in "a < b"
    closing = html.find(">", opening)
    if closing < 0:
        return len(html), ""  # a tag cut off by the field's length
    if named is None:
        return closing + 1, ""
    source = html[opening : min(closing + 1, opening + TAG_LIMIT)]
    return closing + 1, Tag(named.group(1).lower(), html[opening + 1] == "/", source)


def _after_raw(html: str, position: int, name: str) -> int:
    closing = CLOSING_RAW[name].search(html, position)
    return closing.start() if closing else len(html)


def _without(
    stream: Iterable[Tag | str], is_unwanted: Callable[[Tag], bool]
) -> Iterator[Tag | str]:
    """Leave out elements, with all that is in them, up to their own closing tag."""
    dropped, depth = "", 0
    for token in stream:
        if isinstance(token, str):
            if not depth:
                yield token
        elif depth:
            depth += _step(token, dropped)
        elif not token.is_closing and is_unwanted(token):
            dropped, depth = token.name, int(token.name not in VOID)
        else:
            yield token


def _step(token: Tag, dropped: str) -> int:
    if token.name == "body" and dropped == "head":
        return -1  # a head need not be closed
    if token.name != dropped:
        return 0
    return -1 if token.is_closing else 1


def _is_hidden(tag: Tag) -> bool:
    return tag.name in SKIPPED or tag.matches(HIDING_STYLE)


def _is_quote_or_signature(tag: Tag) -> bool:
    return tag.name == "blockquote" or tag.matches(QUOTING_TAG) or tag.matches(SIGNATURE_TAG)


def _is_divider(token: Tag | str) -> bool:
    return isinstance(token, Tag) and token.matches(DIVIDER_TAG)


def _in_lines(stream: Iterable[Tag | str]) -> str:
    """Return the text of the stream: blanks collapsed, a line per block, no empty edges."""
    written = "".join(_as_written(token) for token in stream)
    lines = [" ".join(line.split()) for line in written.split("\n")]
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _as_written(token: Tag | str) -> str:
    if isinstance(token, str):
        return unescape(LINE_BREAKS.sub(" ", token)).replace("\n", " ")
    if token.name in BLOCKS:
        return "\n"
    return " " if token.name in CELLS else ""
