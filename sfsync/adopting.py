"""Adopting: an assessment becomes categories, gold labels and a first model."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat, Substr

from classifier import leases
from classifier.engine.errors import NothingToLearn
from classifier.errands import ErrandFailed, Run
from classifier.models import (
    Category,
    Decision,
    Feedback,
    GoldLabel,
    ModelVersion,
    Review,
    Transcript,
)
from classifier.models.category import LABEL_CHARACTERS, PATH_SEPARATOR
from classifier.models.gold_label import THREAD_DIGITS, THREAD_PREFIX, Settled
from classifier.models.transcript import digest
from classifier.models.trust import TrustBook
from classifier.retraining import NothingNew, look_for_news, train_candidate
from sfsync.field_map import LEVEL_SLOTS, Slot
from sfsync.models import AssessedCase, Assessment, CategoryMapping, FieldMapping
from sfsync.picklists import Level

logger = logging.getLogger(__name__)

ERRAND = "adopt"
SOURCE = "adopted"
CASES_AT_ONCE = 500
CATEGORIES_UNTIL, LABELS_UNTIL = 0.05, 0.3
"""Shares of the whole that making categories and labels takes, for the progress bar."""

Progress = Callable[[str, float], None]
Row = TypeVar("Row")
Path = tuple[str, ...]


class CannotAdopt(Exception):
    """There is nothing to adopt; the message says what to do."""


@dataclass(slots=True)
class Adoption:
    """What an adoption made, or would make."""

    categories: list[str] = field(default_factory=list)
    """Paths of new categories, as people write them."""
    values: list[str] = field(default_factory=list)
    """Categories that get their Salesforce value: ``path = value``."""
    kept_values: list[str] = field(default_factory=list)
    """Categories that keep another Salesforce value that somebody gave them."""
    labels: int = 0
    """New gold labels."""
    known: int = 0
    """Cases whose words, or whose label by people, were there before."""
    doubtful: int = 0
    """Cases set aside."""
    reviews: int = 0
    """Of those, questions opened to people."""
    mapping: list[str] = field(default_factory=list)
    """What would be written where: ``slot → field``."""
    is_mapped: bool = False
    model: int | None = None
    """Number of the candidate."""
    no_model_because: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {name: getattr(self, name) for name in self.__slots__}


def do_adopt(run: Run) -> Mapping[str, Any]:
    """Do the errand ``adopt``."""
    asked = run.parameters
    by = run.errand.asked_by
    try:
        made = adopt(
            newest(asked["assessment"]),
            by=by.get_username() if by else "",
            map_fields=bool(asked["map_fields"]),
            on_progress=run.say,
        )
    except CannotAdopt as error:
        raise ErrandFailed(str(error)) from error
    return {"adopted": made.to_dict(), "told": told(made)}


def told(made: Adoption) -> str:
    """Return what was made, in sentences."""
    model = (
        f"Model {made.model} was trained from them; it is a candidate."
        if made.model
        else f"No model was trained: {made.no_model_because}"
    )
    return (
        f"{len(made.categories):,} categories and {made.labels:,} gold labels are new;"
        f" {made.doubtful:,} doubtful Cases are set aside. {model}"
    )


def newest(number: int | None = None) -> Assessment:
    """Return the assessment of this key, or the newest; it must be one that can be adopted.

    Raises:
        CannotAdopt: there is none, or its Cases are gone.
    """
    found = Assessment.objects.finished()
    assessment = (found if number is None else found.filter(pk=number)).first()
    if assessment is None:
        raise CannotAdopt("There is no finished assessment. Make one first: assess.")
    if not assessment.cases.exists():
        raise CannotAdopt(
            "The Cases of this assessment are gone: a newer one was made. Adopt that one."
        )
    return assessment


def proposal(assessment: Assessment) -> Adoption:
    """Return what ``adopt`` would make, without making it."""
    return _Adopter(assessment, is_dry=True).run(by="", map_fields=False, tell=_tell_nobody)


def adopt(
    assessment: Assessment,
    *,
    by: str,
    map_fields: bool = False,
    on_progress: Progress | None = None,
) -> Adoption:
    """Make categories with their Salesforce values, gold labels and a candidate model.

    Cases with a doubtful tag are set aside: of those that are known conversations, people are
    asked. ``map_fields`` lets the reasons be written to the assessed fields from now on; else
    the field mapping stays as it is. Doing it again makes nothing twice. What people said of a
    conversation before counts more than its tag, and what they say later replaces it.

    Raises:
        CannotAdopt: nobody's tags are trusted.
    """
    return _Adopter(assessment).run(
        by=by, map_fields=map_fields, tell=on_progress or _tell_nobody
    )


class _Adopter:
    def __init__(self, assessment: Assessment, *, is_dry: bool = False) -> None:
        self._assessment = assessment
        self._levels = [Level.from_dict(found) for found in assessment.levels]
        self._is_dry = is_dry
        self._made = Adoption()
        self._categories: dict[Path, Category] = {}

    def run(self, *, by: str, map_fields: bool, tell: Progress) -> Adoption:
        self._look_at_trust()
        tell("making categories", 0.0)
        with transaction.atomic():
            self._make_categories()
            self._map_fields(is_wanted=map_fields)
        self._make_labels(tell)
        self._set_aside()
        if not self._is_dry:
            self._train(by, tell)
            logger.info("adopted=%d labels=%d", self._assessment.pk, self._made.labels)
        return self._made

    def _look_at_trust(self) -> None:
        """Refuse where an admin has said that tags from Salesforce never count.

        Raises:
            CannotAdopt: they have.
        """
        nameless = (Feedback.Source.SALESFORCE, "")
        if TrustBook.of([nameless]).share(*nameless) <= 0:
            raise CannotAdopt(
                "Words from Salesforce are trusted with 0 (under Trust): no label is made of"
                " representatives' tags. Raise that first, if you want to adopt them."
            )

    # Categories

    def _make_categories(self) -> None:
        own = dict(CategoryMapping.objects.values_list("category_id", "value"))
        rows = list(Category.objects.all())
        for path in self._paths():
            self._make_category(path, rows, own)

    def _paths(self) -> list[Path]:
        """Return every path that can be chosen, parents first: picked by someone, or on top."""
        picked = self._picked | {(value,) for value in self._levels[0].active}
        prefixes = {path[:depth] for path in picked for depth in range(1, len(path) + 1)}
        return sorted(
            (path for path in prefixes if self._is_active(path)),
            key=lambda path: (len(path), path),
        )

    @cached_property
    def _picked(self) -> set[Path]:
        """The paths that somebody picked."""
        said = self._assessment.cases.order_by().values_list("path", flat=True).distinct()
        return {tuple(path) for path in said}

    def _is_active(self, path: Path) -> bool:
        pairs = zip(self._levels, path, strict=False)
        return not any(level.is_inactive(value) for level, value in pairs)

    def _make_category(self, path: Path, rows: list[Category], own: dict[int, str]) -> None:
        parent, value = self._categories.get(path[:-1]), path[-1]
        if len(path) > 1 and parent is None:
            parent = Category()  # of a dry run: it would be new, and has nothing below it yet
        parent_id = parent.pk if parent else None
        siblings = (
            [row for row in rows if row.parent_id == parent_id]
            if len(path) == 1 or parent_id
            else []
        )
        label = self._label(path)
        category = next((row for row in siblings if own.get(row.pk) == value), None) or next(
            (row for row in siblings if row.label == label), None
        )
        if category is None:
            self._made.categories.append(self._in_words(path))
            if self._is_dry:
                self._made.values.append(f"{self._in_words(path)} = {value}")
                return
            labels = self._labels_above(parent)
            category = Category.objects.at_path([*labels, label], create=True)
            rows.append(category)
        self._categories[path] = category
        self._give_value(category, path, own)

    def _labels_above(self, parent: Category | None) -> list[str]:
        return list(parent.path) if parent else []

    def _give_value(self, category: Category, path: Path, own: dict[int, str]) -> None:
        value = path[-1]
        known = own.get(category.pk)
        if known == value or (not known and category.code == value):
            return
        if known:
            self._made.kept_values.append(f"{self._in_words(path)} = {known}, not {value}")
            return
        self._made.values.append(f"{self._in_words(path)} = {value}")
        own[category.pk] = value
        if not self._is_dry:
            CategoryMapping.objects.update_or_create(
                category=category, defaults={"value": value}
            )

    def _label(self, path: Path) -> str:
        return self._levels[len(path) - 1].label_of(path[-1])[:LABEL_CHARACTERS]

    def _in_words(self, path: Path) -> str:
        return PATH_SEPARATOR.join(
            self._label(path[:depth]) for depth in range(1, len(path) + 1)
        )

    # Fields

    def _map_fields(self, *, is_wanted: bool) -> None:
        slots = (Slot.PRIMARY,) if len(self._levels) == 1 else LEVEL_SLOTS
        for slot, level in zip(slots, self._levels, strict=False):
            self._made.mapping.append(f"{slot.label} → {level.field}")
            if is_wanted and not self._is_dry:
                FieldMapping.objects.filter(field=level.field).exclude(slot=slot).delete()
                FieldMapping.objects.update_or_create(
                    slot=slot,
                    defaults={"field": level.field, "is_active": True, "paused_because": ""},
                )
        self._made.is_mapped = is_wanted and not self._is_dry

    # Labels

    def _make_labels(self, tell: Progress) -> None:
        rows = self._usable()
        if self._is_dry:
            self._foretell_labels(rows)
            return
        total, done = max(rows.count(), 1), 0
        at = leases.now()
        for batch in _batches(rows.order_by("id").iterator(chunk_size=CASES_AT_ONCE)):
            self._keep(batch, at)
            done += len(batch)
            share = CATEGORIES_UNTIL + (LABELS_UNTIL - CATEGORIES_UNTIL) * done / total
            tell(f"{self._made.labels:,} gold labels kept", share)

    def _usable(self) -> "QuerySet[AssessedCase]":
        """Return the Cases with words and a tag that is neither doubtful nor out of use."""
        unused = [list(path) for path in self._picked if not self._is_active(path)]
        rows = self._assessment.cases.filter(doubt=None).exclude(digest=digest(()))
        return rows.exclude(path__in=unused) if unused else rows

    def _foretell_labels(self, rows: "QuerySet[AssessedCase]") -> None:
        """Count in the database: a page waits for it."""
        gold = Concat(Value(THREAD_PREFIX), Substr("digest", 1, THREAD_DIGITS))
        judged = GoldLabel.objects.filter(thread=OuterRef("case_id"))
        known = Transcript.objects.filter(thread=OuterRef("gold"))
        fresh = rows.annotate(gold=gold).filter(~Exists(judged), ~Exists(known))
        self._made.labels = fresh.order_by().values("digest").distinct().count()
        self._made.known = rows.count() - self._made.labels

    def _keep(self, rows: Sequence[AssessedCase], at: Any) -> None:
        """Keep the labels of Cases that nobody has judged here yet."""
        threads = [row.case_id for row in rows]
        judged = set(
            GoldLabel.objects.filter(thread__in=threads).values_list("thread", flat=True)
        )
        fresh: dict[str, AssessedCase] = {}
        for row in rows:
            if row.case_id not in judged:
                fresh.setdefault(row.digest, row)
        with transaction.atomic():
            new = self._kept(list(fresh.values()), at)
        self._made.labels += new
        self._made.known += len(rows) - new

    def _kept(self, rows: Sequence[AssessedCase], at: Any) -> int:
        settled = {
            row.case_id: Settled(row.words, (self._categories[tuple(row.path)],), row.language)
            for row in rows
        }
        new = GoldLabel.objects.keep_all(list(settled.values()), source=SOURCE, at=at)
        # So that a person's word about the Case finds its label, and replaces it.
        by_thread = {each.thread: case_id for case_id, each in settled.items()}
        labels = list(
            GoldLabel.objects.filter(
                source=SOURCE, thread="", transcript__thread__in=by_thread
            ).select_related("transcript")
        )
        for label in labels:
            label.thread = by_thread[label.transcript.thread]
        GoldLabel.objects.bulk_update(labels, ["thread"])
        return new

    # Doubts

    def _set_aside(self) -> None:
        doubtful = list(
            self._assessment.cases.exclude(doubt=None).values_list("case_id", flat=True)
        )
        self._made.doubtful = len(doubtful)
        for batch in _batches(doubtful):
            self._ask_people(batch)

    def _ask_people(self, threads: Sequence[str]) -> None:
        """Open questions about conversations that we have, and that nobody has judged.

        As a conflict: the tag says one thing, all the other Cases another.
        """
        asked = set(
            Review.objects.filter(kind=Review.Kind.CONFLICT, thread__in=threads).values_list(
                "thread", flat=True
            )
        ) | set(GoldLabel.objects.filter(thread__in=threads).values_list("thread", flat=True))
        standing = {
            decision.thread: decision
            for decision in Decision.objects.standing().filter(thread__in=threads)
        }
        at = leases.now()
        questions = [
            Review.asking(
                Review.Kind.CONFLICT, transcript, standing.get(transcript.thread), at=at
            )
            for transcript in Transcript.objects.current().filter(
                thread__in=[thread for thread in threads if thread not in asked]
            )
        ]
        self._made.reviews += len(questions)
        if not self._is_dry:
            Review.objects.open_all(questions)

    # The model

    def _train(self, by: str, tell: Progress) -> None:
        try:
            look_for_news()
            version: ModelVersion = train_candidate(
                at=leases.now(),
                by=by,
                on_progress=lambda said, share: tell(
                    said, LABELS_UNTIL + (1 - LABELS_UNTIL) * share
                ),
            )
        except (NothingNew, NothingToLearn) as error:
            self._made.no_model_because = str(error)
            return
        self._made.model = version.number


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while batch := list(islice(rest, CASES_AT_ONCE)):
        yield batch


def _tell_nobody(_doing: str, _share: float) -> None:
    """Hear of progress and say nothing."""
