"""Promoting: a model is proposed, another person makes it the champion, one click takes it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from classifier import leases, measuring, serving
from classifier.engine.errors import ArtifactRefused
from classifier.errands import ErrandFailed, Run
from classifier.models import Decision, Feedback, ModelVersion, Transcript

MOST_AGAIN = 20_000
"""Conversations that one errand decides again, so that new ones never wait long behind them."""
AGAIN_BATCH = 500


class CannotPromote(Exception):
    """A step was refused and nothing changed; the message says why and what to do."""


class NothingToPromote(CannotPromote):
    """There is no candidate newer than the champion."""


class CannotServe(CannotPromote):
    """A version must not become the champion, for it could not be served."""


class NeedsSecondPerson(CannotPromote):
    """Somebody else must do this step; the message says who."""


class NothingToRollBack(CannotPromote):
    """There is no champion, or none before it."""


@dataclass(frozen=True, slots=True)
class Promoted:
    """Who is the champion now, who was, and how many conversations get a second look."""

    champion: ModelVersion
    retired: ModelVersion | None
    waiting_again: int
    """Conversations that nobody decided because there was no model: they wait once more."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Who is the champion again, who stepped down, and what that one had decided."""

    champion: ModelVersion
    retired: ModelVersion
    decided: int
    """Conversations whose standing decision it made and no person touched."""


def propose(version: ModelVersion, *, at: datetime, by: str) -> ModelVersion:
    """Note that ``by`` wants ``version`` to become the champion, and return it.

    Proposing again hands the proposal over to who does it last.

    Raises:
        CannotServe: its artifact is missing or damaged.
        CannotPromote: it is the champion.
    """
    _try_out(version)
    proposed = ModelVersion.objects.filter(pk=version.pk).exclude(
        stage=ModelVersion.Stage.CHAMPION
    )
    if not proposed.update(proposed_at=at, proposed_by=by):
        raise CannotPromote(f"Model {version.number} is the champion already.")
    version.refresh_from_db()
    return version


def promote_newest(*, at: datetime, by: str = "") -> Promoted:
    """Make the newest candidate the champion, also when there is no champion yet.

    ``by`` is who does it, for the record.

    Raises:
        NothingToPromote: no candidate is newer than the champion.
        CannotServe, NeedsSecondPerson: see ``promote``.
    """
    return promote(newest_candidate(), at=at, by=by)


def newest_candidate() -> ModelVersion:
    """Return the newest candidate.

    Raises:
        NothingToPromote: none is newer than the champion.
    """
    candidate = ModelVersion.objects.candidates().first()
    champion = ModelVersion.objects.champions().first()
    if candidate is None or (champion and candidate.number < champion.number):
        stands = (
            f"Model {champion.number} is the champion" if champion else "No model is trained"
        )
        raise NothingToPromote(f"{stands}, and there is no newer candidate: run train first.")
    return candidate


def promote(version: ModelVersion, *, at: datetime, by: str = "") -> Promoted:
    """Make ``version`` the champion and retire the old one, in one transaction.

    Where a champion is to be replaced, one person proposes and another one promotes
    (``settings.PROMOTION_NEEDS_SECOND_PERSON``). Promoting the champion again changes nothing.
    Workers follow with their next batch.

    Raises:
        CannotServe: its artifact is missing or damaged.
        NeedsSecondPerson: nobody proposed it yet, or ``by`` did.
    """
    _try_out(version)
    with transaction.atomic():
        # The old champion is locked first, always in this order: two promotions queue up.
        old = ModelVersion.objects.champions().select_for_update().first()
        if old == version:
            return Promoted(version, None, 0)
        version.refresh_from_db()
        if refusal := second_person_refusal(version, old, by):
            raise NeedsSecondPerson(refusal)
        if old:
            _retire(old, at, by)
        ModelVersion.objects.filter(pk=version.pk).update(
            stage=ModelVersion.Stage.CHAMPION, promoted_at=at, promoted_by=by
        )
        version.refresh_from_db()
        measuring.measure_later(at=at)
        return Promoted(version, old, _let_wait_again())


def second_person_refusal(version: ModelVersion, champion: ModelVersion | None, by: str) -> str:
    """Return why ``by`` may not promote ``version`` now, and who may; empty: they may.

    The first champion replaces nobody, so it needs no second person.
    """
    if not settings.PROMOTION_NEEDS_SECOND_PERSON or champion is None:
        return ""
    replaced = f"Model {version.number} would replace model {champion.number}"
    if not version.is_proposed:
        return (
            f"{replaced}, which takes two people: one proposes it, another one promotes it."
            " Nobody has proposed it yet."
        )
    if not by:
        return f"{replaced}, which takes two people: say who promotes it."
    if by == version.proposed_by:
        return (
            f"{replaced}, which takes two people. {by} proposed it, so somebody else who may"
            " change models must promote it."
        )
    return ""


def roll_back(*, at: datetime, by: str, away_from: ModelVersion | None = None) -> RolledBack:
    """Make the champion before this one the champion again; no second person is needed.

    Every worker follows with its next batch. ``away_from`` is the champion that the person saw:
    a second click on the same button changes nothing more.

    Raises:
        NothingToRollBack: there is no champion before it, or it is the champion no longer.
        CannotServe: the one before it is missing or damaged.
    """
    with transaction.atomic():
        champion = ModelVersion.objects.champions().select_for_update().first()
        if champion is None:
            raise NothingToRollBack("There is no champion to roll back.")
        if away_from is not None and champion != away_from:
            raise NothingToRollBack(
                f"Model {champion.number} is the champion already; nothing was changed."
            )
        earlier = ModelVersion.objects.before(champion)
        if earlier is None:
            raise NothingToRollBack(
                f"Model {champion.number} is the first champion: there is none to go back to."
            )
        _try_out(earlier)
        _retire(champion, at, by)
        ModelVersion.objects.filter(pk=earlier.pk).update(
            stage=ModelVersion.Stage.CHAMPION, restored_at=at, restored_by=by
        )
        measuring.measure_later(at=at)
    earlier.refresh_from_db()
    champion.refresh_from_db()
    return RolledBack(earlier, champion, decided_by(champion).count())


def decided_by(version: ModelVersion) -> "QuerySet[Decision]":
    """Return the standing decisions that a model had a part in and that no person touched."""
    by_model = (Decision.Source.MODEL, Decision.Source.BOTH, Decision.Source.NOBODY)
    touched = Feedback.objects.order_by().values("thread")
    return (
        Decision.objects.standing()
        .filter(model_version=version, source__in=by_model)
        .filter(transcript__purpose=Transcript.Purpose.DECIDE)
        .exclude(thread__in=touched)
    )


def do_redecide(run: Run) -> Mapping[str, Any]:
    """Do the errand ``redecide``: what a retired model (parameter ``model``) decided waits again.

    Its decisions stop standing, for else a sure one would outlive a later doubt. The newest come
    first, at most ``MOST_AGAIN`` in one errand.
    """
    version = ModelVersion.objects.filter(pk=run.parameters["model"]).first()
    if version is None:
        raise ErrandFailed("That model is gone.")
    if version.stage == ModelVersion.Stage.CHAMPION:
        raise ErrandFailed(
            f"Model {version.number} is the champion: it would decide the same again."
        )
    total = min(decided_by(version).count(), MOST_AGAIN)
    done = 0
    while done < total and (taken := _take_back(version, min(AGAIN_BATCH, total - done))):
        done += taken
        run.say(f"{done:,} of {total:,} conversations wait again", done / total)
    left = decided_by(version).count()
    told = f"{done:,} conversations that model {version.number} decided are decided again."
    if left:
        told += f" {left:,} are left: ask once more when those are done."
    return {"again": done, "left": left, "told": told}


def _take_back(version: ModelVersion, most: int) -> int:
    """Put some of a model's decisions back into the tray, in one short transaction."""
    with transaction.atomic():
        newest = list(decided_by(version).order_by("-id").values_list("id", flat=True)[:most])
        rows = Decision.objects.standing().filter(pk__in=newest).order_by("id")
        threads = dict(rows.select_for_update(of=("self",)).values_list("pk", "thread"))
        Decision.objects.filter(pk__in=threads).update(superseded_at=leases.now())
        Transcript.objects.decide_again(threads.values())
    return len(threads)


def _retire(version: ModelVersion, at: datetime, by: str) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(
        stage=ModelVersion.Stage.RETIRED, retired_at=at, retired_by=by
    )


def _try_out(version: ModelVersion) -> None:
    """Load the model once, so that no worker meets a broken champion."""
    try:
        serving.load(version)
    except ArtifactRefused as error:
        raise CannotServe(f"Model {version.number} cannot serve: {error}.") from error


def _let_wait_again() -> int:
    """Let conversations be decided once more that only lacked a model."""
    undecided = Decision.objects.standing().filter(doubt=Decision.DoubtCode.NO_MODEL)
    return (
        Transcript.objects.current()
        .filter(thread__in=undecided.values("thread"), purpose=Transcript.Purpose.DECIDE)
        .exclude(decided_at=None)
        .update(decided_at=None, attempts=0)
    )
