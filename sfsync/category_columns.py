"""What Salesforce adds to the file of categories: the value in the org, and the mode."""

from collections.abc import Mapping, Sequence

from classifier.models import Category
from sfsync import mode_setting, pushing
from sfsync.models import CategoryMapping, Mode

VALUE, MODE = "salesforce_value", "salesforce_mode"
VALUE_CHARACTERS = 255


class SalesforceColumns:
    """Empty cells mean: the category's code is the value, and the mode is automatic."""

    names: tuple[str, ...] = (VALUE, MODE)
    permission = "sfsync.change_categorymapping"

    def cells(self) -> Mapping[str, Sequence[str]]:
        rows = CategoryMapping.objects.values_list("category__code", "value", "mode")
        return {
            code: (value, "" if mode == Mode.AUTOMATIC else mode) for code, value, mode in rows
        }

    def mistake(self, name: str, cell: str) -> str:
        if name == VALUE and (len(cell) > VALUE_CHARACTERS or ";" in cell or "\n" in cell):
            return (
                f"A picklist value is one line of at most {VALUE_CHARACTERS} characters without"
                " semicolons."
            )
        if name == MODE and cell and cell not in Mode.values:
            return (
                f"“{cell[:40]}” is no mode; write one of {', '.join(Mode.values)}, or nothing."
            )
        return ""

    def keep(self, changes: Mapping[str, Mapping[str, str]], *, by: str) -> None:
        """Store values at once; a change of mode may let write-backs go, so a doing makes it."""
        values = {code: cells[VALUE] for code, cells in changes.items() if VALUE in cells}
        modes = {code: cells[MODE] for code, cells in changes.items() if MODE in cells}
        ids = dict(Category.objects.filter(code__in=changes).values_list("code", "id"))
        CategoryMapping.objects.bulk_create(
            [
                CategoryMapping(category_id=ids[code], value=value)
                for code, value in values.items()
            ],
            update_conflicts=True,
            unique_fields=["category"],
            update_fields=["value"],
            batch_size=500,
        )
        for code, mode in modes.items():
            mode_setting.set_mode(Mode(mode or Mode.AUTOMATIC), code, by=by)
        if values:
            pushing.look_again()
