"""Retraining: gold labels become a candidate model, measured on those it has not seen."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from classifier import comparing, leases, measuring
from classifier.engine import artifact
from classifier.engine.cascade import classify
from classifier.engine.class_report import class_reports
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.recipe import Recipe
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text_model import TextModel
from classifier.errands import ErrandFailed, Run
from classifier.models import Category, GoldLabel, KeywordRule, ModelArtifact, ModelVersion
from classifier.models.gold_label import fingerprint

BATCH = 200
NUMBERING_ATTEMPTS = 5
DIGITS = 4

FEWEST_CATEGORIES = 2
COMPARED_FROM = 0.9
"""Share of the errand that is training; the rest is comparing."""

Progress = Callable[[str, float], None]


class NothingNew(Exception):
    """There is nothing to learn, or nothing that a model has not learnt yet; says what to do."""

    def __init__(self, message: str, *, may_all_the_same: bool) -> None:
        super().__init__(message)
        self.may_all_the_same = may_all_the_same
        """Whether a training would work, though it would teach nothing new."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """The gold labels of one training, the held-out ones apart."""

    taxonomy: Taxonomy
    train: list[Example]
    test: list[Example]

    @classmethod
    def of_today(cls) -> "Lesson":
        """Return what the database holds now."""
        return cls(
            Category.objects.taxonomy(),
            GoldLabel.objects.examples(GoldLabel.Split.TRAIN),
            GoldLabel.objects.examples(GoldLabel.Split.TEST),
        )


def look_for_news() -> None:
    """Return where a training would teach something new.

    Raises:
        NothingNew: too few categories have labels, or the newest model learnt from the same.
    """
    labelled = Category.objects.filter(
        is_active=True, gold_reasons__gold_label__split=GoldLabel.Split.TRAIN
    ).distinct()
    if (number := labelled.count()) < FEWEST_CATEGORIES:
        raise NothingNew(
            f"There is too little to learn from: {number or 'none'} of the categories"
            f" {'have' if number != 1 else 'has'} gold labels to train on, and a model needs"
            f" {FEWEST_CATEGORIES}. Import labelled conversations, or review some.",
            may_all_the_same=False,
        )
    newest = ModelVersion.objects.order_by("-number").first()
    today = GoldLabel.objects.fingerprint(GoldLabel.Split.TRAIN)
    if newest and newest.trained_on.get("digest") == today:
        raise NothingNew(
            f"There are no new gold labels since model {newest.number} was trained: a new model"
            " would be the same.",
            may_all_the_same=True,
        )


def do_train(run: Run) -> Mapping[str, Any]:
    """Do the errand ``train``: a candidate, compared with the champion at once."""

    def training(said: str, share: float) -> None:
        run.say(said, share * COMPARED_FROM)

    def comparison(said: str, share: float) -> None:
        run.say(said, COMPARED_FROM + share * (1 - COMPARED_FROM))

    asked_by = run.errand.asked_by
    by = asked_by.get_username() if asked_by else ""
    try:
        version = _made_before(run, by) or train_candidate(
            at=leases.now(), by=by, on_progress=training
        )
    except NothingToLearn as error:
        raise ErrandFailed(
            f"There is too little to learn from: {error}. Import labelled conversations, or"
            " review some."
        ) from error
    told = f"Model {version.number} is trained; it is a candidate."
    try:
        made = comparing.compare_with_champion(version, at=leases.now(), on_progress=comparison)
    except comparing.CannotCompare as error:
        return {"model": version.pk, "told": f"{told} It could not be compared: {error}"}
    return {"model": version.pk, "comparison": made.pk, "told": told}


def _made_before(run: Run, by: str) -> ModelVersion | None:
    """Return what an earlier attempt of this errand made, whose worker was killed after."""
    return ModelVersion.objects.filter(
        trained_by=by,
        created_at__gte=run.errand.asked_at,
        trained_on__digest=GoldLabel.objects.fingerprint(GoldLabel.Split.TRAIN),
    ).first()


def train_candidate(
    *,
    at: datetime,
    by: str = "",
    recipe: Recipe | None = None,
    on_progress: Progress | None = None,
) -> ModelVersion:
    """Learn from the train split of the gold labels, measure on the rest, and store a candidate.

    The rules are measured on the same labels.

    ``by`` is who asks, for the record; ``recipe`` how to train, if not as usual.
    ``on_progress`` hears what is done and the share so far.

    Raises:
        NothingToLearn: too few gold labels, or fewer than two categories among them.
    """
    # Only here, because scikit-learn takes seconds to import and web processes never train.
    from classifier.engine.learning import learn  # noqa: PLC0415

    lesson, recipe = Lesson.of_today(), recipe or _usual_recipe()
    names = {node.code: lesson.taxonomy.label(node.code) for node in lesson.taxonomy}
    model = learn(
        lesson.train, recipe, names=names, taxonomy=lesson.taxonomy, on_progress=on_progress
    )
    content = artifact.dump(model)
    version = _stored(
        content,
        recipe=asdict(recipe),
        metrics=_measured(model, lesson),
        trained_on=_told(lesson, model),
        created_at=at,
        trained_by=by,
    )
    measuring.measure_rules(KeywordRule.objects.select_related("category"), at=at)
    return version


def _usual_recipe() -> Recipe:
    """Return the recipe with what is set in the environment."""
    return Recipe(
        target_precision=settings.TARGET_PRECISION, oos_share=settings.OUT_OF_SCOPE_SHARE
    )


def _measured(model: TextModel, lesson: Lesson) -> dict[str, Any]:
    """Return the figures on the held-out labels; only their number where there are none."""
    from classifier.engine.evaluation import held_out, quality  # noqa: PLC0415 - as above

    policy = Category.objects.policy(model.thresholds)
    promised = {"promised": asdict(whole)} if (whole := model.thresholds.whole) else {}
    if not lesson.test:
        reports = class_reports(lesson.train, [], [], policy)
        return {"test": 0, **promised, "categories": [asdict(report) for report in reports]}
    transcripts = [example.transcript for example in lesson.test]
    verdicts = [
        verdict
        for start in range(0, len(transcripts), BATCH)
        for verdict in classify(transcripts[start : start + BATCH], RuleBook(), model, policy)
    ]
    found = asdict(quality(held_out(model, lesson.test), verdicts, policy))
    reports = class_reports(lesson.train, lesson.test, verdicts, policy)
    return {
        "test": len(lesson.test),
        **{name: _rounded(value) for name, value in found.items()},
        **promised,
        "categories": [asdict(report) for report in reports],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _told(lesson: Lesson, model: TextModel) -> dict[str, Any]:
    return {
        "train": len(lesson.train),
        "test": len(lesson.test),
        "labels": len(model.labels),
        "digest": fingerprint(lesson.train),
    }


def _stored(content: bytes, **fields: Any) -> ModelVersion:
    """Store a candidate under the next free number.

    A training takes minutes: one that ends in the same moment must not make this one be lost.
    """
    for attempts_left in reversed(range(NUMBERING_ATTEMPTS)):
        try:
            with transaction.atomic():
                return _numbered(content, **fields)
        except IntegrityError:
            if not attempts_left:
                raise
    raise AssertionError("unreachable")


def _numbered(content: bytes, **fields: Any) -> ModelVersion:
    newest = ModelVersion.objects.aggregate(newest=Max("number"))["newest"] or 0
    version = ModelVersion.objects.create(
        number=newest + 1,
        sha256=artifact.digest_of(content),
        size_bytes=len(content),
        **fields,
    )
    ModelArtifact.objects.create(version=version, content=content)
    return version
