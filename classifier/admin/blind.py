"""What was decided stays hidden from those who may yet be asked about it blind."""

from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, Value
from django.utils.safestring import SafeString

from classifier.admin.base import badge
from classifier.models import Review

MAY_REVIEW = "classifier.change_review"
WHY = "Drawn for blind audit: shown once somebody has answered, so that nobody is swayed."


def is_hidden_from(user: Any, thread: str = "thread") -> Exists | Value:
    """Return, as an annotation of rows, whether the verdict must not be shown.

    ``thread``: the rows' path to the conversation's key. While a blind audit is open, to
    everybody who may answer reviews. No row more is asked for.
    """
    if not user.has_perm(MAY_REVIEW):
        return Value(False, output_field=BooleanField())  # noqa: FBT003
    audits = Review.objects.waiting().filter(kind=Review.Kind.AUDIT)
    return Exists(audits.filter(thread=OuterRef(thread)))


def hidden() -> SafeString:
    """Return what stands in the verdict's place."""
    return badge("hidden: blind audit", "calm", WHY)
