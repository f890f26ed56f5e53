"""One contact reason in the tree."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from classifier.engine.policy import Policy
from classifier.engine.taxonomy import Node, Taxonomy, code_of
from classifier.engine.thresholds import Thresholds

PATH_SEPARATOR = " > "
LABEL_CHARACTERS = 120


class CategoryQuerySet(models.QuerySet["Category"]):
    """Finds categories by what people call them, and tells the tree as a value."""

    def active(self) -> Self:
        return self.filter(is_active=True)

    def with_parents(self) -> Self:
        """Load the parents along, so that ``path_label`` asks no more (up to four levels)."""
        return self.select_related("parent__parent__parent")

    def at_path(self, path: Sequence[str], *, create: bool = False) -> "Category":
        """Return the category with these labels from the top down: ``["Billing", "Refund"]``.

        A category that was renamed is still found by the labels its code was made from. With
        ``create`` every level that is missing is made.

        Raises:
            Category.DoesNotExist: a level is missing, and ``create`` is not set.
            ValueError: the path is empty, or a level is empty or longer than a label may be.
        """
        if not path or not all(0 < len(label) <= LABEL_CHARACTERS for label in path):
            raise ValueError(f"a path needs labels of 1 to {LABEL_CHARACTERS} characters")
        parent: Category | None = None
        for depth in range(1, len(path) + 1):
            parent = self._level(path[:depth], parent, create=create)
        assert parent is not None  # noqa: S101 - the path has a level
        return parent

    def _level(
        self, path: Sequence[str], parent: "Category | None", *, create: bool
    ) -> "Category":
        found = self.filter(parent=parent, label=path[-1]).first() or self._renamed(path)
        if found is not None:
            return found
        if not create:
            raise Category.DoesNotExist(f"no category {PATH_SEPARATOR.join(path)}")
        code = code_of(path, set(self.model.objects.values_list("code", flat=True)))
        return self.create(code=code, label=path[-1], parent=parent)

    def _renamed(self, path: Sequence[str]) -> "Category | None":
        """Return the category that had these labels when its code was made, if one did.

        A category whose present labels make the same code was never renamed: it is another one
        that reads alike (“Re-fund”, “Re fund”).
        """
        found = self.with_parents().filter(code=code_of(path)).first()
        return found if found and code_of(found.path) != found.code else None

    def subtree(self, code: str) -> set[int]:
        """Return the keys of the category with this code and of all below it; none: no such."""
        rows = list(self.model.objects.values_list("pk", "parent_id", "code"))
        found = {pk for pk, _, own in rows if own == code}
        below = found
        while below:
            below = {pk for pk, parent, _ in rows if parent in below} - found
            found = found | below
        return found

    def taxonomy(self) -> Taxonomy:
        """Return the active categories as the engine sees them.

        The children of an inactive category hang below its nearest active ancestor. A ring of
        parents (the form refuses it) is no reason to stop: its members hang at the top.
        """
        return _tree(self.model.objects.all())

    def policy(self, thresholds: Thresholds, **more: Any) -> Policy:
        """Return how verdicts are reached: the tree, and what is demanded of its categories.

        One query. ``more``: what else a Policy holds.
        """
        rows = list(self.model.objects.all())
        active = [row for row in rows if row.is_active]
        return Policy(
            _tree(rows),
            thresholds,
            own_proof=frozenset(row.code for row in active if row.needs_own_proof),
            critical={row.code: row.recall_floor for row in active if row.is_critical},
            **more,
        )


def _tree(categories: "Iterable[Category]") -> Taxonomy:
    """Return the active ones as a tree; see ``taxonomy``."""
    rows = {row.pk: row for row in categories}

    def active_parent(row: Category) -> str | None:
        found, seen = None, {row.pk}
        while row.parent_id is not None:
            row = rows[row.parent_id]
            if row.pk in seen:
                return None
            seen.add(row.pk)
            found = found or (row.code if row.is_active else None)
        return found

    return Taxonomy(
        tuple(
            Node(row.code, row.label, active_parent(row))
            for row in rows.values()
            if row.is_active
        )
    )


class RecallFloor(float, models.Choices):
    """The floors that a training finds a bar for (``engine.criticality.FLOORS``)."""

    FOUR_IN_FIVE = 0.8, "80 %"
    NINE_IN_TEN = 0.9, "90 %"
    MOST = 0.95, "95 %"
    NEARLY_ALL = 0.98, "98 %"
    ALMOST_EACH = 0.99, "99 %"

    def __str__(self) -> str:  # a form compares it with what its options hold
        return str(self.value)


class Category(models.Model):
    """A contact reason. Its ``code`` is fixed once created; its label can change."""

    code = models.CharField(max_length=80, unique=True, editable=False)
    label = models.CharField(
        max_length=LABEL_CHARACTERS, help_text="What people read, for example “Refund”."
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    guideline = models.TextField(
        blank=True,
        help_text="For people: what belongs here and what does not, in a sentence or two.",
    )
    is_active = models.BooleanField(
        default=True, help_text="An inactive category is kept for the record but never decided."
    )
    needs_own_proof = models.BooleanField(
        "needs a proof of its own",
        default=False,
        help_text="The model decides for it only once its own labelled conversations prove that it"
        " is right often enough; until then it is suggested. Otherwise they may be proven together"
        " with others.",
    )
    is_critical = models.BooleanField(
        "critical",
        default=False,
        help_text="Must not be missed, such as fraud: where it may be meant, it is written, or a"
        " person sees the conversation before any other.",
    )
    recall_floor = models.FloatField(
        "found at least",
        choices=RecallFloor,
        default=RecallFloor.MOST,
        help_text="Of a critical category: the share of its conversations that must be written or"
        " come before a person. The higher, the more a person has to look at.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords()

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ("code",)
        verbose_name_plural = "categories"
        constraints = (
            models.UniqueConstraint(
                fields=["parent", "label"],
                name="siblings_have_different_labels",
                violation_error_message="There is already a category with this label here.",
            ),
            models.UniqueConstraint(
                fields=["label"],
                condition=Q(parent=None),
                name="top_categories_have_different_labels",
                violation_error_message="There is already a top category with this label.",
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=models.F("id")),
                name="a_category_is_not_its_own_parent",
            ),
            models.CheckConstraint(
                condition=Q(recall_floor__gt=0.0, recall_floor__lt=1.0),
                name="a_recall_floor_is_a_share_that_can_be_kept",
            ),
        )

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        if self.pk and any(ancestor.pk == self.pk for ancestor in self._ancestors()):
            raise ValidationError({"parent": "A category cannot stand below itself."})

    @property
    def path(self) -> list[str]:
        """The labels from the top down to this one."""
        return [*reversed([ancestor.label for ancestor in self._ancestors()]), self.label]

    @property
    def path_label(self) -> str:
        """The path as people write it: ``Billing > Refund``."""
        return PATH_SEPARATOR.join(self.path)

    def _ancestors(self) -> "Iterator[Category]":
        """Yield the parents, nearest first; a ring of parents is gone round once."""
        seen: set[int] = set()
        ancestor = self.parent
        while ancestor is not None and ancestor.pk not in seen:
            seen.add(ancestor.pk)
            yield ancestor
            ancestor = ancestor.parent
