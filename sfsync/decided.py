"""A stored decision as the Salesforce side sees it."""

from classifier.models import Decision
from sfsync.field_map import CategoryBook, Decided
from sfsync.wording import evidence_text, version_text


def to_decided(decision: Decision, book: CategoryBook) -> Decided:
    """Return what a decision says; its category, reasons and transcript are best loaded."""
    return Decided(
        codes=_codes(decision),
        source=decision.get_source_display(),
        confidence=decision.confidence,
        evidence=evidence_text(decision, book),
        version=version_text(decision),
        decided_at=decision.decided_at,
        takes_back=decision.takes_back,
    )


def _codes(decision: Decision) -> tuple[str, ...]:
    if decision.category is None:
        return ()
    others = (
        reason.category.code for reason in decision.reasons.all() if not reason.is_suggestion
    )
    return tuple(dict.fromkeys((decision.category.code, *others)))
