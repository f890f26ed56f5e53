"""Voting: what the rules and the model say about one transcript, weighed against one another."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from classifier.engine.rules import Effect, Hit, Rule
from classifier.engine.thresholds import ancestor_scores, best_ancestor
from classifier.engine.verdict import Doubt, Evidence, Ground, Reason

if TYPE_CHECKING:
    from classifier.engine.policy import Policy

_IN_FAVOUR = (Effect.ASSIGN, Effect.BOOST)
_WORTH_SUGGESTING = 0.05  # a twentieth: below, a suggestion is noise to the person who reads it
_SPANS_PER_RULE = 10  # more of the same rule tells a reader nothing new
_NOBODY: frozenset[str] = frozenset()
_SUREST = 1e-9  # probabilities are kept this far from 0 and 1 before their odds are taken


class Vote:
    """The rules' and the model's voices on one transcript; not to be changed."""

    __slots__ = (
        "against",
        "asked",
        "decisive",
        "hits",
        "inner_scores",
        "leaves",
        "model",
        "policy",
        "pooled",
        "probabilities",
        "scores",
        "spoken",
        "vetoed",
        "worthy",
    )

    def __init__(
        self, hits: Sequence[Hit], probabilities: Mapping[str, float] | None, policy: "Policy"
    ) -> None:
        self.hits = hits
        self.probabilities = probabilities
        self.policy = policy
        self.vetoed = self._vetoed() if hits else _NOBODY
        self.spoken = self._spoken() if hits else {}
        """The hits for each category that may be answered, strongest rule first."""
        self.asked = self._asked() if hits else {}
        """The hits that ask for a person, by the category that they expect."""
        self.against = self._against() if hits else {}
        """The rules that speak against each label, itself or what stands above it."""
        is_tree = policy.taxonomy.is_tree
        self.model = self._model()
        """What the model says of each label that may be answered."""
        self.pooled = self._with_ancestors(self.model) if is_tree else self.model
        """What the model says of each category, those with others below included."""
        self.leaves = self._leaves()
        """What model and rules together say of each label."""
        self.inner_scores = self._inner_scores() if is_tree else {}
        """What model and rules together say of each category that has others below."""
        self.scores = self._scores()
        """The final score of every candidate."""
        self.worthy: Mapping[str, float] | None = None
        """The scores that are worth suggesting, once somebody has asked."""
        self.decisive = self._decisive() if self.spoken else ()
        """What decisive rules assign, deepest only, surest first."""

    def _vetoed(self) -> frozenset[str]:
        taxonomy = self.policy.taxonomy
        banned = (
            taxonomy.family(hit.rule.category)
            for hit in self.hits
            if hit.rule.effect is Effect.VETO and hit.rule.category in taxonomy
        )
        return frozenset().union(*banned)

    def _spoken(self) -> dict[str, list[Hit]]:
        spoken: dict[str, list[Hit]] = {}
        for hit in sorted(self.hits, key=lambda hit: (-hit.rule.weight, hit.rule.name)):
            if hit.rule.effect in _IN_FAVOUR and self._may_stand(hit.rule.category):
                spoken.setdefault(hit.rule.category, []).append(hit)
        return spoken

    def _asked(self) -> dict[str, list[Hit]]:
        asked: dict[str, list[Hit]] = {}
        for hit in self.hits:
            if hit.rule.effect is Effect.REVIEW and self._may_stand(hit.rule.category):
                asked.setdefault(hit.rule.category, []).append(hit)
        return asked

    def _against(self) -> dict[str, list[Rule]]:
        against: dict[str, list[Rule]] = {}
        for hit in self.hits:
            if hit.rule.effect is Effect.PENALISE and hit.rule.category in self.policy.taxonomy:
                for code in self.policy.taxonomy.family(hit.rule.category):
                    against.setdefault(code, []).append(hit.rule)
        return against

    def _model(self) -> Mapping[str, float]:
        said = self.probabilities or {}
        if not self.vetoed and said.keys() <= self.policy.taxonomy.codes:
            return said
        return {code: share for code, share in said.items() if self._may_stand(code)}

    def _leaves(self) -> Mapping[str, float]:
        if not self.spoken and not self.against:
            return self.model
        return dict(self.model) | {
            code: self._boosted(code, self.model[code], self.against.get(code, ()))
            for code in self.spoken.keys() | self.against.keys()
            if code in self.model
        }

    def _with_ancestors(self, shares: Mapping[str, float]) -> Mapping[str, float]:
        return dict(shares) | self._ancestors(shares)

    def _inner_scores(self) -> Mapping[str, float]:
        pooled = self._ancestors(self.leaves)
        return {
            code: self._boosted(code, share) if code not in self.leaves else share
            for code, share in pooled.items()
        }

    def _scores(self) -> Mapping[str, float]:
        if not self.spoken and not self.asked:
            return self.leaves
        scores = dict(self.leaves)
        for code, hits in self.spoken.items():
            strength = hits[0].rule.weight if _assigns(hits) else 0.0
            model = self._boosted(code, self.pooled[code]) if code in self.pooled else 0.0
            scores[code] = max(strength, scores.get(code, model))
        for code in self.asked:
            scores.setdefault(code, self.pooled.get(code, 0.0))
        return scores

    def _decisive(self) -> tuple[str, ...]:
        decisive = [
            code
            for code, hits in self.spoken.items()
            if any(self._is_decisive(hit.rule) for hit in hits)
        ]
        ranked = self._ranked(self.policy.taxonomy.deepest(decisive))
        return tuple(sorted(ranked, key=lambda code: not self._is_stated(code)))

    @property
    def is_contradiction(self) -> bool:
        """Whether decisive rules assign several categories that are not all confirmed."""
        return len(self.decisive) > 1 and not all(map(self._is_confirmed, self.decisive))

    def model_choice(self) -> tuple[str, ...]:
        """Return the category that the model, helped by rules, is sure of; else an ancestor."""
        if not self.leaves:
            return ()
        # The best is among those worth naming, if any is: a few of many labels.
        likely = (self._worth_naming() if self.leaves is self.scores else None) or self.leaves
        shares = list(likely.values())
        highest = max(shares)
        best = list(likely)[shares.index(highest)]
        if shares.count(highest) > 1:
            best = min([code for code, share in likely.items() if share == highest])
        if self.policy.accepts(best, highest, self._lead(best)):
            return (best,)
        found = best_ancestor(self.inner_scores, self.policy.taxonomy)
        if found and self.policy.backs_off(*found):
            return (found[0],)
        return ()

    def further(self, taken: Sequence[str]) -> tuple[str, ...]:
        """Return the categories that are reasons besides those taken, surest first."""
        likely = self._likely(self.leaves, self.policy.least_to_add, taken)
        chosen: list[str] = []
        related = self.policy.taxonomy.are_related
        for code in self._ranked(likely):
            if self.policy.adds(code, self.leaves[code]) and not any(
                related(code, other) for other in (*taken, *chosen)
            ):
                chosen.append(code)
        return tuple(chosen)

    def missed_critical(self, taken: Sequence[str]) -> tuple[str, ...]:
        """Return the critical categories that may be meant and are none of the reasons taken."""
        found = [
            code
            for code, floor in self.policy.critical.items()
            if self._may_stand(code)
            and self._is_alarming(code, floor)
            and self.policy.taxonomy.family(code).isdisjoint(taken)
        ]
        return tuple(sorted(found, key=lambda code: (-self._score_of(code), code)))

    def suggested_besides(self, taken: Sequence[str]) -> tuple[str, ...]:
        """Return the best guesses that are not reasons.

        What is critical comes first, then what rules ask a person about, then what decisive rules
        say.
        """
        if not self.hits and not self.policy.critical:
            found = self._ranked(self._likely(self.scores, _WORTH_SUGGESTING, taken))
            return tuple(found)[: self.policy.suggestions]
        first = (*self.missed_critical(taken), *self._ranked(self.asked))
        ruled = [code for code in self.decisive if code not in taken]
        likely = self._ranked(self._likely(self.scores, _WORTH_SUGGESTING, taken))
        worthy = [
            code
            for code in dict.fromkeys((*first, *ruled, *likely))
            if code in first or self.scores[code] >= _WORTH_SUGGESTING
        ]
        return tuple(worthy[: self.policy.suggestions])

    def _likely(
        self, scores: Mapping[str, float], least: float, taken: Sequence[str]
    ) -> list[str]:
        """Return what has at least this score and is not taken."""
        if taken and not self.hits and self.policy.thresholds.exclusive:
            left_over = 1 - scores.get(
                taken[0], 0.0
            )  # shares of one whole: others have the rest
            if left_over < least:
                return []
        if scores is self.scores and least >= _WORTH_SUGGESTING:
            scores = self._worth_naming()
        return [code for code, share in scores.items() if share >= least and code not in taken]

    def _worth_naming(self) -> Mapping[str, float]:
        """Return the scores that are worth suggesting; a vote asks for them several times."""
        if self.worthy is None:
            self.worthy = {
                code: share for code, share in self.scores.items() if share >= _WORTH_SUGGESTING
            }
        return self.worthy

    def doubt(self) -> Doubt:
        """Return why nothing was sure enough."""
        if not self.probabilities:
            return Doubt.NO_MODEL
        best = max(self.scores.values(), default=0.0)
        return Doubt.OUT_OF_SCOPE if best < self.policy.thresholds.in_scope else Doubt.UNSURE

    def explained_by(self, code: str) -> str:
        """Return the label whose terms explain a category: itself, or its likeliest below."""
        if code in self.model:
            return code
        below = self.policy.taxonomy.family(code) & self.model.keys()
        return min(below, key=lambda label: (-self.model[label], label), default=code)

    def reason(self, code: str, terms: Sequence[Evidence]) -> Reason:
        """Return a category with its three scores, its ground and its evidence.

        ``terms`` are the model's.
        """
        if not self.hits:
            ground = Ground.MODEL if code in self.pooled else Ground.NOTHING
            return Reason(
                code, self._score_of(code), None, self.pooled.get(code), ground, tuple(terms)
            )
        hits = self.spoken.get(code, ())
        return Reason(
            code,
            self._score_of(code),
            rule_score=_strongest(hits),
            model_score=self.pooled.get(code),
            ground=self._ground(code),
            evidence=(*_evidence([*hits, *self.asked.get(code, ())]), *terms),
            is_ruled=code in self.decisive,
        )

    def _score_of(self, code: str) -> float:
        """Return the score of a category: never below that of a category below it."""
        if not self.policy.taxonomy.is_tree:
            return self.scores.get(code, 0.0)
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
        if bar is not None and self.probabilities and self._score_of(code) >= bar.probability:
            return True
        below = self.policy.taxonomy.family(code) & self.spoken.keys()
        return any(_assigns(self.spoken[one]) for one in below)

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

    def _is_confirmed(self, code: str) -> bool:
        return self.pooled.get(code, 0.0) >= self.policy.thresholds.confirms

    def _ranked(self, codes: Collection[str]) -> Collection[str]:
        if len(codes) <= 1:
            return codes
        return sorted(codes, key=lambda code: (-self.scores[code], code))

    def _ground(self, code: str) -> Ground:
        has_rules = code in self.spoken
        if has_rules and code in self.decisive:
            return Ground.BOTH if self._is_confirmed(code) else Ground.RULES
        if code in self.pooled:
            return Ground.BOTH if has_rules else Ground.MODEL
        return Ground.RULES if has_rules else Ground.NOTHING


def _assigns(hits: Iterable[Hit]) -> bool:
    return any(hit.rule.effect is Effect.ASSIGN for hit in hits)


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
