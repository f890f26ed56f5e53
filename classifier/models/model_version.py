"""A trained model and its stage."""

from typing import Self

from django.db import models
from django.db.models import Q

LARGE_OF_MODEL = ("recipe", "metrics", "trained_on")
"""Columns that can hold figures of every category and thousands of digests: read where one model
is shown, never along with a list of rows."""


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Narrows to a stage."""

    def champions(self) -> Self:
        """Return the champion, or nothing where no model was promoted yet."""
        return self.filter(stage="champion")

    def candidates(self) -> Self:
        """Return what was trained and never promoted, newest first."""
        return self.filter(stage="candidate").order_by("-number")

    def before(self, champion: "ModelVersion") -> "ModelVersion | None":
        """Return the champion before this one: whom a rollback brings back.

        Coming back does not make a model younger: rolling back twice goes two models back.
        """
        earlier = self.filter(stage="retired", promoted_at__isnull=False)
        if champion.promoted_at is not None:
            earlier = earlier.filter(promoted_at__lt=champion.promoted_at)
        return earlier.order_by("-promoted_at", "-number").first()


class ModelVersion(models.Model):
    """One training's result. At most one is the champion, at most one the challenger."""

    class Stage(models.TextChoices):
        CANDIDATE = "candidate", "candidate"
        CHALLENGER = "challenger", "challenger"
        CHAMPION = "champion", "champion"
        RETIRED = "retired", "retired"

    number = models.PositiveIntegerField(
        unique=True, help_text="1, 2, 3, … in order of training."
    )
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.CANDIDATE)
    sha256 = models.CharField(max_length=64, help_text="Digest of the artifact's bytes.")
    size_bytes = models.PositiveIntegerField()
    recipe = models.JSONField(default=dict, help_text="How it was trained.")
    metrics = models.JSONField(default=dict, help_text="Measured on held-out gold labels.")
    trained_on = models.JSONField(
        default=dict, help_text="Numbers and digest of the gold labels."
    )
    refused_because = models.CharField(
        max_length=500,
        blank=True,
        editable=False,
        help_text="Why a worker would not load it; empty: nothing was wrong.",
    )
    created_at = models.DateTimeField()
    trained_by = models.CharField(
        max_length=150, blank=True, editable=False, help_text="Who asked for the training."
    )
    proposed_at = models.DateTimeField(null=True, editable=False)
    proposed_by = models.CharField(
        max_length=150,
        blank=True,
        editable=False,
        help_text="Who wants it to become the champion; a second person promotes it.",
    )
    promoted_at = models.DateTimeField(null=True, editable=False)
    promoted_by = models.CharField(max_length=150, blank=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    retired_by = models.CharField(max_length=150, blank=True, editable=False)
    restored_at = models.DateTimeField(
        null=True, editable=False, help_text="When a rollback made it the champion again."
    )
    restored_by = models.CharField(max_length=150, blank=True, editable=False)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(
                fields=["stage"], condition=Q(stage="champion"), name="one_champion"
            ),
            models.UniqueConstraint(
                fields=["stage"], condition=Q(stage="challenger"), name="one_challenger"
            ),
        )

    def __str__(self) -> str:
        return f"model {self.number}"

    @property
    def is_proposed(self) -> bool:
        """Whether somebody wants it to become the champion, and nobody has promoted it since."""
        if self.proposed_at is None or self.stage == self.Stage.CHAMPION:
            return False
        return self.promoted_at is None or self.promoted_at < self.proposed_at


class ModelArtifact(models.Model):
    """The bytes of a model version, apart so that no list page loads them."""

    version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="artifact")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"artifact of {self.version_id}"
