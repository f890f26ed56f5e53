"""Hybrid: what the rules alone, the model alone and both together are worth on the same texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.chance import Floats, Measured, Share, measured
from classifier.engine.example import Example
from classifier.engine.metrics import macro_f1, micro_f1
from classifier.engine.policy import Policy, scores_after_rules, settle
from classifier.engine.promise import choose_thresholds
from classifier.engine.rules import Effect, Hit, Rule, RuleBook
from classifier.engine.stream import Stream
from classifier.engine.strength import (
    RuleRecord,
    Strength,
    against_model,
    measure,
    with_strengths,
)
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.thresholds import HeldOut

NEVER = 1.0
"""A ``decisive`` that no measured strength reaches: the rule only moves the model's odds."""
_DECISIVE = (NEVER, 0.95)
_BOOSTS = (0.0, 1.0, 2.0, 4.0)
_PARTS = 5

Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Side:
    """How good one way to answer is on unseen texts; shares in [0, 1], None: no text to tell by."""

    coverage: float
    """Share of all texts that get a reason without a person, at thresholds chosen on train."""
    precision: float | None
    """Share of those whose primary reason is a true label or an ancestor of one."""
    precision_low: float
    precision_high: float
    coverage_ceiling: float
    """The largest share, surest first, whose precision on these very texts is the target."""
    accuracy: float | None
    """In-scope texts whose likeliest label is true; no threshold."""
    micro_f1: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class HybridReport:
    """Three ways to answer side by side, and what the hybrid adds to the better of the others."""

    rules_only: Side
    model_only: Side
    hybrid: Side
    better: str
    """The one of the two others with the higher coverage."""
    gain_in_coverage: Measured
    """Hybrid less the better one, with the 95 % interval of a paired bootstrap of the texts."""
    gain_in_accuracy: Measured
    """Hybrid less the better one in accuracy; of in-scope texts."""
    decisive: float
    """Measured strength from which on a rule decides alone, chosen out-of-fold; 1: never."""
    boost: float
    """What a rule adds to the model's log-odds per unit of strength, chosen out-of-fold."""
    rules: int = 0
    strengths: Mapping[str, Strength] = field(default_factory=dict)
    """Measured on train, by name."""
    overtaken: tuple[str, ...] = ()
    """Rules where the model is right more often on test, beyond chance."""

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold, without the strengths of single rules."""
        found = asdict(self)
        del found["strengths"]
        return found | {"overtaken": list(self.overtaken)}


@dataclass(frozen=True, slots=True)
class Texts:
    """Labelled texts with what a model that has not seen them says, and which rules hold."""

    examples: tuple[Example, ...]
    said: HeldOut
    hits: tuple[tuple[Hit, ...], ...]
    """With strengths that were measured on other texts."""

    @property
    def truths(self) -> tuple[frozenset[str], ...]:
        return self.said.truths


def compare_with_rules(
    train: Sequence[Example],
    out_of_fold: HeldOut,
    test: Sequence[Example],
    unseen: HeldOut,
    rules: Iterable[Rule],
    policy: Policy,
) -> HybridReport:
    """Return what rules, model and both are worth on ``test``; all is chosen on ``train`` alone.

    ``out_of_fold`` is what the model said of the train texts in the order of their keys, each by
    a model that had not seen it; ``unseen`` what it says of the test texts, in their order.
    ``policy`` holds the model's own thresholds. A rule's strength on a train text is measured on
    the other parts of train, as its strength on a test text is measured on the whole of train.
    """
    book = RuleBook(rules)
    learning = _learning(train, out_of_fold, book, policy.taxonomy)
    bare = book.match_all(example.transcript for example in learning.examples)
    strengths = measure(bare, learning.truths, policy.taxonomy)
    found = book.match_all(example.transcript for example in test)
    tested = Texts(tuple(test), unseen, tuple(with_strengths(found, strengths.get)))
    hybrid = chosen_policy(learning, policy)
    answers = {
        "rules_only": _by_rules(learning, tested, policy),
        "model_only": _by_policy(tested, policy, with_rules=False),
        "hybrid": _by_policy(tested, hybrid, with_rules=True),
    }
    sides = {name: given.side(policy) for name, given in answers.items()}
    better = max(("model_only", "rules_only"), key=lambda name: sides[name].coverage)
    records = _records(found, unseen, strengths, policy.taxonomy)
    return HybridReport(
        **sides,
        better=better,
        gain_in_coverage=_gain(answers["hybrid"].covered, answers[better].covered),
        gain_in_accuracy=_gain(
            answers["hybrid"].best_is_right[answers["hybrid"].in_scope],
            answers[better].best_is_right[answers["hybrid"].in_scope],
        ),
        decisive=hybrid.decisive,
        boost=hybrid.boost,
        rules=len(book.rules),
        strengths=strengths,
        overtaken=tuple(name for name, record in records.items() if record.is_overtaken),
    )


def chosen_policy(learning: Texts, policy: Policy) -> Policy:
    """Return the policy with thresholds, boost and decisive strength that cover most of train.

    Every pair is tried with thresholds that keep the target precision after the rules have
    spoken; of equal ones the more careful stands, that is the weaker rules.
    """
    best, most = policy, -1.0
    for decisive in _DECISIVE:
        for boost in _BOOSTS:
            tried = replace(policy, decisive=decisive, boost=boost)
            scored = scored_with_rules(learning, tried)
            tried = replace(
                tried,
                thresholds=choose_thresholds(
                    scored,
                    policy.taxonomy,
                    policy.thresholds.target_precision,
                    exclusive=policy.thresholds.exclusive,
                ),
            )
            covered = _accepted(scored, tried)
            if covered > most:
                best, most = tried, covered
    return best


def scored_with_rules(texts: Texts, policy: Policy) -> HeldOut:
    """Return what is held against the thresholds after the rules have spoken, for every text."""
    labels = texts.said.labels
    named = {hit.rule.category for found in texts.hits for hit in found}
    every = (*labels, *sorted(named & {node.code for node in policy.taxonomy} - set(labels)))
    columns = {label: column for column, label in enumerate(every)}
    scores = np.zeros((len(texts.examples), len(every)))
    scores[:, : len(labels)] = texts.said.probabilities
    for row, found in enumerate(texts.hits):
        if not found:
            continue
        shares = dict(zip(labels, texts.said.probabilities[row].tolist(), strict=True))
        after = scores_after_rules(found, shares, policy)
        scores[row] = 0.0
        for label, score in after.items():
            scores[row, columns[label]] = score
    return HeldOut(every, scores, texts.truths)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What one way to answer said of the test texts."""

    scored: HeldOut
    primary: tuple[str, ...]
    """Empty: left to a person."""
    says_from: float
    """The score from which on a label counts as said, for F1."""

    @property
    def covered(self) -> Marks:
        return np.array([bool(answer) for answer in self.primary], dtype=bool)

    @property
    def in_scope(self) -> Marks:
        return np.array([bool(truths) for truths in self.scored.truths], dtype=bool)

    @property
    def best_is_right(self) -> Marks:
        """Whether the likeliest label is true; where nothing is said it is not."""
        spoken = self.scored.confidence > 0
        pairs = zip(self.scored.answers, self.scored.truths, strict=True)
        right: Marks = spoken & np.array([said in truths for said, truths in pairs], dtype=bool)
        return right

    def side(self, policy: Policy) -> Side:
        taxonomy = policy.taxonomy
        pairs = list(zip(self.primary, self.scored.truths, strict=True))
        right = sum(bool(answer) and taxonomy.is_right(answer, true) for answer, true in pairs)
        precision = Share(right, int(self.covered.sum()))
        said = (self.scored.probabilities >= self.says_from) & (self.scored.probabilities > 0)
        missed = [truths - set(self.scored.labels) for truths in self.scored.truths]
        table, in_scope = self.scored.truth_table(), self.in_scope
        return Side(
            coverage=float(self.covered.mean()) if pairs else 0.0,
            precision=precision.value,
            precision_low=precision.low,
            precision_high=precision.high,
            coverage_ceiling=_ceiling(
                self.scored, taxonomy, policy.thresholds.target_precision
            ),
            accuracy=float(self.best_is_right[in_scope].mean()) if in_scope.any() else None,
            micro_f1=micro_f1(said, table, missed=sum(map(len, missed))),
            macro_f1=macro_f1(said, table, missed=len(frozenset().union(*missed))),
        )


def _learning(
    train: Sequence[Example], out_of_fold: HeldOut, book: RuleBook, taxonomy: Taxonomy
) -> Texts:
    """Return the train texts, each with strengths measured on the parts that it is not in."""
    ordered = tuple(sorted(train, key=lambda example: example.key))
    found = book.match_all(example.transcript for example in ordered)
    parts = [number % _PARTS for number in range(len(ordered))]
    hits: list[tuple[Hit, ...]] = [()] * len(ordered)
    for part in range(_PARTS):
        others = [row for row, its in enumerate(parts) if its != part]
        truths = [out_of_fold.truths[row] for row in others]
        strengths = measure([found[row] for row in others], truths, taxonomy)
        own = [row for row, its in enumerate(parts) if its == part]
        told = with_strengths([found[row] for row in own], strengths.get)
        for row, its_hits in zip(own, told, strict=True):
            hits[row] = its_hits
    return Texts(ordered, out_of_fold, tuple(hits))


def _by_policy(texts: Texts, policy: Policy, *, with_rules: bool) -> _Answers:
    """Return what the cascade answers."""
    spoken = texts if with_rules else replace(texts, hits=((),) * len(texts.examples))
    primary = []
    for example, hits, row in zip(
        spoken.examples, spoken.hits, spoken.said.probabilities.tolist(), strict=True
    ):
        shares = dict(zip(spoken.said.labels, row, strict=True))
        reason = settle(example.transcript, hits, shares, policy).primary
        primary.append(reason.category if reason else "")
    scored = scored_with_rules(spoken, policy)
    return _Answers(scored, tuple(primary), policy.thresholds.confirms)


def _by_rules(learning: Texts, tested: Texts, policy: Policy) -> _Answers:
    """Return what the strongest rule of each text says, from the strength on that keeps the target.

    That strength is chosen on train, as the model's threshold is.
    """
    thresholds = choose_thresholds(
        _strongest(learning, policy.taxonomy),
        policy.taxonomy,
        policy.thresholds.target_precision,
        exclusive=policy.thresholds.exclusive,
    )
    scored = _strongest(tested, policy.taxonomy)
    primary = tuple(
        answer if share > 0 and thresholds.accepts(answer, float(share)) else ""
        for answer, share in zip(scored.answers, scored.confidence, strict=True)
    )
    return _Answers(scored, primary, says_from=0.5)


def _strongest(texts: Texts, taxonomy: Taxonomy) -> HeldOut:
    """Return the strength of the strongest assigning rule for each text and label."""
    labels = tuple(node.code for node in taxonomy)
    columns = {label: column for column, label in enumerate(labels)}
    scores = np.zeros((len(texts.examples), len(labels)))
    for row, found in enumerate(texts.hits):
        for hit in found:
            if hit.rule.effect is Effect.ASSIGN:
                column = columns[hit.rule.category]
                scores[row, column] = max(scores[row, column], hit.rule.weight)
        for hit in found:
            if hit.rule.effect is Effect.VETO:
                family = taxonomy.family(hit.rule.category)
                scores[row, [columns[code] for code in family]] = 0.0
    return HeldOut(labels, scores, texts.truths)


def _records(
    hits: Sequence[tuple[Hit, ...]],
    unseen: HeldOut,
    strengths: Mapping[str, Strength],
    taxonomy: Taxonomy,
) -> dict[str, RuleRecord]:
    """Return what train says of each rule, and test of the model beside it."""
    paired = against_model(hits, unseen.answers, unseen.truths, taxonomy)
    return {name: RuleRecord(one, paired.get(name)) for name, one in strengths.items()}


def _accepted(scored: HeldOut, policy: Policy) -> float:
    """Return the share of texts whose best label passes its threshold, with the lead it needs."""
    exclusive = policy.thresholds.exclusive
    lead = Stream.of(scored, policy.taxonomy, exclusive=exclusive).lead
    accepted = [
        policy.thresholds.accepts(answer, float(share), float(ahead))
        for answer, share, ahead in zip(scored.answers, scored.confidence, lead, strict=True)
    ]
    return sum(accepted) / len(accepted) if accepted else 0.0


def _ceiling(scored: HeldOut, taxonomy: Taxonomy, target: float) -> float:
    """Return the largest share, surest first, that is right at the target; ties stand together."""
    confidence: Array = scored.confidence
    if not confidence.size:
        return 0.0
    pairs = zip(scored.answers, scored.truths, strict=True)
    right = np.array([taxonomy.is_right(answer, truths) for answer, truths in pairs])
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ends = np.append(ranked[:-1] != ranked[1:], True) & (ranked > 0)
    kept = np.flatnonzero((share >= target) & ends)
    return float((kept[-1] + 1) / len(order)) if kept.size else 0.0


def _gain(hybrid: Marks, other: Marks) -> Measured:
    """Return the mean of the differences with a paired bootstrap's 95 % interval."""
    differences = hybrid.astype(np.float64) - other.astype(np.float64)

    def mean(weights: Floats) -> Floats:
        return (weights @ differences / max(1, len(differences)))[:, None]

    return measured(len(differences), mean)[0]
