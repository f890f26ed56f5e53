"""The tree of contact reasons."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Count, ForeignKey, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin

from classifier.admin.base import ModelAdmin
from classifier.admin.category_choice import (
    ANSWERS,
    NO_PARENT,
    CategoryChoices,
    ParentSelect,
    in_box,
)
from classifier.admin.exchange import TaxonomyFilePages, WithTaxonomyFile
from classifier.engine.taxonomy import code_of
from classifier.models import Category, GoldReason, KeywordRule
from classifier.models.category import PATH_SEPARATOR

PARENTS = "parent__parent__parent"
"""To select along with a category on list pages, so that ``path_label`` asks for no row."""


def path_labels() -> dict[int, str]:
    """Return what people read for each category's id, such as “Billing > Refund”. One query."""
    return {pk: label for pk, _, label in _paths()}


def known_categories() -> dict[str, tuple[int, str]]:
    """Return the id of each category's code and what people read for it. One query."""
    return {code: (pk, label) for pk, code, label in _paths()}


def _paths() -> Iterator[tuple[int, str, str]]:
    """Yield id, code and path of each category; thousands of rows as objects would take long."""
    rows = {
        pk: (parent, code, label)
        for pk, parent, code, label in Category.objects.values_list(
            "pk", "parent_id", "code", "label"
        )
    }
    for pk, (parent, code, label) in rows.items():
        path, seen = [label], {pk}
        while parent is not None and parent not in seen:  # a ring is gone round once
            seen.add(parent)
            above = rows[parent]
            path.append(above[2])
            parent = above[0]  # noqa: PLW2901 - walks up the tree
        yield pk, code, PATH_SEPARATOR.join(reversed(path))


def _counted(rows: "QuerySet[Any]") -> Coalesce:
    """Return how many of ``rows`` belong to each category, as an annotation."""
    per_category = rows.filter(category=OuterRef("pk")).order_by().values("category")
    counted = per_category.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


@admin.register(Category)
class CategoryAdmin(TaxonomyFilePages, WithTaxonomyFile, SimpleHistoryAdmin, ModelAdmin):
    list_display: tuple[str, ...] = (
        "tree_label",
        "code",
        "rule_count",
        "example_count",
        "is_critical",
        "is_active",
    )
    list_filter: tuple[str, ...] = ("is_active", "is_critical", "needs_own_proof")
    list_select_related: tuple[str, ...] = ("parent",)
    search_fields = ("label", "code", "parent__label", "parent__parent__label")
    ordering = ("code",)
    fields = (
        "label",
        "parent",
        "code",
        "guideline",
        "is_active",
        "needs_own_proof",
        "is_critical",
        "recall_floor",
    )
    readonly_fields = ("code",)
    history_list_display = ("label", "is_active", "is_critical", "needs_own_proof")
    when_empty = (
        "A category is one reason why customers contact you, for example “Billing > Refund”. "
        "Add your own, import them with your labelled conversations, or load the starter pack."
    )
    when_empty_command = "python manage.py load_starter_pack"

    def get_urls(self) -> list[URLPattern]:
        choices = self.admin_site.admin_view(
            CategoryChoices.as_view(admin_site=self.admin_site)
        )
        return [path("choices/", choices, name=ANSWERS), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Category]":
        rows: QuerySet[Category] = super().get_queryset(request)
        return rows.annotate(
            rule_number=_counted(KeywordRule.objects.filter(is_active=True)),
            example_number=_counted(GoldReason.objects.all()),
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Category | None = None
    ) -> tuple[str, ...]:
        # The code is made from the place in the tree and stands in Salesforce: both stay.
        return ("code", "place") if obj else ("code",)

    def get_fields(self, request: HttpRequest, obj: Category | None = None) -> list[str]:
        return ["place" if name == "parent" and obj else name for name in self.fields]

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "parent":
            kwargs |= in_box(db_field, self.admin_site, ParentSelect)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "guideline":
            field.widget.attrs["rows"] = 4
        if field is not None and db_field.name == "recall_floor":
            field.required = False  # left out, it stays as it is
        return field

    def save_model(
        self,
        request: HttpRequest,
        obj: Category,
        form: "ModelForm[Category]",
        change: bool,  # noqa: FBT001
    ) -> None:
        if not change:
            taken = set(Category.objects.values_list("code", flat=True))
            obj.code = code_of(obj.path, taken)
        super().save_model(request, obj, form, change)

    @admin.display(description="Category", ordering="code")
    def tree_label(self, category: Category) -> SafeString:
        depth = category.code.count(".")
        return format_html(
            '<span class="cr-tree" style="--depth: {}">{}</span>', depth, category.label
        )

    @admin.display(description="Parent")
    def place(self, category: Category) -> str:
        return category.parent.path_label if category.parent else NO_PARENT

    @admin.display(description="Rules", ordering="rule_number")
    def rule_count(self, category: Category) -> int:
        return category.rule_number  # type: ignore[attr-defined,no-any-return]

    @admin.display(description="Labelled examples", ordering="example_number")
    def example_count(self, category: Category) -> int:
        return category.example_number  # type: ignore[attr-defined,no-any-return]
