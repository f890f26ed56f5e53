"""Class report: how each category does, the rare and the critical ones on their own."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from classifier.engine.example import Example
from classifier.engine.policy import Policy
from classifier.engine.proof import at_least
from classifier.engine.thresholds import Bar, Proof
from classifier.engine.verdict import Doubt, Verdict

RARE = 30
"""Training texts below which a category is rare: a figure of its own proves little of it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How a critical category is watched over."""

    bar: Bar | None
    """None: the model never learnt the category, so rules alone can raise the alarm."""
    caught: int
    """Unseen texts of the category that were tagged with it or came before a person first."""
    at_least: float
    """Share that this proves, one-sided, 95 % sure."""


@dataclass(frozen=True, slots=True)
class ClassReport:
    """One category on texts that were not learnt from."""

    category: str
    train: int
    """Texts learnt from that are of the category or of one below it, as in the rest."""
    test: int
    decided: int
    """Unseen texts whose primary reason is the category itself."""
    right: int
    found: int
    """Of ``test``, those with the category, or one below it, among their reasons."""
    is_rare: bool
    proof: Proof | None
    """What the held-out texts of the training prove; None: not a label of the model."""
    watched: Watched | None
    """None: not critical."""


def class_reports(
    train: Iterable[Example],
    test: Sequence[Example],
    verdicts: Sequence[Verdict],
    policy: Policy,
) -> list[ClassReport]:
    """Return a report for every category that has a text, those with fewest learnt from first.

    ``verdicts[i]`` is what was said of ``test[i]``.
    """
    learnt = _counted(train, policy)
    unseen = _counted(test, policy)
    codes = [node.code for node in policy.taxonomy if learnt[node.code] or unseen[node.code]]
    pairs = list(zip(test, verdicts, strict=True))
    reports = [_report(code, learnt, unseen, pairs, policy) for code in codes]
    return sorted(reports, key=lambda report: (report.train, report.category))


def _report(
    code: str,
    learnt: Mapping[str, int],
    unseen: Mapping[str, int],
    pairs: Sequence[tuple[Example, Verdict]],
    policy: Policy,
) -> ClassReport:
    family = policy.taxonomy.family(code)
    true = [verdict for example, verdict in pairs if not family.isdisjoint(example.categories)]
    decided = [
        not family.isdisjoint(example.categories)
        for example, verdict in pairs
        if verdict.primary and verdict.primary.category == code
    ]
    tagged = [any(reason.category in family for reason in verdict.reasons) for verdict in true]
    return ClassReport(
        code,
        learnt[code],
        unseen[code],
        len(decided),
        sum(decided),
        sum(tagged),
        learnt[code] < RARE,
        policy.thresholds.proofs.get(code),
        _watched(code, true, tagged, policy) if code in policy.critical else None,
    )


def _watched(
    code: str, true: Sequence[Verdict], tagged: Sequence[bool], policy: Policy
) -> Watched:
    caught = sum(
        is_tagged or verdict.doubt is Doubt.CRITICAL
        for verdict, is_tagged in zip(true, tagged, strict=True)
    )
    return Watched(
        policy.thresholds.bar(code, policy.critical[code]),
        caught,
        float(at_least(caught, len(true))),
    )


def _counted(examples: Iterable[Example], policy: Policy) -> Counter[str]:
    """Return how many texts are of each category or of one below it."""
    taxonomy = policy.taxonomy
    counts: Counter[str] = Counter()
    for example in examples:
        known = [code for code in example.categories if code in taxonomy]
        counts.update({one for code in known for one in (code, *taxonomy.ancestors(code))})
    return counts
