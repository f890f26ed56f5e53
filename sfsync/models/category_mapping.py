"""What one category is called in the org, and how far automation may go with it."""

from django.db import models
from simple_history.models import HistoricalRecords

from classifier.models import Category
from sfsync.field_map import CategoryBook, Mode


class CategoryMapping(models.Model):
    """Salesforce's side of a category. No row means: the code is the value, mode automatic."""

    category = models.OneToOneField(
        "classifier.Category", models.CASCADE, related_name="salesforce"
    )
    value = models.CharField(
        "Salesforce value",
        max_length=255,
        blank=True,
        help_text="The picklist value that the org already uses; empty: the category's code.",
    )
    mode = models.CharField(
        max_length=9,
        choices=Mode,
        default=Mode.AUTOMATIC,
        help_text="The lower of this and the connection's mode counts.",
    )

    # Defaults of the database's own, for workers of the version before.
    mode_set_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when the mode is as it is."
    )
    fell_back_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when it is only suggested, by itself."
    )
    fell_back_because = models.CharField(
        max_length=255, blank=True, default="", db_default="", editable=False
    )

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    def __str__(self) -> str:
        return self.value or self.category.code

    @classmethod
    def book(cls) -> CategoryBook:
        """Return all categories with their Salesforce values and modes, in two queries."""
        rows = Category.objects.values_list("code", "label", "parent__code")
        mapped = cls.objects.values_list("category__code", "value", "mode")
        own = [(code, value, Mode(mode)) for code, value, mode in mapped]
        return CategoryBook(
            labels={code: label for code, label, _ in rows},
            parents={code: parent for code, _, parent in rows if parent is not None},
            values={code: value for code, value, _ in own if value},
            modes={code: mode for code, _, mode in own},
        )
