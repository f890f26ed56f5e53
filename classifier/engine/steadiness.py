"""Steadiness: a reason that stands gives way to a clearly better one, never to a slightly better."""

import math
from collections.abc import Sequence

from classifier.engine.taxonomy import Taxonomy
from classifier.engine.verdict import Doubt, Reason, Verdict

CLEARLY = math.log(30)
"""By how much the new reason's log-odds must exceed those of the old one, both read in the same
words: thirty times the odds, for example 0.9 against 0.23 or 0.97 against 0.52. Measured: see
"A written reason is steady" in docs/decisions."""
_UNLISTED = 0.05  # what is not even suggested is no likelier than this
_SUREST = 1e-6


def steadied(
    verdict: Verdict, standing: Sequence[Reason], taxonomy: Taxonomy
) -> Verdict | None:
    """Return what may take the place of ``standing``; None: what stands keeps standing.

    ``standing``: the reasons that hold now, primary first; none: abstained. A verdict that
    abstains replaces no reason, unless something critical may be meant that is not among them.
    The primary reason stays where the verdict still names it, names what lies above it, or is
    not clearly better; a reason below it refines it. What a rule may decide alone takes its place,
    unless such a rule speaks for it too. Further reasons are added and stay as long
    as the primary one does, so that one more message never takes away what the one before
    brought. A reason that is no longer in ``taxonomy`` holds nothing up.
    """
    if not standing or standing[0].category not in taxonomy:
        return verdict
    old, new = standing[0].category, verdict.primary
    if new is None:
        return verdict if _is_alarm(verdict, standing, taxonomy) else None
    named = {reason.category: reason for reason in verdict.reasons}
    if old in named and (named[old].is_ruled or not new.is_ruled):
        others = (reason for reason in verdict.reasons if reason.category != old)
        return _with_others(verdict, (named[old], *others), standing, taxonomy)
    if new.category in taxonomy.family(old):
        return _with_others(verdict, verdict.reasons, standing, taxonomy)
    if old in taxonomy.family(new.category) or not _is_clearly_better(verdict, new, old):
        return None
    return verdict


def _is_alarm(verdict: Verdict, standing: Sequence[Reason], taxonomy: Taxonomy) -> bool:
    """Say whether a critical category, suggested first, may be meant and does not stand yet."""
    if verdict.doubt is not Doubt.CRITICAL:
        return False
    if not verdict.suggestions:
        return True  # nobody asked for suggestions, so nobody can tell which it is
    family = taxonomy.family(verdict.suggestions[0].category)
    return family.isdisjoint(reason.category for reason in standing)


def _is_clearly_better(verdict: Verdict, new: Reason, old: str) -> bool:
    if new.is_ruled:
        return True  # somebody wrote down that these words mean this
    listed = {reason.category: reason.score for reason in verdict.suggestions}
    # What is not suggested was less likely than all that is.
    least = min(listed.values(), default=_UNLISTED)
    return _log_odds(new.score) - _log_odds(listed.get(old, least)) >= CLEARLY


def _with_others(
    verdict: Verdict,
    reasons: Sequence[Reason],
    standing: Sequence[Reason],
    taxonomy: Taxonomy,
) -> Verdict:
    """Return the verdict with these reasons, and those further ones that stand already."""
    kept = list(reasons)
    fresh = {reason.category: reason for reason in verdict.suggestions}
    for reason in standing[1:]:
        code = reason.category
        if code in taxonomy and not any(
            taxonomy.are_related(code, one.category) for one in kept
        ):
            kept.append(fresh.get(code, reason._replace(evidence=())))
    taken = {reason.category for reason in kept}
    suggestions = tuple(one for one in verdict.suggestions if one.category not in taken)
    return Verdict(tuple(kept), suggestions)


def _log_odds(score: float) -> float:
    safe = min(max(score, _SUREST), 1 - _SUREST)
    return math.log(safe / (1 - safe))
