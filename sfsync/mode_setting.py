"""Mode setting: how far automation may go, and the switch that stops all writing."""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from simple_history.utils import update_change_reason

from classifier import leases
from classifier.models import Category
from sfsync.field_map import Mode, Slot
from sfsync.models import CategoryMapping, Connection, FieldMapping, Notice, WriteBack
from sfsync.terms import release_held

logger = logging.getLogger(__name__)


class UnknownCategory(LookupError):
    """There is no category of this code; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ModeChange:
    """What a change of mode did."""

    mode: Mode
    before: Mode
    was_paused: bool
    """Whether writing was paused, and goes on now."""
    released: int
    """Write-backs that were held, or had only been suggested, and are due now."""


def set_mode(mode: Mode, category_code: str | None = None, *, by: str = "") -> ModeChange:
    """Set the connection's mode, or one category's; return what that did.

    Setting the connection's mode also resumes writing that was paused. A mode that reaches
    further lets held write-backs go, and completes Cases that only had the suggestion.
    ``by`` says who, for the log.

    Raises:
        UnknownCategory: there is no category ``category_code``.
    """
    with transaction.atomic():
        was_paused = category_code is None and Connection.current().paused_at is not None
        before = (
            _set_connection_mode(mode)
            if category_code is None
            else _set_category_mode(mode, category_code, by or "somebody")
        )
        released = release_held()
        if mode is Mode.AUTOMATIC and before is Mode.SUGGEST:
            released += _complete_suggested(category_code)
    logger.info(
        "mode=%s before=%s category=%s by=%s released=%d",
        mode.value, before.value, category_code or "all", by or "unknown", released,
    )  # fmt: skip
    return ModeChange(mode, before, was_paused, released)


def pause(*, by: str = "") -> None:
    """Stop all writing: no call is begun from now on, nothing is lost."""
    connection = Connection.current()
    if connection.paused_at is None:
        Connection.objects.filter(pk=connection.pk).update(paused_at=leases.now())
    logger.info("writing=paused by=%s", by or "unknown")


def resume(*, by: str = "") -> int:
    """Let writing go on; return how many held write-backs that made due."""
    Connection.objects.filter(pk=Connection.current().pk).update(paused_at=None)
    logger.info("writing=resumed by=%s", by or "unknown")
    return release_held()


def _set_connection_mode(mode: Mode) -> Mode:
    connection = Connection.current()
    Connection.objects.filter(pk=connection.pk).update(mode=mode, paused_at=None)
    return Mode(connection.mode)


def fall_back(code: str, *, because: str, at: datetime) -> bool:
    """Let an automatic category be only suggested, by itself; False where it is not automatic.

    Setting its mode takes that back. What was written stays.
    """
    with transaction.atomic():
        category = Category.objects.get(code=code)
        mapping, _ = CategoryMapping.objects.select_for_update().get_or_create(
            category=category
        )
        if mapping.mode != Mode.AUTOMATIC:
            return False
        mapping.mode = Mode.SUGGEST
        mapping.mode_set_at = mapping.fell_back_at = at
        mapping.fell_back_because = because[:255]
        _keep(mapping, f"Fell back by itself. {because}")
        return True


def fallen_key(code: str) -> str:
    """Return the key of the notice that tells of a category's fall-back."""
    return f"fell-back:{code}"


def _keep(mapping: CategoryMapping, why: str) -> None:
    """Save a mode, with a line in the category's history."""
    mapping.save(update_fields=["mode", "mode_set_at", "fell_back_at", "fell_back_because"])
    update_change_reason(mapping, why)


def _set_category_mode(mode: Mode, code: str, by: str) -> Mode:
    category = Category.objects.filter(code=code).first()
    if category is None:
        raise UnknownCategory(
            f"There is no category with the code {code!r}. The codes are listed under"
            " Categories in the admin, for example billing.refund."
        )
    mapping, _ = CategoryMapping.objects.get_or_create(category=category)
    before = Mode(mapping.mode)
    mapping.mode = mode
    mapping.mode_set_at, mapping.fell_back_at, mapping.fell_back_because = (
        leases.now(),
        None,
        "",
    )
    _keep(mapping, f"Set by {by}.")
    Notice.clear(fallen_key(code), mapping.mode_set_at)
    return before


def _complete_suggested(category_code: str | None) -> int:
    """Make due again what was written while only the suggestion was allowed."""
    suggestion = Q(slot=Slot.SUGGESTION)
    others = FieldMapping.objects.filter(~suggestion, is_active=True).values_list(
        "field", flat=True
    )
    outcomes = [WriteBack.Outcome.DELIVERED, WriteBack.Outcome.UNCHANGED]
    rows = WriteBack.objects.filter(outcome__in=outcomes, decision__superseded_at=None)
    if category_code is not None:
        rows = rows.filter(decision__category__code=category_code)
    for field in others:
        rows = rows.exclude(fields__has_key=field)
    ids = rows.order_by().values("pk")
    return WriteBack.objects.filter(pk__in=ids).make_due(leases.now())
