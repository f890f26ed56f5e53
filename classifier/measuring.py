"""Measuring: what gold labels say of each rule, and whether the model does better where it speaks.

A rule's strength is counted on the labels that a model learns from; the model, which knows those,
is set beside the rules on the held-out ones. So are both together as they are served, because a
model's thresholds are chosen for the model alone, before any rule has spoken.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from classifier import leases, serving
from classifier.engine.chance import Paired
from classifier.engine.errors import RuleInvalid
from classifier.engine.example import Example
from classifier.engine.rules import RuleBook
from classifier.engine.strength import RuleRecord, Strength, against_model, measure
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text_model import TextModel
from classifier.errands import Run
from classifier.models import Category, Errand, GoldLabel, KeywordRule, ModelVersion
from classifier.models.keyword_rule import MEASURED

ERRAND = "measure"
ALL = {"all": True}
"""Parameters of the errand that measures every rule; none: only those that were changed."""
LEARNT = (GoldLabel.Split.TRAIN,)
UNSEEN = (GoldLabel.Split.TEST, GoldLabel.Split.AUDIT)
AT_ONCE = 1_000
"""Gold labels that are read for one rule while a person waits; measured: half a second."""
BATCH = 500

TOGETHER = "with_rules"
"""Where a champion's ``metrics`` keep what rules and model are worth together."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Together:
    """What rules and champion, as they were served, made of labels that no model learns from."""

    texts: int
    decided: int
    """Got a reason without a person, from a rule or from the model."""
    right: int
    """Of those: the first reason is among the true ones, or an ancestor of one."""
    rulebook: str
    """Digest of the rules that were in force."""
    model: int
    """The champion's number."""
    target: float
    """What the champion's thresholds promise of the model alone."""

    @property
    def is_today(self) -> bool:
        """Whether these rules are still in force; their measured strengths count as theirs."""
        return serving.current().rulebook.digest == self.rulebook

    @property
    def coverage(self) -> float | None:
        return self.decided / self.texts if self.texts else None

    @property
    def precision(self) -> float | None:
        return self.right / self.decided if self.decided else None

    @property
    def falls_short(self) -> bool:
        """Whether so few are right that it is no chance (one-sided, 95 % sure)."""
        from classifier.engine.proof import at_most  # noqa: PLC0415 - scipy, as in ``proof``

        return bool(self.decided) and float(at_most(self.right, self.decided)) < self.target


def measure_changed(
    rule: KeywordRule, *, at: datetime, by: Any = None, at_once: int = AT_ONCE
) -> bool:
    """Measure a rule that was changed, at once where it is quick, and say whether it is done.

    With more gold labels than ``at_once`` a worker is asked to; ``by`` is who changed them.
    """
    if GoldLabel.objects.count() > at_once:
        measure_waiting_later(at=at, by=by)
        return False
    measure_rules(KeywordRule.objects.select_related("category").filter(pk=rule.pk), at=at)
    measure_together()
    return True


def measure_waiting_later(*, at: datetime, by: Any = None) -> None:
    """Ask a worker to measure what was changed; where there is no gold label, nothing to do."""
    if GoldLabel.objects.exists():
        Errand.objects.ask_once(ERRAND, at=at, by=by)


def measure_later(*, at: datetime, by: Any = None) -> None:
    """Ask a worker to measure all rules anew, because the champion is another."""
    if KeywordRule.objects.exists():
        Errand.objects.ask_once(ERRAND, at=at, by=by, parameters=ALL)


def do_measure(run: Run) -> Mapping[str, Any]:
    """Do the errand ``measure``: the rules that were changed since they were measured, or all."""
    rules = KeywordRule.objects.select_related("category")
    if run.parameters != ALL:
        rules = rules.waiting_to_be_measured()
    number = measure_rules(rules, at=leases.now(), on_progress=run.say)
    measure_together()
    are = "rule is" if number == 1 else "rules are"
    return {"rules": number, "told": f"{number} {are} measured on gold labels."}


def measure_rules(
    rules: Iterable[KeywordRule], *, at: datetime, on_progress: Progress | None = None
) -> int:
    """Measure rules on all gold labels, keep what comes of it, and return how many.

    Switched-off rules too: before one is switched on, people see what it is worth. A rule that
    is changed meanwhile stays unmeasured.
    """
    tell = on_progress or (lambda _said, _share: None)
    rows = {row.name: row for row in rules}
    book = RuleBook(_readable(rows.values()))
    if not book.rules:
        return 0
    taxonomy = Category.objects.taxonomy()
    strengths = _strengths(book, taxonomy, tell)
    paired = _against_champion(book, taxonomy, tell)
    for name in (rule.name for rule in book.rules):
        row = rows[name]
        strength = strengths.get(name, Strength())
        row.keep_record(RuleRecord(strength, paired.get(name)), at=at)
        kept = {field: getattr(row, field) for field in ("strength", *MEASURED)}
        KeywordRule.objects.filter(pk=row.pk, changed_at=row.changed_at).update(**kept)
    return len(book.rules)


def measure_together() -> Together | None:
    """Try rules and champion as they are served on held-out labels, and keep what comes of it.

    None: there is no champion.
    """
    current = serving.current()
    if current.champion is None:
        return None
    texts = decided = right = 0
    for batch in _batches(UNSEEN, lambda _said, _share: None, "", 0.0):
        verdicts = current.classify([example.transcript for example in batch])
        answers = [verdict.primary.category if verdict.primary else "" for verdict in verdicts]
        texts += len(batch)
        decided += sum(map(bool, answers))
        right += sum(
            current.taxonomy.is_right(answer, example.categories)
            for answer, example in zip(answers, batch, strict=True)
            if answer
        )
    version = current.champion.version
    target = current.champion.model.thresholds.target_precision
    found = Together(texts, decided, right, current.rulebook.digest, version.number, target)
    with transaction.atomic():
        row = ModelVersion.objects.select_for_update().get(pk=version.pk)
        row.metrics[TOGETHER] = asdict(found)
        row.save(update_fields=["metrics"])
    return found


def together() -> Together | None:
    """Return what rules and champion were worth when they were last tried together, if ever."""
    kept = ModelVersion.objects.champions().values_list(f"metrics__{TOGETHER}", flat=True)
    found = kept.first()
    return Together(**found) if found else None


def _readable(rows: Iterable[KeywordRule]) -> Iterator[Any]:
    for row in rows:
        try:
            yield row.to_rule()
        except RuleInvalid:
            continue  # told where rules are put into force


def _strengths(book: RuleBook, taxonomy: Taxonomy, tell: Progress) -> dict[str, Strength]:
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for batch in _batches(LEARNT, tell, "trying rules on gold labels", 0.0):
        hits = book.match_all(example.transcript for example in batch)
        for name, one in measure(hits, [each.categories for each in batch], taxonomy).items():
            right[name] += one.right
            found[name] += one.found
    return {name: Strength(right[name], number) for name, number in found.items()}


def _against_champion(book: RuleBook, taxonomy: Taxonomy, tell: Progress) -> dict[str, Paired]:
    """Return each assigning rule beside the champion; nothing where there is none."""
    champion = serving.current().champion
    if champion is None:
        return {}
    better: Counter[str] = Counter()
    worse: Counter[str] = Counter()
    names: set[str] = set()
    for batch in _batches(UNSEEN, tell, "asking the model beside the rules", 0.5):
        hits = book.match_all(example.transcript for example in batch)
        answers = _answers(champion.model, batch)
        truths = [example.categories for example in batch]
        for name, one in against_model(hits, answers, truths, taxonomy).items():
            names.add(name)
            better[name] += one.better
            worse[name] += one.worse
    return {name: Paired(better[name], worse[name]) for name in names}


def _answers(model: TextModel, batch: Sequence[Example]) -> list[str]:
    """Return the model's likeliest category of each text."""
    predicted = model.predict([example.transcript for example in batch])
    return [min(shares, key=lambda code: (-shares[code], code)) for shares in predicted]


def _batches(
    splits: Sequence[GoldLabel.Split], tell: Progress, said: str, share: float
) -> Iterator[list[Example]]:
    """Yield the gold labels of some splits, a few hundred at a time."""
    labels = (
        GoldLabel.objects.filter(split__in=splits)
        .select_related("transcript")
        .prefetch_related("reasons__category")
        .order_by("id")
    )
    number, done = labels.count(), 0
    rows = labels.iterator(chunk_size=BATCH)
    while chunk := list(islice(rows, BATCH)):
        yield [example for row in chunk if (example := row.to_example()) is not None]
        done += len(chunk)
        tell(said, share + done / number / 2)
