"""Retraining: gold labels become a candidate model, measured on those it has not seen."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from classifier import comparing, leases, measuring
from classifier.engine import artifact
from classifier.engine.cascade import classify
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.recipe import Recipe
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text_model import TextModel
from classifier.errands import ErrandFailed, Run
from classifier.models import Category, GoldLabel, KeywordRule, ModelArtifact, ModelVersion
from classifier.models.gold_label import fingerprint

if TYPE_CHECKING:
    from classifier.engine.thresholds import HeldOut

BATCH = 200
NUMBERING_ATTEMPTS = 5
DIGITS = 4

STREAM_FROM = 50_000
"""Gold labels; from here on learning at once takes minutes and gigabytes, a stream neither."""
DOUBTS_KEPT = 200
"""Labels that look wrong, told with a model; more are not read at one go."""

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
    train: list[Example] | None
    """None: too many to be held in memory together."""
    test: list[Example]
    count: int
    """Gold labels to train on."""

    @classmethod
    def of_today(cls, stream_from: int) -> "Lesson":
        """Return what the database holds now."""
        count = GoldLabel.objects.filter(split=GoldLabel.Split.TRAIN).count()
        train = (
            GoldLabel.objects.examples(GoldLabel.Split.TRAIN) if count < stream_from else None
        )
        return cls(
            Category.objects.taxonomy(),
            train,
            GoldLabel.objects.examples(GoldLabel.Split.TEST),
            count if train is None else len(train),
        )

    @property
    def learnt(self) -> Iterable[Example]:
        """What is learnt from, to be read once."""
        return _stream_of_today() if self.train is None else self.train


def look_for_news() -> None:
    """Return where a training would teach something new.

    Raises:
        NothingNew: too few categories have labels or rules, or the newest model learnt from the
            same labels.
    """
    labelled = Category.objects.filter(
        is_active=True, gold_reasons__gold_label__split=GoldLabel.Split.TRAIN
    ).distinct()
    known = {*labelled.values_list("code", flat=True), *KeywordRule.objects.phrases()}
    if (number := len(known)) < FEWEST_CATEGORIES:
        raise NothingNew(
            f"There is too little to learn from: {number or 'none'} of the categories"
            f" {'have' if number != 1 else 'has'} gold labels to train on, or assigning rules, and"
            f" a model needs {FEWEST_CATEGORIES}. Import labelled conversations, or review some.",
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
    stream_from: int = STREAM_FROM,
    on_progress: Progress | None = None,
) -> ModelVersion:
    """Learn from the train split of the gold labels, measure on the rest, and store a candidate.

    The rules are measured on the same labels. Categories with few labels, or none, are learnt from
    their name and the phrases of their assigning rules as well; nothing is promised for them, so
    that they are suggested and never decided until labels prove them.

    ``by`` is who asks, for the record; ``recipe`` how to train, if not as usual. From
    ``stream_from`` gold labels on they are read one by one and never held in memory together.
    ``on_progress`` hears what is done and the share so far.

    Raises:
        NothingToLearn: too few gold labels, or fewer than two categories among them.
    """
    # Only here, because scikit-learn takes seconds to import and web processes never train.
    from classifier.engine.learning import learn_and_score  # noqa: PLC0415
    from classifier.engine.streaming import learn_from_stream  # noqa: PLC0415

    lesson, recipe = Lesson.of_today(stream_from), recipe or _usual_recipe()
    names = {node.code: lesson.taxonomy.label(node.code) for node in lesson.taxonomy}
    told: dict[str, Any] = {
        "names": names,
        "phrases": KeywordRule.objects.phrases(),
        "taxonomy": lesson.taxonomy,
        "on_progress": on_progress,
    }
    if lesson.train is None:
        learned = learn_from_stream(_stream_of_today, recipe, **told)
        findings: dict[str, Any] = {}
    else:
        learned = learn_and_score(lesson.train, recipe, **told)
        findings = _doubts(lesson.train, learned.held_out, recipe)
    model = learned.model
    content = artifact.dump(model)
    version = _stored(
        content,
        recipe=asdict(recipe),
        metrics=_measured(model, lesson),
        trained_on=_told(lesson, model) | findings,
        created_at=at,
        trained_by=by,
    )
    measuring.measure_rules(KeywordRule.objects.select_related("category"), at=at)
    measuring.measure_together()
    return version


def _usual_recipe() -> Recipe:
    """Return the recipe with what is set in the environment."""
    return Recipe(
        target_precision=settings.TARGET_PRECISION, oos_share=settings.OUT_OF_SCOPE_SHARE
    )


def _measured(model: TextModel, lesson: Lesson) -> dict[str, Any]:
    """Return the figures on the held-out labels; only their number where there are none."""
    from classifier.engine.class_report import class_reports  # noqa: PLC0415 - as above
    from classifier.engine.evaluation import held_out, quality  # noqa: PLC0415

    policy = Category.objects.policy(model.thresholds)
    promised = {"promised": asdict(whole)} if (whole := model.thresholds.whole) else {}
    if not lesson.test:
        reports = class_reports(lesson.learnt, [], [], policy)
        return {"test": 0, **promised, "categories": [asdict(report) for report in reports]}
    transcripts = [example.transcript for example in lesson.test]
    verdicts = [
        verdict
        for start in range(0, len(transcripts), BATCH)
        for verdict in classify(transcripts[start : start + BATCH], RuleBook(), model, policy)
    ]
    found = asdict(quality(held_out(model, lesson.test), verdicts, policy))
    reports = class_reports(lesson.learnt, lesson.test, verdicts, policy)
    return {
        "test": len(lesson.test),
        **{name: _rounded(value) for name, value in found.items()},
        **promised,
        "categories": [asdict(report) for report in reports],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _told(lesson: Lesson, model: TextModel) -> dict[str, Any]:
    digest = (
        GoldLabel.objects.fingerprint(GoldLabel.Split.TRAIN)
        if lesson.train is None
        else fingerprint(lesson.train)
    )
    return {
        "train": lesson.count,
        "test": len(lesson.test),
        "labels": len(model.labels),
        "digest": digest,
    }


def _stream_of_today() -> Iterator[Example]:
    return GoldLabel.objects.stream(GoldLabel.Split.TRAIN)


def _doubts(train: list[Example], unseen: "HeldOut", recipe: Recipe) -> dict[str, Any]:
    """Return which labels look wrong, as the digests of their words; the worst come first."""
    from classifier.engine.duplicates import contradictions  # noqa: PLC0415 - as above
    from classifier.engine.suspicion import suspects_among  # noqa: PLC0415

    contradicting = contradictions(train, recipe.speakers)
    return {
        "contradictions": [list(each.keys) for each in contradicting[:DOUBTS_KEPT]],
        "suspects": [
            [suspect.key, suspect.suggested]
            for suspect in suspects_among(unseen, sorted(each.key for each in train))
        ][:DOUBTS_KEPT],
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
