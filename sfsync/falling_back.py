"""Falling back: a category whose audits break the promise is only suggested, until a person acts."""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from classifier import auditing
from classifier.engine.breach import is_broken
from classifier.models import Category, ModelVersion
from sfsync import mode_setting
from sfsync.models import CategoryMapping, Connection, Mode, Notice

logger = logging.getLogger(__name__)

LOOKED_BACK = timedelta(days=180)
OVERRIDES = "overrides:"


def watch_precision(moment: datetime) -> list[str]:
    """Let each automatic category fall back whose audited precision breaks the promise.

    Return their codes. What was decided before a person last set the category's mode, or by an
    earlier champion, does not count: every change begins a new test.
    """
    since = _since(moment)
    found = auditing.audited(since)
    categories = Category.objects.with_parents().in_bulk(found)
    mappings = {
        row.category_id: row for row in CategoryMapping.objects.filter(category__in=found)
    }
    fallen = []
    for pk, category in categories.items():
        mapping = mappings.get(pk)
        begun = (mapping.mode_set_at if mapping else None) or since
        judged = [one.is_right for one in found[pk] if one.decided_at >= begun]
        is_automatic = mapping is None or mapping.mode == Mode.AUTOMATIC
        if is_automatic and is_broken(
            sum(judged), len(judged), settings.TARGET_PRECISION, among=len(categories)
        ):
            _fall_back(category, sum(judged), len(judged), moment)
            fallen.append(category.code)
    return fallen


def watch_overrides(moment: datetime) -> list[str]:
    """Keep a notice for each category that people override beyond chance; return their codes.

    Whole weeks up to the last midnight (UTC), so that a day's many looks are one.
    """
    until = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    found = {one.category.code: one for one in auditing.overridden(until)}
    for code, one in found.items():
        change = one.change
        told = (
            f"People overrode {one.category.path_label} {change.count} times in the week up to"
            f" {until:%d %b %Y}; the weeks before let expect {change.expected:.0f} (up to"
            f" {change.high:.0f} by chance). Look at what they chose instead (Feedback, corrected),"
            " then at its rules and the last model; or set its mode to suggest under Categories."
        )
        Notice.raise_for(f"{OVERRIDES}{code}", Notice.Level.WARNING, told, moment, rings=True)
    still = Notice.objects.still_open().filter(key__startswith=OVERRIDES)
    for key in still.values_list("key", flat=True):
        if key.removeprefix(OVERRIDES) not in found:
            Notice.clear(key, moment)
    return list(found)


def _since(moment: datetime) -> datetime:
    champion = (
        ModelVersion.objects.champions().values_list("promoted_at", "restored_at").first()
    )
    begun = max(filter(None, champion or ()), default=None)
    return max(filter(None, (begun, moment - LOOKED_BACK)))


def _fall_back(category: Category, right: int, of: int, moment: datetime) -> None:
    promise = f"{settings.TARGET_PRECISION:.0%}".replace("%", " %")
    because = (
        f"Of {of} blind audits {right} were right ({right / of:.0%})".replace("%", " %")
        + f", which breaks the promise of {promise}."
    )
    if not mode_setting.fall_back(category.code, because=because, at=moment):
        return
    is_ceiling = Connection.current().mode == Mode.AUTOMATIC
    written = "New Cases get the suggestion only." if is_ceiling else ""
    text = (
        f"{category.path_label} fell back from automatic to suggest by itself. {because} {written}"
        " Look at its rules and at what people said, train a model; then set its mode to automatic"
        " again under Categories."
    )
    key = mode_setting.fallen_key(category.code)
    Notice.raise_for(key, Notice.Level.WARNING, text, moment, rings=True)
    logger.warning("category=%s fell_back right=%d of=%d", category.code, right, of)
