"""Policy: what rules and the model say about a transcript becomes one verdict."""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from classifier.engine.redaction import without_placeholders
from classifier.engine.rules import Effect, Hit, Rule
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Thresholds, ancestor_scores, best_ancestor
from classifier.engine.verdict import Doubt, Evidence, Ground, Reason, Verdict

Explain = Callable[[str], tuple[Evidence, ...]]
"""Gives the model's terms that speak for a category."""

_IN_FAVOUR = (Effect.ASSIGN, Effect.BOOST)
_WORTH_SUGGESTING = 0.05  # a twentieth: below, a suggestion is noise to the person who reads it
_SPANS_PER_RULE = 10  # more of the same rule tells a reader nothing new
_SUREST = 1e-9  # probabilities are kept this far from 0 and 1 before their odds are taken


@dataclass(frozen=True, slots=True)
class Policy:
    """How verdicts are reached: the categories that may be answered, and from when on."""

    taxonomy: Taxonomy
    """Only these are answered; what rules or the model say of others is left out."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """Of the model in use: its probabilities mean nothing beside another's thresholds."""
    decisive: float = 0.95
    """Measured strength from which on an assign rule decides alone; a weaker one only boosts.

    As high as the precision that is promised by default: a rule may not break the promise.
    What an admin stated as certain decides alone, whatever was measured.
    """
    boost: float = 2.0
    """What a boost rule of strength 1 adds to the model's log-odds: odds times 7.

    Less than its strength alone would justify, because the model has read the same words.
    """
    suggestions: int = 3
    audit_share: float = 0.01
    """Share of decisions that a person judges blind, in [0, 1]."""
    own_proof: frozenset[str] = frozenset()
    """Categories that the model may decide only where their own texts prove that it may."""
    critical: Mapping[str, float] = field(default_factory=dict)
    """Share of its true texts, by category, that must be tagged or come before a person."""

    def __post_init__(self) -> None:
        if not (0 <= self.decisive <= 1 and 0 <= self.audit_share <= 1):
            raise ValueError("decisive and audit_share lie between 0 and 1")
        if self.boost < 0 or self.suggestions < 0:
            raise ValueError("boost and suggestions are not negative")
        if not all(0 < floor < 1 for floor in self.critical.values()):
            raise ValueError("the floor of a critical category lies between 0 and 1")

    def accepts(self, category: str, probability: float, lead: float = 1.0) -> bool:
        """Say whether the model alone may decide for a category."""
        if category in self.own_proof:
            return self.thresholds.accepts_alone(category, probability, lead)
        return self.thresholds.accepts(category, probability, lead)

    def adds(self, category: str, probability: float) -> bool:
        """Say whether the model alone may name a category besides another."""
        if category not in self.own_proof:
            return self.thresholds.adds(category, probability)
        second = self.thresholds.exclusive or self.thresholds.adds(category, probability)
        return second and self.accepts(category, probability)

    def backs_off(self, category: str, probability: float) -> bool:
        """Say whether an ancestor may be answered; no ancestor has a proof of its own."""
        return category not in self.own_proof and self.thresholds.backs_off(probability)

    def audits(self, key: str) -> bool:
        """Say whether the decision of this key is drawn for audit: a random share, yet stable."""
        digest = hashlib.sha256(f"audit:{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") < self.audit_share * 2**64


def settle(
    transcript: Transcript,
    hits: Sequence[Hit],
    probabilities: Mapping[str, float] | None,
    policy: Policy,
    *,
    explain: Explain | None = None,
) -> Verdict:
    """Return the reasons of one transcript, or why a person must look.

    A veto takes its category, and all below, out of the vote. Then decisive rules win: the
    deepest of them, if they are of one line. If they are not, two teams contradict each other and
    a person must look, unless the model confirms every one of them: then the customer has several.
    Without decisive rules the model's likeliest category stands, its odds raised by boosting (and
    weaker assigning) rules, if it passes its threshold; else the likeliest ancestor, if that
    passes. Further categories that pass the threshold for further reasons and are not of a line
    with one taken are further reasons. Last, whatever is taken, a critical category that may be
    meant and is none of the reasons brings the transcript before a person, and so does a rule that
    asks for one.

    ``probabilities`` maps category codes to calibrated probabilities; None: there is no model.
    """
    if not hits and not _has_words(transcript):
        return Verdict(doubt=Doubt.NO_WORDS)
    vote = _Vote(tuple(hits), probabilities, policy, explain or _no_terms)
    decisive = vote.decisive_categories
    contradict = bool(decisive) and not vote.stand_together(decisive)
    taken = () if contradict else decisive or vote.model_choice()
    if taken:
        taken += vote.further(taken)
    if vote.missed_critical(taken):
        return vote.abstention(Doubt.CRITICAL)
    if vote.asked:
        return vote.abstention(Doubt.RULE_ASKS)
    if not taken:
        return vote.abstention(Doubt.RULES_CONTRADICT if contradict else vote.doubt())
    reasons = tuple(vote.reason(code) for code in taken)
    return Verdict(reasons, vote.suggestions_besides(taken))


def scores_after_rules(
    hits: Sequence[Hit], probabilities: Mapping[str, float], policy: Policy
) -> dict[str, float]:
    """Return what ``settle`` holds against the thresholds, for every label, in [0, 1].

    The model's probabilities, raised and vetoed by the rules. What decisive rules assign has 1,
    because no threshold is asked then; where they contradict each other, or ask for a person,
    everything has 0. So
    thresholds chosen from these scores count what the rules decide, right or wrong.
    """
    vote = _Vote(tuple(hits), probabilities, policy, _no_terms)
    decisive = vote.decisive_categories
    if vote.asked or (decisive and not vote.stand_together(decisive)):
        return dict.fromkeys(vote.leaves, 0.0)
    if decisive and policy.thresholds.exclusive:
        return dict.fromkeys(vote.leaves, 0.0) | dict.fromkeys(decisive, 1.0)
    return vote.leaves | dict.fromkeys(decisive, 1.0)


def _has_words(transcript: Transcript) -> bool:
    return any(
        char.isalnum() for turn in transcript.turns for char in without_placeholders(turn.text)
    )


def _no_terms(_category: str) -> tuple[Evidence, ...]:
    return ()


@dataclass(frozen=True)
class _Vote:
    """The rules' and the model's voices on one transcript."""

    hits: tuple[Hit, ...]
    probabilities: Mapping[str, float] | None
    policy: Policy
    explain: Explain

    @cached_property
    def vetoed(self) -> frozenset[str]:
        taxonomy = self.policy.taxonomy
        banned = (
            taxonomy.family(hit.rule.category)
            for hit in self.hits
            if hit.rule.effect is Effect.VETO and hit.rule.category in taxonomy
        )
        return frozenset().union(*banned)

    @cached_property
    def spoken(self) -> dict[str, list[Hit]]:
        """The hits for each category that may be answered, strongest rule first."""
        spoken: dict[str, list[Hit]] = {}
        for hit in sorted(self.hits, key=lambda hit: (-hit.rule.weight, hit.rule.name)):
            if hit.rule.effect in _IN_FAVOUR and self._may_stand(hit.rule.category):
                spoken.setdefault(hit.rule.category, []).append(hit)
        return spoken

    @cached_property
    def asked(self) -> dict[str, list[Hit]]:
        """The hits that ask for a person, by the category that they expect."""
        asked: dict[str, list[Hit]] = {}
        for hit in self.hits:
            if hit.rule.effect is Effect.REVIEW and self._may_stand(hit.rule.category):
                asked.setdefault(hit.rule.category, []).append(hit)
        return asked

    @cached_property
    def against(self) -> dict[str, list[Rule]]:
        """The rules that speak against each label, itself or what stands above it."""
        against: dict[str, list[Rule]] = {}
        for hit in self.hits:
            if hit.rule.effect is Effect.PENALISE and hit.rule.category in self.policy.taxonomy:
                for code in self.policy.taxonomy.family(hit.rule.category):
                    against.setdefault(code, []).append(hit.rule)
        return against

    @cached_property
    def model(self) -> dict[str, float]:
        """What the model says of each label that may be answered."""
        said = dict(self.probabilities or {})
        if not self.vetoed and said.keys() <= self.policy.taxonomy.codes:
            return said
        return {code: share for code, share in said.items() if self._may_stand(code)}

    @cached_property
    def pooled(self) -> dict[str, float]:
        """What the model says of each category, those with others below included."""
        if not self.policy.taxonomy.is_tree:
            return self.model
        return self.model | self._ancestors(self.model)

    @cached_property
    def leaves(self) -> dict[str, float]:
        """What model and rules together say of each label."""
        if not self.spoken and not self.against:
            return self.model
        return self.model | {
            code: self._boosted(code, self.model[code], self.against.get(code, ()))
            for code in self.spoken.keys() | self.against.keys()
            if code in self.model
        }

    @cached_property
    def scores(self) -> dict[str, float]:
        """The final score of every candidate."""
        scores = dict(self.leaves)
        for code, hits in self.spoken.items():
            strength = hits[0].rule.weight if self._assigns(hits) else 0.0
            model = self._boosted(code, self.pooled[code]) if code in self.pooled else 0.0
            scores[code] = max(strength, scores.get(code, model))
        for code in self.asked:
            scores.setdefault(code, self.pooled.get(code, 0.0))
        return scores

    @cached_property
    def inner_scores(self) -> dict[str, float]:
        """What model and rules together say of each category that has others below."""
        if not self.policy.taxonomy.is_tree:
            return {}
        pooled = self._ancestors(self.leaves)
        return {
            code: self._boosted(code, share) if code not in self.leaves else share
            for code, share in pooled.items()
        }

    @cached_property
    def decisive_categories(self) -> tuple[str, ...]:
        """What decisive rules assign, deepest only, surest first."""
        decisive = [
            code
            for code, hits in self.spoken.items()
            if any(self._is_decisive(hit.rule) for hit in hits)
        ]
        ranked = self._ranked(self.policy.taxonomy.deepest(decisive))
        return tuple(sorted(ranked, key=lambda code: not self._is_stated(code)))

    def _is_stated(self, code: str) -> bool:
        """Say whether an admin stated that a rule which spoke for the category is certain."""
        return any(
            hit.rule.is_certain and hit.rule.effect is Effect.ASSIGN
            for hit in self.spoken.get(code, ())
        )

    def _is_decisive(self, rule: Rule) -> bool:
        """Say whether a rule decides alone: an admin stated it, or enough labels say so."""
        if rule.effect is not Effect.ASSIGN:
            return False
        measured = rule.strength is not None and rule.strength >= self.policy.decisive
        return rule.is_certain or measured

    def stand_together(self, codes: Sequence[str]) -> bool:
        """Say whether decisive categories may all be reasons: one, or all confirmed."""
        return len(codes) == 1 or all(self._is_confirmed(code) for code in codes)

    def model_choice(self) -> tuple[str, ...]:
        """Return the category that the model, helped by rules, is sure of; else an ancestor."""
        if not self.leaves:
            return ()
        highest = max(self.leaves.values())
        best = min(code for code, share in self.leaves.items() if share == highest)
        if self.policy.accepts(best, self.leaves[best], self._lead(best)):
            return (best,)
        found = best_ancestor(self.inner_scores, self.policy.taxonomy)
        if found and self.policy.backs_off(*found):
            return (found[0],)
        return ()

    def missed_critical(self, taken: Sequence[str]) -> tuple[str, ...]:
        """Return the critical categories that may be meant and are none of the reasons taken."""
        family = self.policy.taxonomy.family
        return tuple(code for code in self.alarming if family(code).isdisjoint(taken))

    @cached_property
    def alarming(self) -> tuple[str, ...]:
        """The critical categories that may be meant, likeliest first."""
        found = [
            code
            for code, floor in self.policy.critical.items()
            if self._may_stand(code) and self._is_alarming(code, floor)
        ]
        return tuple(sorted(found, key=lambda code: (-self.score_of(code), code)))

    def score_of(self, code: str) -> float:
        """Return the score of a category: never below that of a category below it."""
        either = (self.scores, self.inner_scores)
        return max(
            (
                scores[one]
                for one in self.policy.taxonomy.family(code)
                for scores in either
                if one in scores
            ),
            default=0.0,
        )

    def further(self, taken: Sequence[str]) -> tuple[str, ...]:
        """Return the categories that are reasons besides those taken, surest first."""
        chosen: list[str] = []
        least = _least_to_add(self.policy.thresholds)
        likely = [code for code, share in self.leaves.items() if share >= least]
        for code in self._ranked(likely):
            if not self.policy.adds(code, self.leaves[code]):
                continue
            related = self.policy.taxonomy.are_related
            if not any(related(code, other) for other in (*taken, *chosen)):
                chosen.append(code)
        return tuple(chosen)

    def doubt(self) -> Doubt:
        """Return why nothing was sure enough."""
        if not self.probabilities:
            return Doubt.NO_MODEL
        best = max(self.scores.values(), default=0.0)
        return Doubt.OUT_OF_SCOPE if best < self.policy.thresholds.in_scope else Doubt.UNSURE

    def abstention(self, doubt: Doubt) -> Verdict:
        return Verdict(suggestions=self.suggestions_besides(()), doubt=doubt)

    def suggestions_besides(self, taken: Sequence[str]) -> tuple[Reason, ...]:
        """Return the best guesses that are not reasons.

        What is critical comes first, then what rules ask a person about, then what decisive rules
        say.
        """
        likely = [code for code, share in self.scores.items() if share >= _WORTH_SUGGESTING]
        alarming = self.missed_critical(taken)
        first = (*alarming, *self._ranked(self.asked))
        ranked = (*first, *self.decisive_categories, *self._ranked(likely))
        worthy = [
            code
            for code in dict.fromkeys(ranked)
            if code not in taken and (code in first or self.scores[code] >= _WORTH_SUGGESTING)
        ]
        return tuple(self.reason(code) for code in worthy[: self.policy.suggestions])

    def reason(self, code: str) -> Reason:
        """Return a category with its three scores, its ground and its evidence."""
        hits = self.spoken.get(code, [])
        return Reason(
            code,
            self.score_of(code),
            rule_score=_strongest(hits),
            model_score=self.pooled.get(code),
            ground=self._ground(code),
            evidence=(
                *_evidence([*hits, *self.asked.get(code, ())]),
                *self.explain(self._explained(code)),
            ),
            is_ruled=code in self.decisive_categories,
        )

    def _may_stand(self, code: str) -> bool:
        return code in self.policy.taxonomy and code not in self.vetoed

    def _lead(self, best: str) -> float:
        """Return how far the best label is ahead of the next that is not of its line, at least."""
        shares, thresholds = self.leaves, self.policy.thresholds
        if not thresholds.exclusive or not thresholds.margin:
            return 1.0  # nobody asks
        left_over = 2 * shares[best] - 1  # shares of one whole: the others have the rest
        if not self.spoken and left_over >= thresholds.margin:
            return left_over
        related = self.policy.taxonomy.are_related
        ahead = shares[best] - thresholds.margin
        close = [code for code, share in shares.items() if share > ahead and code != best]
        rivals = [shares[code] for code in close if not related(best, code)]
        return shares[best] - max(rivals) if rivals else 1.0

    def _is_alarming(self, code: str, floor: float) -> bool:
        """Say whether a critical category may be meant: by its bar, or because a rule says so."""
        bar = self.policy.thresholds.bar(code, floor)
        if bar is not None and self.probabilities and self.score_of(code) >= bar.probability:
            return True
        below = self.policy.taxonomy.family(code) & self.spoken.keys()
        return any(self._assigns(self.spoken[one]) for one in below)

    def _ancestors(self, shares: Mapping[str, float]) -> dict[str, float]:
        pooled = ancestor_scores(
            shares, self.policy.taxonomy, exclusive=self.policy.thresholds.exclusive
        )
        return {code: share for code, share in pooled.items() if self._may_stand(code)}

    def _boosted(self, code: str, share: float, against: Iterable[Rule] = ()) -> float:
        """Return a probability after the rules that speak for and against it moved its odds."""
        doubts = math.prod(1 - hit.rule.weight for hit in self.spoken.get(code, ()))
        hopes = math.prod(1 - rule.weight for rule in against)
        if doubts == hopes:
            return share
        safe = min(max(share, _SUREST), 1 - _SUREST)
        logit = math.log(safe / (1 - safe)) + self.policy.boost * (hopes - doubts)
        return 1 / (1 + math.exp(-logit))

    def _assigns(self, hits: Iterable[Hit]) -> bool:
        return any(hit.rule.effect is Effect.ASSIGN for hit in hits)

    def _is_confirmed(self, code: str) -> bool:
        return self.pooled.get(code, 0.0) >= self.policy.thresholds.confirms

    def _ranked(self, codes: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(codes, key=lambda code: (-self.scores[code], code)))

    def _ground(self, code: str) -> Ground:
        has_rules = code in self.spoken
        if has_rules and code in self.decisive_categories:
            return Ground.BOTH if self._is_confirmed(code) else Ground.RULES
        if code in self.pooled:
            return Ground.BOTH if has_rules else Ground.MODEL
        return Ground.RULES if has_rules else Ground.NOTHING

    def _explained(self, code: str) -> str:
        """Return the label whose terms explain a category: itself, or its likeliest below."""
        if code in self.model:
            return code
        below = self.policy.taxonomy.family(code) & self.model.keys()
        return min(below, key=lambda label: (-self.model[label], label), default=code)


def _least_to_add(thresholds: Thresholds) -> float:
    """Return the lowest probability that ``Thresholds.adds`` may say yes to."""
    if not thresholds.exclusive:
        asked = [thresholds.secondary]
    else:
        asked = [thresholds.accept, *thresholds.by_category.values()]
    return min((least for least in asked if least is not None), default=math.inf)


def _strongest(hits: Iterable[Hit]) -> float | None:
    """Return the highest measured strength; None where none of the rules was measured."""
    return max(
        (hit.rule.strength for hit in hits if hit.rule.strength is not None), default=None
    )


def _evidence(hits: Iterable[Hit]) -> list[Evidence]:
    return [
        Evidence(
            hit.rule.category,
            span.turn,
            span.start,
            span.end,
            rule=hit.rule.name,
            weight=hit.rule.weight,
        )
        for hit in hits
        for span in hit.spans[:_SPANS_PER_RULE]
    ]
