"""What may be done with a model version, by whom, and what was done with it so far."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from classifier import promoting
from classifier.models import Comparison, Errand, GoldLabel, ModelVersion
from classifier.models.model_version import LARGE_OF_MODEL, ModelVersionQuerySet

MAY_CHANGE = "classifier.change_modelversion"
MAY_TRAIN = ("classifier.add_errand", MAY_CHANGE)


def light_versions() -> ModelVersionQuerySet:
    """Return all model versions without what is large in them."""
    return ModelVersion.objects.defer(*LARGE_OF_MODEL)


def light_comparisons(comparisons: "QuerySet[Comparison]") -> "QuerySet[Comparison]":
    """Return them with their models, without what is large in either."""
    sides = [f"{side}__{name}" for side in ("candidate", "champion") for name in LARGE_OF_MODEL]
    return comparisons.select_related("candidate", "champion").defer("figures", *sides)


def may_train(request: HttpRequest) -> bool:
    return any(request.user.has_perm(permission) for permission in MAY_TRAIN)


def may_change(request: HttpRequest) -> bool:
    return request.user.has_perm(MAY_CHANGE)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a model."""

    words: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Steps:
    """What a person may do with one model now."""

    version: ModelVersion
    champion: ModelVersion | None
    may_propose: bool = False
    may_promote: bool = False
    refusal: str = ""
    """Why this person may not promote it now, and who may."""
    earlier: ModelVersion | None = None
    """Whom a rollback of this champion brings back."""
    may_compare: bool = False
    comparison: Comparison | None = None
    again: int = 0
    """Conversations that may be decided again, because this model no longer serves."""
    errand: Errand | None = None
    """What a worker does with it right now."""

    @property
    def any_way(self) -> bool:
        return any(
            (self.may_propose, self.may_promote, self.earlier, self.may_compare, self.again)
        )


def steps(version: ModelVersion, request: HttpRequest) -> Steps:
    """Return what the person of this request may do with a model."""
    champion = light_versions().champions().first()
    is_champion = version == champion
    common: dict[str, Any] = {
        "may_compare": may_train(request) and not is_champion,
        "comparison": light_comparisons(Comparison.objects.of(version)).first(),
        "errand": Errand.objects.waiting(["compare", "redecide"])
        .filter(parameters__model=version.pk)
        .first(),
    }
    if not may_change(request):
        return Steps(version, champion, **common)
    if is_champion:
        earlier = light_versions().before(version)
        return Steps(version, champion, earlier=earlier, **common)
    me = request.user.get_username()
    refusal = promoting.second_person_refusal(version, champion, me)
    is_mine = version.is_proposed and version.proposed_by == me
    return Steps(
        version,
        champion,
        may_propose=bool(refusal) and not is_mine,
        may_promote=not refusal,
        refusal=refusal if is_mine else "",
        again=to_decide_again(version),
        **common,
    )


def to_decide_again(version: ModelVersion) -> int:
    """Return how many conversations a retired model decided that nobody touched."""
    if version.stage != ModelVersion.Stage.RETIRED:
        return 0
    return promoting.decided_by(version).count()


def list_top(request: HttpRequest) -> dict[str, object]:
    """Return what the list of models says above its rows: what may be done, what is under way."""
    champion = light_versions().champions().first()
    newest = light_versions().order_by("-number").first()
    stepped_down = _stepped_down(champion) if may_change(request) else None
    return {
        "may_train": may_train(request),
        "training": Errand.objects.waiting(["train"]).first(),
        "deciding_again": Errand.objects.waiting(["redecide"]).first(),
        "newest": newest,
        "new_labels": _new_labels(newest),
        "champion": champion,
        "earlier": light_versions().before(champion)
        if champion and may_change(request)
        else None,
        "stepped_down": stepped_down,
        "again": to_decide_again(stepped_down) if stepped_down else 0,
    }


def _new_labels(newest: ModelVersion | None) -> int:
    """Return how many gold labels to train on were settled since the newest model was trained."""
    labels = GoldLabel.objects.filter(split=GoldLabel.Split.TRAIN)
    return (labels.filter(settled_at__gt=newest.created_at) if newest else labels).count()


def _stepped_down(champion: ModelVersion | None) -> ModelVersion | None:
    """Return the model that the last rollback retired, while the one it brought back stands."""
    if champion is None or champion.restored_at is None:
        return None
    retired = light_versions().filter(stage=ModelVersion.Stage.RETIRED)
    return retired.filter(retired_at=champion.restored_at).first()


def timeline(version: ModelVersion) -> list[Step]:
    """Return what happened to a model, the oldest first."""
    return sorted(_steps(version), key=lambda step: step.at)


def _steps(version: ModelVersion) -> Iterator[Step]:
    happened = (
        ("Trained", version.created_at, version.trained_by),
        ("Proposed for promotion", version.proposed_at, version.proposed_by),
        ("Became the champion", version.promoted_at, version.promoted_by),
        ("Stepped down", version.retired_at, version.retired_by),
        ("Champion again by rollback", version.restored_at, version.restored_by),
    )
    for words, at, by in happened:
        if at is not None:
            yield Step(words, at, by)
