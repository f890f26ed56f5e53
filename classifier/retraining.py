"""Retraining: gold labels become a candidate model, measured on those it has not seen."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from classifier.engine import artifact
from classifier.engine.cascade import classify
from classifier.engine.evaluation import held_out, quality
from classifier.engine.example import Example
from classifier.engine.learning import learn
from classifier.engine.policy import Policy
from classifier.engine.recipe import Recipe
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text_model import TextModel
from classifier.models import Category, GoldLabel, ModelArtifact, ModelVersion
from classifier.models.gold_label import fingerprint

BATCH = 200
NUMBERING_ATTEMPTS = 5
DIGITS = 4

Progress = Callable[[str, float], None]


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


def train_candidate(*, at: datetime, on_progress: Progress | None = None) -> ModelVersion:
    """Learn from the train split of the gold labels, measure on the rest, and store a candidate.

    ``on_progress`` hears what is done and the share so far.

    Raises:
        NothingToLearn: too few gold labels, or fewer than two categories among them.
    """
    lesson, recipe = Lesson.of_today(), Recipe()
    names = {node.code: lesson.taxonomy.label(node.code) for node in lesson.taxonomy}
    model = learn(
        lesson.train, recipe, names=names, taxonomy=lesson.taxonomy, on_progress=on_progress
    )
    content = artifact.dump(model)
    return _stored(
        content,
        recipe=asdict(recipe),
        metrics=_measured(model, lesson),
        trained_on=_told(lesson, model),
        created_at=at,
    )


def _measured(model: TextModel, lesson: Lesson) -> dict[str, Any]:
    """Return the figures on the held-out labels; only their number where there are none."""
    if not lesson.test:
        return {"test": 0}
    policy = Policy(lesson.taxonomy, model.thresholds)
    transcripts = [example.transcript for example in lesson.test]
    verdicts = [
        verdict
        for start in range(0, len(transcripts), BATCH)
        for verdict in classify(transcripts[start : start + BATCH], RuleBook(), model, policy)
    ]
    found = asdict(quality(held_out(model, lesson.test), verdicts, policy))
    return {
        "test": len(lesson.test),
        **{name: _rounded(value) for name, value in found.items()},
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
