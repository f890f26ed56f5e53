"""What was decided stays hidden from those who may yet be asked about it blind."""

from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, QuerySet, Value

from classifier.models.review import Review

MAY_REVIEW = "classifier.change_review"


def is_hidden_from(user: Any, thread: str = "thread") -> Exists | Value:
    """Return, as an annotation of rows, whether the verdict must not be shown.

    ``thread``: the rows' path to the conversation's key. While a blind audit is open, to
    everybody who may answer reviews. No row more is asked for.
    """
    if not user.has_perm(MAY_REVIEW):
        return Value(False, output_field=BooleanField())  # noqa: FBT003
    audits = Review.objects.waiting().filter(kind=Review.Kind.AUDIT)
    return Exists(audits.filter(thread=OuterRef(thread)))


def without_hidden(rows: "QuerySet[Any]", user: Any, thread: str = "thread") -> "QuerySet[Any]":
    """Return the rows whose verdict ``user`` may be told; the others wait for a blind answer."""
    if not user.has_perm(MAY_REVIEW):
        return rows
    return rows.filter(~is_hidden_from(user, thread))
