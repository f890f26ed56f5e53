"""What may be done with a model version, by whom, and what was done with it so far."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from classifier import promoting
from classifier.models import Comparison, Errand, ModelVersion

MAY_CHANGE = "classifier.change_modelversion"
MAY_TRAIN = ("classifier.add_errand", MAY_CHANGE)


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
    champion = ModelVersion.objects.champions().first()
    is_champion = version == champion
    common: dict[str, Any] = {
        "may_compare": may_train(request) and not is_champion,
        "comparison": Comparison.objects.newest_of(version),
        "errand": Errand.objects.waiting(["compare", "redecide"])
        .filter(parameters__model=version.pk)
        .first(),
    }
    if not may_change(request):
        return Steps(version, champion, **common)
    if is_champion:
        earlier = ModelVersion.objects.before(version)
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
