"""What Salesforce adds to a category: its value in the org, and how far automation may go."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classifier.admin import CategoryAdmin
from classifier.admin.base import TabularInline, ago, badge
from classifier.models import Category
from sfsync import mode_setting, pushing
from sfsync.models import CategoryMapping, Mode

MODE_TONES = {Mode.SHADOW: "plain", Mode.SUGGEST: "calm", Mode.AUTOMATIC: "good"}


class CategoryMappingInline(TabularInline):
    model = CategoryMapping
    fields = ("value", "mode", "fallen")
    readonly_fields = ("fallen",)
    can_delete = False
    min_num = 1
    max_num = 1
    verbose_name = "in Salesforce"
    verbose_name_plural = "in Salesforce"

    @admin.display(description="Fell back by itself")
    def fallen(self, mapping: CategoryMapping) -> SafeString | str:
        if mapping.fell_back_at is None:
            return "No."
        return format_html(
            "{}. {} Set the mode to automatic to take it back.",
            ago(mapping.fell_back_at),
            mapping.fell_back_because,
        )


admin.site.unregister(Category)


@admin.register(Category)
class MappedCategoryAdmin(CategoryAdmin):
    list_display = (
        "tree_label", "code", "mode", "salesforce_value", "rule_count", "example_count", "is_active",
    )  # fmt: skip
    list_select_related = (*CategoryAdmin.list_select_related, "salesforce")
    list_filter = (*CategoryAdmin.list_filter, "salesforce__mode")
    inlines = (CategoryMappingInline,)

    def save_formset(
        self,
        request: HttpRequest,
        form: Any,
        formset: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        """A change of mode lets held write-backs go, so a doing makes it; so may a value."""
        category = form.instance
        wanted = [one.instance.mode for one in formset.forms if "mode" in one.changed_data]
        before = mapping_of(Category.objects.select_related("salesforce").get(pk=category.pk))
        super().save_formset(request, form, formset, change)
        for mode in wanted:
            CategoryMapping.objects.filter(category=category).update(
                mode=before.mode if before else Mode.AUTOMATIC
            )
            mode_setting.set_mode(Mode(mode), category.code, by=request.user.get_username())
        if any("value" in one.changed_data for one in formset.forms):
            pushing.look_again()

    @admin.display(description="Mode", ordering="salesforce__mode")
    def mode(self, category: Category) -> SafeString:
        mapping = mapping_of(category)
        mode = Mode(mapping.mode) if mapping else Mode.AUTOMATIC
        name, _, meaning = mode.label.partition(": ")
        if mapping and mapping.fell_back_at:
            return badge(f"{name}, fell back", "warn", mapping.fell_back_because)
        return badge(name, MODE_TONES[mode], meaning.capitalize())

    @admin.display(description="Salesforce value", ordering="salesforce__value")
    def salesforce_value(self, category: Category) -> str:
        mapping = mapping_of(category)
        return mapping.value if mapping and mapping.value else "the code"


def mapping_of(category: Category) -> CategoryMapping | None:
    """Return Salesforce's side of a category, None where its code and automatic mode count."""
    return getattr(category, "salesforce", None)
