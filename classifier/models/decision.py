"""What we hold to be a conversation's contact reasons, and who said so."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Q

from classifier.engine.steadiness import steadied
from classifier.engine.verdict import Doubt, Evidence, Ground, Reason, Verdict
from classifier.models.category import Category
from classifier.models.model_version import ModelVersion
from classifier.models.transcript import Faceted, Transcript

BY_PERSON = "person"
"""The ground of a reason that a person named: it has no score."""
SOURCES = {
    Ground.RULES: "rules",
    Ground.MODEL: "model",
    Ground.BOTH: "both",
    Ground.NOTHING: "nobody",
}


@dataclass(frozen=True, slots=True)
class AuditDraw:
    """Whether a decision was drawn for blind audit, and the chance (0 to 1) it had."""

    probability: float = 0.0
    is_drawn: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A verdict on one transcript, with all that it was made by: what is to stand."""

    transcript: Transcript
    verdict: Verdict
    model_version: ModelVersion | None = None
    rulebook_digest: str = ""
    audit: AuditDraw = AuditDraw()
    doubt: str = ""
    """Why it abstained, where the engine was not even asked; else the verdict's own doubt."""

    @classmethod
    def abstaining(cls, transcript: Transcript, doubt: str) -> Self:
        """Return an abstention that the engine was not asked about."""
        return cls(transcript, Verdict(doubt=Doubt.NO_WORDS), doubt=doubt)


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Narrows to what stands, and makes decisions stand."""

    def standing(self) -> Self:
        """Return the decisions that hold now: one per thread at most."""
        return self.filter(superseded_at=None)

    def as_of(self, thread: str, moment: datetime) -> "Decision | None":
        """Return what we had decided at ``moment``; before all our decisions the first.

        What people said who have no account here is not ours: it came from elsewhere.
        """
        elsewhere = Q(source=Decision.Source.PERSON, decided_by=None)
        made = self.filter(~elsewhere, thread=thread).order_by("-id")
        return made.filter(decided_at__lte=moment).first() or made.last()

    def reasons_ever(self, threads: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return thread → the codes of all reasons that it was ever given, in order of code."""
        pairs = (
            DecisionReason.objects.filter(decision__thread__in=threads, is_suggestion=False)
            .values_list("decision__thread", "category__code")
            .order_by("category__code")
            .distinct()
        )
        found: dict[str, tuple[str, ...]] = {}
        for thread, code in pairs:
            found[thread] = (*found.get(thread, ()), code)
        return found

    def stand(
        self,
        transcript: Transcript,
        verdict: Verdict,
        *,
        at: datetime,
        model_version: ModelVersion | None = None,
        rulebook_digest: str = "",
        audit: AuditDraw = AuditDraw(),
    ) -> "Decision | None":
        """Let a verdict stand for its thread; see ``stand_all``."""
        proposal = Proposal(transcript, verdict, model_version, rulebook_digest, audit)
        return self.stand_all([proposal], at=at)[0]

    def abstain(self, transcript: Transcript, *, doubt: str, at: datetime) -> "Decision | None":
        """Let an abstention stand that the engine was not asked about; see ``stand_all``."""
        return self.stand_all([Proposal.abstaining(transcript, doubt)], at=at)[0]

    def stand_all(
        self, proposals: Sequence[Proposal], *, at: datetime
    ) -> "list[Decision | None]":
        """Let verdicts stand; return the new decision of each, None where the old one was kept.

        The old one is kept where a person said it, and where it was sure and the new verdict is
        not clearly better (``steadiness``); what stands may take over its further reasons. One
        transaction: the caller's, where there is one. Threads must differ. Reasons,
        suggestions and evidence are stored with the decision.
        """
        with transaction.atomic():
            threads = [proposal.transcript.thread for proposal in proposals]
            old = {
                decision.thread: decision
                for decision in self.standing()
                .filter(thread__in=threads)
                .order_by("id")  # always in this order, so that two workers never deadlock
                .select_for_update()
            }
            return self._replace(_steadied(proposals, old), old, at)

    def _replace(
        self,
        proposals: "Sequence[Proposal | None]",
        old: "dict[str, Decision]",
        at: datetime,
    ) -> "list[Decision | None]":
        new = [proposal for proposal in proposals if proposal is not None]
        replaced = [f.transcript.thread for f in new if f.transcript.thread in old]
        self.model.objects.filter(pk__in=[old[thread].pk for thread in replaced]).update(
            superseded_at=at
        )
        categories = _categories(new)
        decisions = self.model.objects.bulk_create(
            [_decision(proposal, categories, at, old) for proposal in new]
        )
        DecisionReason.objects.bulk_create(
            row
            for proposal, decision in zip(new, decisions, strict=True)
            for row in _reason_rows(proposal.verdict, decision, categories)
        )
        made = iter(decisions)
        return [None if proposal is None else next(made) for proposal in proposals]

    def stand_by_person(
        self,
        thread: str,
        categories: Sequence[Category],
        *,
        at: datetime,
        decided_by: AbstractBaseUser | None = None,
    ) -> "Decision":
        """Let a person's word stand for a thread; automation never supersedes it.

        ``categories``: the primary reason first, at least one. ``decided_by`` is None for a
        person who has no account here. Saying again what a person's standing decision already
        says changes nothing.

        Raises:
            Transcript.DoesNotExist: the thread is not known here.
        """
        with transaction.atomic():
            old = self.standing().filter(thread=thread).select_for_update().first()
            named = list(dict.fromkeys(categories))
            if old and old.source == Decision.Source.PERSON and old.named == named:
                return old
            transcript = Transcript.objects.current().get(thread=thread)
            if old:
                self.model.objects.filter(pk=old.pk).update(superseded_at=at)
            decision = self.create(
                thread=thread,
                transcript=transcript,
                category=named[0],
                source=Decision.Source.PERSON,
                decided_by_id=decided_by.pk if decided_by else None,
                decided_at=at,
                **transcript.facets,
            )
            DecisionReason.objects.bulk_create(
                DecisionReason(
                    decision=decision, category=category, rank=rank, ground=BY_PERSON
                )
                for rank, category in enumerate(named)
            )
            return decision

    def take_back(self, thread: str, *, said_at: datetime, at: datetime) -> "Decision | None":
        """Let what stood before a person's word of ``said_at`` stand again; return it.

        Nothing is edited: an equal copy stands, and ``takes_back`` tells whoever passed the
        person's word on. Where nothing stood before, an abstention does. Words that came in
        meanwhile are decided. Returns None, and changes nothing, where that word does not stand
        (any more). One transaction.
        """
        with transaction.atomic():
            of_person = self.standing().filter(thread=thread, source=Decision.Source.PERSON)
            said = of_person.filter(decided_at=said_at).select_for_update().first()
            if said is None:
                return None
            earlier = self.filter(thread=thread, superseded_at=said_at).order_by("id").last()
            self.model.objects.filter(pk=said.pk).update(superseded_at=at)
            decision = self._repeat(earlier, at) if earlier else self._abstain_after(said, at)
            if not Transcript.objects.current().filter(pk=decision.transcript_id).exists():
                Transcript.objects.decide_again([thread])
            return decision

    def _repeat(self, earlier: "Decision", at: datetime) -> "Decision":
        reasons = list(earlier.reasons.all())
        values = {
            field.attname: getattr(earlier, field.attname)
            for field in Decision._meta.concrete_fields
            if not field.primary_key
        }
        fresh = {"decided_at": at, "superseded_at": None, "staged_at": None}
        decision = self.create(**{**values, **fresh, "takes_back": True})
        for reason in reasons:
            reason.pk, reason.decision = None, decision
        DecisionReason.objects.bulk_create(reasons)
        return decision

    def _abstain_after(self, said: "Decision", at: datetime) -> "Decision":
        Transcript.objects.decide_again([said.thread])
        return self.create(
            thread=said.thread,
            transcript=said.transcript,
            source=Decision.Source.NOBODY,
            doubt=Decision.DoubtCode.UNSURE,
            decided_at=at,
            takes_back=True,
            **said.facets,
        )


class Decision(Faceted):
    """The verdict or human word on one thread. Never edited, only superseded.

    ``staged_at`` empty means: the next station has not taken it over yet.
    """

    class Source(models.TextChoices):
        RULES = "rules", "Rules"
        MODEL = "model", "Model"
        BOTH = "both", "Rules and model"
        PERSON = "person", "Person"
        NOBODY = "nobody", "Needs review"

    class DoubtCode(models.TextChoices):
        """Why nobody but a person can decide: the engine's doubts, and why it was not asked."""

        NO_WORDS = "no_words", "there are no words to read"
        NO_MODEL = "no_model", "no rule matched and no model is trained yet"
        UNSURE = "unsure", "not sure enough"
        RULES_CONTRADICT = "rules_contradict", "strong rules contradict each other"
        RULE_ASKS = "rule_asks", "a rule asks for a person"
        OUT_OF_SCOPE = "out_of_scope", "none of the contact reasons fits"
        CRITICAL = "critical", "it may be critical"
        TOO_LARGE = "transcript_too_large", "too long to be read"
        SET_ASIDE = "set_aside", "deciding it failed three times"

    thread = models.CharField(max_length=64)
    transcript = models.ForeignKey(
        "classifier.Transcript", models.PROTECT, related_name="decisions"
    )
    category = models.ForeignKey(
        "classifier.Category", models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    """The primary reason; empty: abstained, a person must look."""
    source = models.CharField(max_length=6, choices=Source)
    confidence = models.FloatField(
        null=True,
        help_text="Calibrated probability, 0 to 1; empty where a person decided, or a rule that an"
        " administrator stated to be certain and no label has tried.",
    )
    doubt = models.CharField(
        max_length=20, choices=DoubtCode, blank=True, help_text="Why it abstained."
    )
    model_version = models.ForeignKey(
        "classifier.ModelVersion", models.PROTECT, null=True, related_name="decisions"
    )
    rulebook_digest = models.CharField(max_length=64, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, editable=False)
    staged_at = models.DateTimeField(null=True, editable=False)
    takes_back = models.BooleanField(
        default=False,
        editable=False,
        help_text="Stands again because a person took their word back.",
    )
    """What was passed on because of that word is to be taken back as well; an abstention hands
    this on to the next one, until a reason stands."""
    audit_probability = models.FloatField(
        default=0.0,
        help_text="Chance with which this decision was to be drawn for blind audit.",
    )
    is_audit = models.BooleanField(
        "drawn for blind audit", default=False, help_text="Looked at without suggestions."
    )

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-decided_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["thread"],
                condition=Q(superseded_at=None),
                name="one_standing_decision_per_thread",
            ),
            models.CheckConstraint(
                condition=~Q(source="person") | Q(category__isnull=False),
                name="a_person_names_a_category",
            ),
            models.CheckConstraint(
                condition=Q(source="nobody", category=None)
                | (~Q(source="nobody") & Q(category__isnull=False)),
                name="an_abstention_has_no_category",
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=0.0, confidence__lte=1.0),
                name="a_confidence_is_a_probability",
            ),
        )
        indexes = (
            models.Index(
                fields=["id"],
                condition=Q(staged_at=None, superseded_at=None),
                name="decisions_to_stage",
            ),
            models.Index(fields=["thread", "-id"], name="decisions_by_thread"),
            # All that reports count by, so that they read the index alone.
            models.Index(
                fields=[
                    "contacted_at",
                    "category",
                    "source",
                    "channel",
                    "language",
                    "product",
                    "queue",
                    "team",
                ],
                condition=Q(superseded_at=None),
                name="decisions_to_report",
            ),
            models.Index(fields=["-decided_at", "-id"], name="decisions_newest"),
            models.Index(
                fields=["decided_at"], condition=Q(is_audit=True), name="decisions_audited"
            ),
            models.Index(
                fields=["decided_at"],
                condition=Q(category=None, superseded_at=None),
                name="decisions_for_a_person",
            ),
        )

    def __str__(self) -> str:
        return f"{self.thread}: {self.category or self.get_source_display()}"

    @property
    def named(self) -> list[Category]:
        """The contact reasons, the primary one first; empty: abstained."""
        if self.category is None:
            return []
        others = [r.category for r in self.reasons.all() if not r.is_suggestion]
        return list(dict.fromkeys([self.category, *others]))


class DecisionReason(models.Model):
    """One contact reason of a decision, its scores kept apart, with the words that speak for it."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="reasons")
    category = models.ForeignKey("classifier.Category", models.PROTECT, related_name="+")
    rank = models.PositiveSmallIntegerField(help_text="0 is the primary reason.")
    is_suggestion = models.BooleanField(
        default=False, help_text="Only a guess, shown to help a person; never written."
    )
    score = models.FloatField(
        null=True, help_text="Calibrated, 0 to 1; empty: a person said so, or a certain rule."
    )
    rule_score = models.FloatField(null=True)
    model_score = models.FloatField(null=True)
    ground = models.CharField(max_length=7)
    evidence = models.JSONField(
        default=list,
        help_text='[{"turn", "start", "end", "rule" or "term", "weight"}, …], offsets half-open',
    )

    class Meta:
        ordering = ("is_suggestion", "rank")
        constraints = (
            models.UniqueConstraint(
                fields=["decision", "is_suggestion", "rank"], name="one_reason_per_rank"
            ),
        )
        indexes = (
            models.Index(
                fields=["decision", "category"],
                condition=Q(is_suggestion=False, rank__gt=0),
                name="further_reasons",
            ),
        )

    def __str__(self) -> str:
        return f"{self.category}"


def _steadied(
    proposals: Sequence[Proposal], old: dict[str, Decision]
) -> "list[Proposal | None]":
    """Return what may take the place of what stands, None where that is kept."""
    if not old:
        return list(proposals)
    taxonomy = Category.objects.taxonomy()
    standing = _standing_reasons(old.values())
    found: list[Proposal | None] = []
    for proposal in proposals:
        before = old.get(proposal.transcript.thread)
        if before is None:
            found.append(proposal)
        elif before.source == Decision.Source.PERSON:
            found.append(None)
        else:
            verdict = steadied(proposal.verdict, standing.get(before.pk, ()), taxonomy)
            found.append(None if verdict is None else replace(proposal, verdict=verdict))
    return found


def _standing_reasons(decisions: Iterable[Decision]) -> dict[int, list[Reason]]:
    """Return decision id → the reasons that automation gave it, primary first."""
    rows = (
        DecisionReason.objects.filter(decision__in=decisions, is_suggestion=False)
        .exclude(ground=BY_PERSON)
        .select_related("category")
        .order_by("rank")
    )
    found: dict[int, list[Reason]] = {}
    for row in rows:
        reason = Reason(
            row.category.code,
            row.score or 0.0,
            row.rule_score,
            row.model_score,
            Ground(row.ground),
        )
        found.setdefault(row.decision_id, []).append(reason)
    return found


def _categories(proposals: Sequence[Proposal]) -> dict[str, int]:
    """Return the row id of each category that the verdicts name."""
    codes = {
        reason.category
        for proposal in proposals
        for reason in (*proposal.verdict.reasons, *proposal.verdict.suggestions)
    }
    return dict(Category.objects.filter(code__in=codes).values_list("code", "id"))


def _decision(
    proposal: Proposal, categories: dict[str, int], at: datetime, old: dict[str, Decision]
) -> Decision:
    verdict, primary = proposal.verdict, proposal.verdict.primary
    before = old.get(proposal.transcript.thread)
    return Decision(
        thread=proposal.transcript.thread,
        transcript=proposal.transcript,
        category_id=categories[primary.category] if primary else None,
        source=SOURCES[verdict.ground],
        confidence=_probability(primary.confidence) if primary else None,
        doubt=proposal.doubt or (verdict.doubt or ""),
        model_version=proposal.model_version,
        rulebook_digest=proposal.rulebook_digest,
        decided_at=at,
        takes_back=primary is None and before is not None and before.takes_back,
        audit_probability=proposal.audit.probability,
        is_audit=proposal.audit.is_drawn,
        **proposal.transcript.facets,
    )


def _reason_rows(
    verdict: Verdict, decision: Decision, categories: dict[str, int]
) -> list[DecisionReason]:
    return [
        DecisionReason(
            decision=decision,
            category_id=categories[reason.category],
            rank=rank,
            is_suggestion=is_suggestion,
            score=reason.confidence,
            rule_score=reason.rule_score,
            model_score=reason.model_score,
            ground=reason.ground.value,
            evidence=[evidence_row(evidence) for evidence in reason.evidence],
        )
        for is_suggestion, reasons in ((False, verdict.reasons), (True, verdict.suggestions))
        for rank, reason in enumerate(reasons)
    ]


def evidence_row(evidence: Evidence) -> dict[str, str | int | float]:
    """Return one entry of ``DecisionReason.evidence``."""
    what = {"rule": evidence.rule} if evidence.rule else {"term": evidence.term}
    return {
        "turn": evidence.turn,
        "start": evidence.start,
        "end": evidence.end,
        "weight": round(evidence.weight, 4),
        **what,
    }


def _probability(score: float | None) -> float | None:
    return (
        None if score is None else min(max(float(score), 0.0), 1.0)
    )  # rounding may leave 1.0000000000000002
