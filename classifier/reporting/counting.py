"""The queries of a report: a fixed number of GROUP BYs over one covering index."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.db.models import Count, DateField, Q, QuerySet
from django.db.models.functions import TruncWeek

from classifier.models import Category, Decision, DecisionReason, Feedback, Review
from classifier.models.remit import within_remit
from classifier.reporting.question import (
    AUTOMATION,
    FACETS,
    Block,
    Decider,
    Level,
    Question,
    monday_of,
)

Reason = int | None
"""A category's id; None: waits for a person."""
_JUDGED = (
    "decision", "is_blind", "decision__category", "category", "decision__audit_probability"
)  # fmt: skip
VALUES_SHOWN = 12
"""Values of a facet that a table names; the rest is one row."""


class Tree:
    """All categories with what a report needs of them, in one query."""

    def __init__(self) -> None:
        rows = Category.objects.values_list("id", "parent_id", "label", "code", "created_at")
        self._rows = {row[0]: row for row in rows}
        children: dict[int | None, list[int]] = defaultdict(list)
        for pk, parent, *_ in self._rows.values():
            children[parent].append(pk)
        self._children = dict(children)

    def __contains__(self, pk: object) -> bool:
        return pk in self._rows

    @cached_property
    def tops(self) -> list[int]:
        """The top categories by label."""
        return sorted(self._children.get(None, []), key=lambda pk: self.label(pk).casefold())

    @cached_property
    def families(self) -> dict[int, list[int]]:
        """Top category → itself and all below."""
        return {top: self.family(top) for top in self.tops}

    @cached_property
    def top_of(self) -> dict[int, int]:
        """Category → the top category that it stands below, or is."""
        return {pk: top for top, family in self.families.items() for pk in family}

    def family(self, pk: int) -> list[int]:
        """Return the category and everything below it."""
        found, seen = [pk], {pk}
        for one in found:
            new = [child for child in self._children.get(one, []) if child not in seen]
            seen.update(new)
            found.extend(new)
        return found

    def label(self, pk: int) -> str:
        """Return the whole path as people read it."""
        return " > ".join(self._rows[one][2] for one in reversed(self.lineage(pk)))

    def code(self, pk: int) -> str:
        return str(self._rows[pk][3])

    def created_at(self, pk: int) -> datetime:
        moment: datetime = self._rows[pk][4]
        return moment

    def lineage(self, pk: int) -> list[int]:
        """Return the category and what is above it, nearest first."""
        line = [pk]
        while (parent := self._rows[line[-1]][1]) is not None and parent not in line:
            line.append(parent)
        return line


@dataclass(frozen=True, slots=True)
class CutValue:
    """Contacts of one value of a facet."""

    value: str | None
    """None: all values that are not named."""
    count: int
    waiting: int
    matching: int
    """Those of the category asked for; all decided ones where none is."""


class Further:
    """Contacts by a reason that is not their primary one: by week, by block, by facet value."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.by_week: dict[date, Counter[Reason]] = defaultdict(Counter)
        self.in_blocks: list[Counter[Reason]] = [Counter() for _ in blocks]
        self.across: dict[str, Counter[Reason]] = defaultdict(Counter)
        self._block = blocks[0]

    def add(self, reason: Reason, moment: datetime, value: str, *, is_in_period: bool) -> None:
        if is_in_period:
            self.by_week[monday_of(moment).date()][reason] += 1
            self.across[value][reason] += 1
        back, offset = divmod(moment - self._block.start, self._block.step)
        if offset < self._block.end - self._block.start and 0 <= -back < len(self.in_blocks):
            self.in_blocks[-back][reason] += 1


class Counts:
    """Counts the contacts that a question is about and that ``user`` may see."""

    def __init__(self, question: Question, user: Any, tree: Tree) -> None:
        self.question = question
        self.user = user
        self.tree = tree

    def by_week(self) -> dict[date, Counter[Reason]]:
        """Return week (Monday, UTC) → reason → contacts; each contact that waits counts there.

        Further reasons are counted by ``further``.
        """
        found: dict[date, Counter[Reason]] = defaultdict(Counter)
        rows = self._decisions(self._period).annotate(
            week=TruncWeek("contacted_at", output_field=DateField())
        )
        for week, pk, number in rows.values_list("week", "category").annotate(
            number=Count("*")
        ):
            found[week][self._reason_of(pk)] += number
        return found

    def by_facet(self) -> tuple[dict[str, list[CutValue]], Counter[str]]:
        """Return the contacts by each facet, and by who decided them.

        The values of a facet come most frequent first, beyond ``VALUES_SHOWN`` summed up. What
        has few values is counted together, to scan the rows less often.
        """
        sums: dict[str, dict[str, list[int]]] = {facet: {} for facet in FACETS}
        sources: Counter[str] = Counter()
        wanted = ~Q(category=None)
        if self.question.category_id is not None:
            wanted = Q(category__in=self.tree.family(self.question.category_id))
        for together in (("channel", "language", "source"), ("team", "queue"), ("product",)):
            rows = self._decisions(self._period).values_list(*together)
            counted = rows.annotate(
                number=Count("*"),
                waiting=Count("contacted_at", filter=Q(category=None)),
                matching=Count("contacted_at", filter=wanted),
            )
            for row in counted:
                numbers = row[len(together) :]
                for name, value in zip(together, row, strict=False):
                    if name == "source":
                        sources[value] += numbers[0]
                        continue
                    before = sums[name].get(value, [0, 0, 0])
                    sums[name][value] = [x + y for x, y in zip(before, numbers, strict=True)]
        return {facet: _cut_values(sums[facet]) for facet in FACETS}, sources

    def across(self, facet: str, values: Sequence[str]) -> dict[str, Counter[Reason]]:
        """Return value → reason → contacts, for these values of a facet."""
        found: dict[str, Counter[Reason]] = {value: Counter() for value in values}
        rows = self._decisions(self._period).filter(**{f"{facet}__in": values})
        for value, pk, number in rows.values_list(facet, "category").annotate(
            number=Count("*")
        ):
            found[value][self._reason_of(pk)] += number
        return found

    def in_blocks(self, blocks: Sequence[Block]) -> list[Counter[Reason]]:
        """Return reason → contacts of each block; one scan however many blocks there are."""
        found: list[Counter[Reason]] = [Counter() for _ in blocks]
        rows = self._decisions(_span(blocks, "contacted_at")).values_list("category")
        counts = {
            f"block{i}": Count("contacted_at", filter=_within(block, "contacted_at"))
            for i, block in enumerate(blocks)
        }
        for pk, *numbers in rows.annotate(**counts):
            for counter, number in zip(found, numbers, strict=True):
                counter[self._reason_of(pk)] += number
        return found

    def further(self, blocks: Sequence[Block]) -> "Further":
        """Return the contacts that have a reason beside their primary one.

        ``blocks``: the one looked at, then those before it. A contact counts once for a reason;
        what counts for the primary one's top category already is left out.
        """
        question = self.question
        period = Block(question.start, question.end)
        rows = DecisionReason.objects.filter(
            _span([period, *blocks], "decision__contacted_at"),
            self._filters("decision__"),
            is_suggestion=False,
            rank__gt=0,
            decision__superseded_at=None,
        )
        seen: QuerySet[Any] = within_remit(rows.order_by(), self.user, "decision__")
        named = seen.values_list(
            "decision",
            "decision__category",
            "category",
            "decision__contacted_at",
            f"decision__{question.across}",
        )
        found = Further(blocks)
        met: set[tuple[int, Reason]] = set()
        for decision, first, pk, moment, value in named:
            reason = self._reason_of(pk)
            if reason == self._reason_of(first) or (decision, reason) in met:
                continue
            met.add((decision, reason))
            found.add(reason, moment, value, is_in_period=period.start <= moment < period.end)
        return found

    def undated(self) -> int:
        """Return how many standing decisions have no known time of contact."""
        return self._decisions(Q(contacted_at=None)).count()

    def audited(self) -> list[tuple[int, int | None, float]]:
        """Return what automation said, what a person said of it, and the chance to be asked.

        One row per decision drawn for audit, also where a person's word has replaced it since,
        else only the right ones would be left. The blind word counts; where a person spoke
        before anybody was asked blind, as representatives do in Salesforce, theirs does. What
        still waits to be asked about is what nobody has corrected: the blind words stand for it
        as well, so their chance is the draw's times the share of those that were asked.
        """
        drawn = Q(
            self._filters("decision__"),
            decision__is_audit=True,
            decision__audit_probability__gt=0,
            decision__source__in=AUTOMATION,
            decision__contacted_at__gte=self.question.start,
            decision__contacted_at__lt=self.question.end,
        )
        # At the desk who was not asked blind saw the tag for no reason but to judge it.
        counted = Feedback.objects.counted().exclude(verdict=Feedback.Verdict.UNCLEAR)
        words: QuerySet[Any] = within_remit(
            counted.filter(drawn).exclude(is_blind=False, source=Feedback.Source.DESK),
            self.user,
            "decision__",
        )
        found: dict[int, tuple[bool, int, int | None, float]] = {
            pk: tuple(row)
            for pk, *row in words.order_by("is_blind", "said_at", "id").values_list(*_JUDGED)
        }
        asked_about = Review.objects.waiting().filter(drawn, kind=Review.Kind.AUDIT)
        waits = within_remit(asked_about, self.user, "decision__").values_list("decision")
        waiting = sum(pk not in found for (pk,) in waits)
        blind = sum(is_blind for is_blind, *_ in found.values())
        if not blind and waiting:
            return []  # only what people corrected is known: no sample of anything
        asked = blind / (blind + waiting) if waiting else 1.0
        return [
            (said, truth, chance * asked if is_blind else chance)
            for is_blind, said, truth, chance in found.values()
        ]

    def _decisions(self, when: Q) -> "QuerySet[Decision]":
        rows = Decision.objects.standing().filter(when, self._filters("")).order_by()
        return within_remit(rows, self.user)

    def _reason_of(self, pk: Reason) -> Reason:
        if pk is None or self.question.level is Level.LEAF:
            return pk
        return self.tree.top_of.get(pk, pk)

    @property
    def _period(self) -> Q:
        return _within(Block(self.question.start, self.question.end), "contacted_at")

    def _filters(self, path: str) -> Q:
        wanted: Mapping[str, Any] = {f"{path}{n}": v for n, v in self.question.facets}
        source = self.question.source
        if source == Decider.AUTOMATION:
            return Q(**wanted, **{f"{path}source__in": AUTOMATION})
        return Q(**wanted, **({f"{path}source": source} if source else {}))


def _cut_values(sums: Mapping[str, Sequence[int]]) -> list[CutValue]:
    found = [CutValue(value, *numbers) for value, numbers in sums.items()]
    found.sort(key=lambda one: (-one.count, one.value or ""))
    rest = found[VALUES_SHOWN:]
    if not rest:
        return found
    summed = CutValue(
        None,
        sum(one.count for one in rest),
        sum(one.waiting for one in rest),
        sum(one.matching for one in rest),
    )
    return [*found[:VALUES_SHOWN], summed]


def _within(block: Block, path: str) -> Q:
    return Q(**{f"{path}__gte": block.start, f"{path}__lt": block.end})


def _span(blocks: Iterable[Block], path: str) -> Q:
    found = list(blocks)
    start, end = min(block.start for block in found), max(block.end for block in found)
    return _within(Block(start, end), path)
