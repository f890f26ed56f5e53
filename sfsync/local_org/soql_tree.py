"""The tree of a query, and how a mistake in it is shown."""

from dataclasses import dataclass
from datetime import date, datetime

from sfsync.local_org.errors import Refusal

_SHOWN_AROUND_ERROR = 40


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps of a parent: ``Owner.Name``. ``at`` is its offset in the query."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``COUNT(Id) total``; a path of None is ``COUNT()``."""

    function: str
    path: Path | None
    alias: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a comparison; ``kind`` is string, number, boolean, date, datetime, days, null."""

    kind: str
    value: str | float | bool | date | datetime | None
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator literal``; the operator is one of = != < <= > >= LIKE."""

    path: Path
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """``path [NOT] IN (…)``, of literals or of a query."""

    path: Path
    is_negated: bool
    options: "tuple[Literal, ...] | Query"


@dataclass(frozen=True, slots=True)
class MultiPick:
    """``path INCLUDES|EXCLUDES ('a;b','c')``."""

    path: Path
    is_negated: bool
    options: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """Conditions joined by AND."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """Conditions joined by OR."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT before a condition."""

    part: "Condition"


Condition = Comparison | Membership | MultiPick | Every | Some | Negation


@dataclass(frozen=True, slots=True)
class Order:
    """One key of ORDER BY. Nulls come first unless the query says LAST."""

    path: Path
    is_descending: bool
    has_nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query, or one in parentheses inside another."""

    text: str
    columns: "tuple[Path | Aggregate | Query, ...]"
    source: str
    source_at: int
    where: Condition | None
    grouping: tuple[Path, ...]
    order: tuple[Order, ...]
    limit: int | None
    offset: int

    @property
    def counts_only(self) -> bool:
        """Whether this is ``SELECT COUNT() FROM …``, answered by totalSize alone."""
        head = self.columns[0]
        return isinstance(head, Aggregate) and head.path is None

    @property
    def is_aggregate(self) -> bool:
        return bool(self.grouping) or any(isinstance(one, Aggregate) for one in self.columns)


def pointed(text: str, at: int, code: str, message: str) -> Refusal:
    """Return the refusal that shows the place in the query as Salesforce does."""
    start = max(0, at - _SHOWN_AROUND_ERROR)
    excerpt = text[start : at + _SHOWN_AROUND_ERROR].replace("\n", " ")
    caret = " " * (at - start) + "^"
    where = f"ERROR at Row:{text.count(chr(10), 0, at) + 1}:Column:{_column(text, at)}"
    return Refusal(400, code, f"\n{excerpt}\n{caret}\n{where}\n{message}")


def _column(text: str, at: int) -> int:
    return at - text.rfind("\n", 0, at)
