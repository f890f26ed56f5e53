"""Opening: what the automation leaves open becomes a question to a person."""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.query import QuerySet

from classifier import leases
from classifier.models import Decision, Review
from classifier.models.decision import DecisionQuerySet

logger = logging.getLogger(__name__)

REVIEWS_AT_ONCE = 500
"""Rows of one transaction: short enough for other writers to wait for."""
_QUESTIONS = {
    # What was drawn for audit is asked blind, also where nobody was sure: asked with suggestions
    # as well, the answer would no longer be an unbiased one.
    Review.Kind.UNSURE: Q(category=None, is_audit=False),
    Review.Kind.AUDIT: Q(is_audit=True) & ~Q(source=Decision.Source.PERSON),
}


def open_reviews(limit: int = REVIEWS_AT_ONCE) -> int:
    """Open reviews of what waits for a person and close those no longer needed.

    A standing decision is asked about once, in words as they are then; a newer decision on
    newer words is asked about anew, in the place of the question that waits. Returns how many
    reviews were opened, renewed or closed, of each kind up to ``limit``. Safe beside another
    worker, and to be repeated.
    """
    at = leases.now()
    opened = closed = 0
    for kind, condition in _QUESTIONS.items():
        with transaction.atomic():
            closed += _close(kind, condition, at, limit)
            opened += _open(kind, condition, at, limit)
    if opened or closed:
        logger.info("reviews_opened=%d reviews_closed=%d", opened, closed)
    return opened + closed


def _close(kind: Review.Kind, condition: Q, at: datetime, limit: int) -> int:
    """Close what the standing decision no longer asks; what somebody is reading stays open."""
    still_asked = Decision.objects.standing().filter(condition, thread=OuterRef("thread"))
    at_rest = Q(reserved_until=None) | Q(reserved_until__lt=at)
    obsolete = Review.objects.filter(at_rest, ~Exists(still_asked), kind=kind, closed_at=None)
    ids = list(obsolete.order_by("id").values_list("pk", flat=True)[:limit])
    return Review.objects.filter(at_rest, pk__in=ids).close_obsolete(at) if ids else 0


def _open(kind: Review.Kind, condition: Q, at: datetime, limit: int) -> int:
    decisions = list(_unasked(kind, condition)[:limit])
    if not decisions:
        return 0
    waiting = Review.objects.filter(
        kind=kind, closed_at=None, thread__in=[decision.thread for decision in decisions]
    )
    known = {review.thread: review for review in waiting}
    fresh = []
    for decision in decisions:
        asked = Review.asking(kind, decision.transcript, decision, at=at)
        review = known.get(decision.thread)
        if review is None:
            fresh.append(asked)
            continue
        for name in _RENEWED:  # it keeps its place and who reads it
            setattr(review, name, getattr(asked, name))
    Review.objects.open_all(fresh)
    Review.objects.bulk_update(known.values(), _RENEWED)
    return len(decisions)


_RENEWED = ("decision", "transcript", "importance", "queue", "team")


def _unasked(kind: Review.Kind, condition: Q) -> "QuerySet[Decision]":
    asked = Review.objects.filter(kind=kind, decision=OuterRef("pk"))
    found: DecisionQuerySet = Decision.objects.standing().filter(condition, ~Exists(asked))
    return found.select_related("transcript").order_by("id")
