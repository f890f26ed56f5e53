"""Auditing: what people said of decisions drawn for audit, and how often they override others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from classifier.engine.trends import FALSE_DISCOVERY_RATE, Change, Direction, changes
from classifier.models import Category, Decision, Feedback, FeedbackReason, Review

AUTOMATION = (Decision.Source.RULES, Decision.Source.MODEL, Decision.Source.BOTH)
WEEK = timedelta(days=7)
WEEKS_BEFORE = 8
"""As many as the report compares with (decision 16)."""
Verdict = Feedback.Verdict


@dataclass(frozen=True, slots=True)
class Audited:
    """One decision of automation, drawn for audit, that a person has judged."""

    category_id: int
    decided_at: datetime
    is_right: bool


@dataclass(frozen=True, slots=True)
class Overridden:
    """A category whose decisions people override more often than chance explains."""

    category: Category
    change: Change
    """Of the last whole week beside the weeks before, per decision."""


def audited(since: datetime) -> dict[int, list[Audited]]:
    """Return category id → its audited decisions since then, in the order they were drawn.

    Each list ends before the first that still waits for its answer. Else what representatives
    correct at once would crowd out what a reviewer confirms a day later, and the sample would
    look worse than it is. Unclear ones are left out.
    """
    drawn = Decision.objects.filter(
        is_audit=True, audit_probability__gt=0, source__in=AUTOMATION, decided_at__gte=since
    )
    rows = list(drawn.order_by("id").values_list("id", "category_id", "decided_at"))
    verdicts = _verdicts(since)
    asked = Review.objects.waiting().filter(kind=Review.Kind.AUDIT, opened_at__gte=since)
    waiting = set(asked.order_by().values_list("decision_id", flat=True))
    found: dict[int, list[Audited]] = defaultdict(list)
    ended: set[int] = set()
    for decision, category, decided_at in rows:
        if category in ended:
            continue
        if decision in verdicts:
            found[category].append(Audited(category, decided_at, verdicts[decision]))
        elif decision in waiting:
            ended.add(category)
    return dict(found)


def _verdicts(since: datetime) -> dict[int, bool]:
    """Return decision id → whether people say that it is right; the blind word counts most."""
    words = (
        Feedback.objects.counted()
        .filter(decision__is_audit=True, decision__decided_at__gte=since)
        .exclude(verdict=Verdict.UNCLEAR)
        # At the desk who was not asked blind saw the tag for no reason but to judge it.
        .exclude(is_blind=False, source=Feedback.Source.DESK)
        .order_by("is_blind", "said_at", "id")
    )
    rows = list(
        words.values_list(
            "id", "decision", "verdict", "decision__category__code", "category__code"
        )
    )
    further = defaultdict(set)
    of_words = FeedbackReason.objects.filter(feedback__in=words.order_by().values("id"))
    for feedback, code in of_words.values_list("feedback", "category__code"):
        further[feedback].add(code)
    taxonomy = Category.objects.taxonomy()
    return {
        decision: verdict == Verdict.CONFIRMED
        or (code is not None and taxonomy.is_right(code, {truth, *further[pk]} - {None}))
        for pk, decision, verdict, code, truth in rows
    }


def overridden(until: datetime) -> list[Overridden]:
    """Return the categories that people override beyond chance in the week up to ``until``.

    Each week's overrides of a category (people name another reason, unasked) are set beside how
    often automation chose it in that week, so that a flood of contacts alone is none. The
    figures' own unsteadiness decides what chance is (``trends``); of all categories told, the
    share that may be chance is limited (Benjamini–Hochberg).
    """
    said = _overrides(until)
    made = _decisions_by_week(until)
    categories = Category.objects.with_parents().in_bulk(said)
    found = [
        Overridden(categories[pk], _change(said[pk], made.get(pk, [0] * (WEEKS_BEFORE + 1))))
        for pk in said
        if pk in categories
    ]
    rising = [
        one
        for one in found
        if one.change.direction is not Direction.UNKNOWN
        and one.change.count > one.change.expected
    ]
    rising.sort(key=lambda one: one.change.p)
    kept = [
        place
        for place, one in enumerate(rising, start=1)
        if one.change.p <= FALSE_DISCOVERY_RATE * place / max(len(found), 1)
    ]
    return rising[: max(kept, default=0)]


def _change(said: Sequence[int], made: Sequence[int]) -> Change:
    """Return the change of one category; both sequences by week, the newest first."""
    before = {"overrides": [min(one, all_) for one, all_ in zip(said, made, strict=True)][1:]}
    now = {"overrides": min(said[0], made[0])}
    return changes(now, before, list(made[1:]), made[0])["overrides"]


def _overrides(until: datetime) -> dict[int, list[int]]:
    start = until - WEEK * (WEEKS_BEFORE + 1)
    words = (
        Feedback.objects.counted()
        .filter(
            said_at__gte=start,
            said_at__lt=until,
            verdict__in=[Verdict.CORRECTED, Verdict.OUT_OF_SCOPE],
            is_blind=False,
            decision__source__in=AUTOMATION,
        )
        .exclude(source=Feedback.Source.DESK)
    )
    found: dict[int, list[int]] = defaultdict(lambda: [0] * (WEEKS_BEFORE + 1))
    for category, said_at in words.values_list("decision__category_id", "said_at"):
        found[category][(until - said_at) // WEEK if said_at < until else 0] += 1
    return dict(found)


def _decisions_by_week(until: datetime) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(lambda: [0] * (WEEKS_BEFORE + 1))
    for week in range(WEEKS_BEFORE + 1):
        made = Decision.objects.filter(
            decided_at__gte=until - WEEK * (week + 1),
            decided_at__lt=until - WEEK * week,
            source__in=AUTOMATION,
        )
        for category, number in made.order_by().values_list("category").annotate(Count("id")):
            found[category][week] = number
    return dict(found)
