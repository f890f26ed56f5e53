"""Choosing one category of many: a box that finds it by a few letters of its path."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from classifier.models import Category
from classifier.models.category import PATH_SEPARATOR

ANSWERS = "classifier_category_choices"
NO_PARENT = "none: a top category"
CHOICES_AT_ONCE = 20  # the box asks for more as one scrolls


def choice_label(category: Category) -> str:
    """Return what the box says of a category; its parents should be loaded along."""
    label = category.path_label
    return label if category.is_active else f"{label} (not active)"


class CategoryChoices(AutocompleteJsonView):
    """Answers the box: every word that is typed is looked for in the whole path."""

    paginate_by = CHOICES_AT_ONCE

    def get_queryset(self) -> "QuerySet[Category]":
        words = self.term.replace(PATH_SEPARATOR.strip(), " ")
        rows = Category.objects.with_parents()
        found, _ = self.model_admin.get_search_results(self.request, rows, words)
        chosen: QuerySet[Category] = found
        return chosen

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        found = super().serialize_result(obj, to_field_name)
        return {**found, "text": choice_label(obj) if isinstance(obj, Category) else ""}

    def has_perm(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Whoever works with rules, decisions or feedback reads these names there anyhow.
        return bool(self.model_admin.has_module_permission(request))


class CategorySelect(AutocompleteSelect):
    """The box. However many categories there are, the page holds the chosen one alone."""

    url_name = f"%s:{ANSWERS}"
    nothing = "Type a few letters"
    """What an empty box says."""

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        return {**attrs, "data-placeholder": self.nothing}

    @property
    def media(self) -> forms.Media:
        # Named with what it needs: scripts of a page stand in no other order than is said.
        own = forms.Media(js=["admin/js/jquery.init.js", "classifier/category_choice.js"])
        return super().media + own


class ParentSelect(CategorySelect):
    """The box of the category above, which may stay empty."""

    nothing = NO_PARENT


class CategoryField(forms.ModelChoiceField[Category]):
    """A category by its path, such as “Billing > Refund”."""

    def __init__(self, queryset: Any, **kwargs: Any) -> None:
        super().__init__(queryset.with_parents(), **kwargs)

    def label_from_instance(self, obj: Category) -> str:
        return choice_label(obj)


def in_box(
    db_field: Any, site: AdminSite, widget: type[CategorySelect] = CategorySelect
) -> dict[str, Any]:
    """Return what ``formfield_for_foreignkey`` needs so that the field is such a box."""
    return {"widget": widget(db_field, site), "form_class": CategoryField}


class CategoryFilterForm(AutocompleteDropdownForm):
    field = CategoryField
    widget = CategorySelect


class CategoryFilter(AutocompleteSelectFilter):
    """Narrows a list to one category, chosen in the same box."""

    form_class = CategoryFilterForm
