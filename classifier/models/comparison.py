"""Two model versions side by side, on gold labels that neither has seen."""

from typing import Self

from django.db import models

from classifier.engine.comparison import Comparison as Figures
from classifier.models.model_version import ModelVersion


class ComparisonQuerySet(models.QuerySet["Comparison"]):
    """Finds what was measured last."""

    def newest_of(self, candidate: ModelVersion) -> "Comparison | None":
        return self.of(candidate).first()

    def of(self, candidate: ModelVersion) -> Self:
        """Return a model's comparisons, the newest first."""
        return (
            self.filter(candidate=candidate)
            .select_related("candidate", "champion")
            .order_by("-compared_at", "-id")
        )


class Comparison(models.Model):
    """How a candidate does beside the champion; made by a worker, never edited.

    ``figures`` is ``engine.comparison.Comparison`` as JSON. Without champion the candidate is
    measured alone.
    """

    candidate = models.ForeignKey(
        "classifier.ModelVersion", models.CASCADE, related_name="comparisons"
    )
    champion = models.ForeignKey(
        "classifier.ModelVersion", models.CASCADE, null=True, related_name="+"
    )
    gold_digest = models.CharField(
        max_length=64, help_text="Fingerprint of the gold labels that it was made on."
    )
    rulebook_digest = models.CharField(max_length=64, blank=True)
    figures = models.JSONField(default=dict)
    compared_at = models.DateTimeField()

    objects = ComparisonQuerySet.as_manager()

    class Meta:
        ordering = ("-compared_at", "-id")

    def __str__(self) -> str:
        return f"{self.candidate} beside {self.champion or 'nobody'}"

    @property
    def found(self) -> Figures:
        """The figures as values.

        Raises:
            KeyError, TypeError, ValueError: another version of this product wrote them.
        """
        return Figures.from_dict(self.figures)
