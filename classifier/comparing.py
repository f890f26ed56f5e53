"""Comparing: a candidate and the champion answer the held-out gold labels, and the figures stay."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from classifier import leases, serving
from classifier.engine.contest import Contender, compare
from classifier.engine.errors import ArtifactRefused
from classifier.engine.example import Example
from classifier.errands import ErrandFailed, Run
from classifier.models import Comparison, GoldLabel, ModelVersion
from classifier.serving import Serving

UNSEEN = (GoldLabel.Split.TEST, GoldLabel.Split.AUDIT)
"""What no model ever learns from."""

Progress = Callable[[str, float], None]


class CannotCompare(Exception):
    """There is nothing to compare; the message says why and what to do."""


def compare_with_champion(
    candidate: ModelVersion, *, at: datetime, on_progress: Progress | None = None
) -> Comparison:
    """Return a new comparison of a model with the champion; without champion, it is measured alone.

    Both answer as they would today: the same rules, the same categories, each model's own
    thresholds. ``on_progress`` hears what is done and the share so far.

    Raises:
        CannotCompare: it is the champion, or one of the two cannot be loaded.
    """
    tell = on_progress or (lambda _said, _share: None)
    current = serving.current()
    champion = ModelVersion.objects.champions().first()
    if champion == candidate:
        raise CannotCompare(
            f"Model {candidate.number} is the champion itself: compare a candidate with it."
        )
    examples = _unseen()
    gold_digest = GoldLabel.objects.fingerprint(*UNSEEN)
    versions = [candidate, champion] if champion else [candidate]
    contenders = []
    for turn, version in enumerate(versions):

        def told(done: int, version: ModelVersion = version, turn: int = turn) -> None:
            share = (turn + done / len(examples)) / len(versions)
            tell(f"asking model {version.number} about unseen texts", share)

        contenders.append(_asked(version, examples, current, told))
    found = compare(
        examples, current.taxonomy, contenders[0], contenders[1] if champion else None
    )
    return Comparison.objects.create(
        candidate=candidate,
        champion=champion,
        gold_digest=gold_digest,
        rulebook_digest=current.rulebook.digest,
        figures=found.to_dict(),
        compared_at=at,
    )


def whats_changed(comparison: Comparison) -> tuple[str, ...]:
    """Return what is different since the comparison was made, in words; nothing: it holds."""
    changed = []
    champion = ModelVersion.objects.champions().first()
    if champion not in (comparison.champion, comparison.candidate):
        changed.append("another model is the champion")
    if GoldLabel.objects.fingerprint(*UNSEEN) != comparison.gold_digest:
        changed.append("held-out gold labels were added or changed")
    if serving.current().rulebook.digest != comparison.rulebook_digest:
        changed.append("the keyword rules changed")
    return tuple(changed)


def do_compare(run: Run) -> Mapping[str, Any]:
    """Do the errand ``compare``: parameter ``model`` is the key of the model to compare."""
    candidate = ModelVersion.objects.filter(pk=run.parameters["model"]).first()
    if candidate is None:
        raise ErrandFailed("That model is gone.")
    try:
        made = compare_with_champion(candidate, at=leases.now(), on_progress=run.say)
    except CannotCompare as error:
        raise ErrandFailed(str(error)) from error
    return {"comparison": made.pk, "told": f"{made} is compared.".capitalize()}


def _asked(
    version: ModelVersion,
    examples: list[Example],
    current: Serving,
    tell: Callable[[int], None],
) -> Contender:
    try:
        model = serving.load(version)
    except ArtifactRefused as error:
        raise CannotCompare(f"Model {version.number} cannot be asked: {error}.") from error
    taxonomy = current.taxonomy
    return Contender.of(
        model, examples, current.rulebook, taxonomy, policy=current.policy, on_batch=tell
    )


def _unseen() -> list[Example]:
    """Return the held-out examples, named by the key of their transcript, to be found again."""
    pages = dict(
        GoldLabel.objects.filter(split__in=UNSEEN).values_list(
            "transcript__digest", "transcript_id"
        )
    )
    examples = [each for split in UNSEEN for each in GoldLabel.objects.examples(split)]
    return [replace(each, key=str(pages[each.key])) for each in examples if each.key in pages]
