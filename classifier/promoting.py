"""Promoting: a trained model becomes the champion, and the old one steps down."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from classifier.engine import artifact
from classifier.engine.errors import ArtifactRefused
from classifier.models import Decision, ModelArtifact, ModelVersion, Transcript


class NothingToPromote(Exception):
    """There is no candidate newer than the champion; the message says what to do."""


class CannotServe(Exception):
    """A version must not become the champion, for it could not be served; says why."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """Who is the champion now, who was, and how many conversations get a second look."""

    champion: ModelVersion
    retired: ModelVersion | None
    waiting_again: int
    """Conversations that nobody decided because there was no model: they wait once more."""


def promote_newest(*, at: datetime, by: str = "") -> Promoted:
    """Make the newest candidate the champion, also when there is no champion yet.

    ``by`` is who does it, for the record.

    Raises:
        NothingToPromote: no candidate is newer than the champion.
        CannotServe: see ``promote``.
    """
    candidate = ModelVersion.objects.candidates().first()
    champion = ModelVersion.objects.champions().first()
    if candidate is None or (champion and candidate.number < champion.number):
        stands = (
            f"Model {champion.number} is the champion" if champion else "No model is trained"
        )
        raise NothingToPromote(f"{stands}, and there is no newer candidate: run train first.")
    return promote(candidate, at=at, by=by)


def promote(version: ModelVersion, *, at: datetime, by: str = "") -> Promoted:
    """Make ``version`` the champion and retire the old one, in one transaction.

    Promoting the champion again changes nothing. Workers follow with their next batch.

    Raises:
        CannotServe: its artifact is missing or damaged.
    """
    _try_out(version)
    with transaction.atomic():
        # The old champion is locked first, always in this order: two promotions queue up.
        old = ModelVersion.objects.champions().select_for_update().first()
        if old == version:
            return Promoted(version, None, 0)
        if old:
            ModelVersion.objects.filter(pk=old.pk).update(stage=ModelVersion.Stage.RETIRED)
        ModelVersion.objects.filter(pk=version.pk).update(
            stage=ModelVersion.Stage.CHAMPION, promoted_at=at, promoted_by=by
        )
        version.refresh_from_db()
        return Promoted(version, old, _let_wait_again())


def _try_out(version: ModelVersion) -> None:
    """Load the model once, so that no worker meets a broken champion."""
    stored = ModelArtifact.objects.filter(version=version).first()
    if stored is None:
        raise CannotServe(f"The bytes of {version} are missing: train a new one.")
    try:
        artifact.load(stored.content, version.sha256)
    except ArtifactRefused as error:
        raise CannotServe(f"It cannot be promoted: {error}.") from error


def _let_wait_again() -> int:
    """Let conversations be decided once more that only lacked a model."""
    undecided = Decision.objects.standing().filter(doubt=Decision.DoubtCode.NO_MODEL)
    return (
        Transcript.objects.current()
        .filter(thread__in=undecided.values("thread"), purpose=Transcript.Purpose.DECIDE)
        .exclude(decided_at=None)
        .update(decided_at=None, attempts=0)
    )
