"""Two model versions side by side, on gold labels that neither has seen."""

from django.db import models


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

    class Meta:
        ordering = ("-compared_at", "-id")

    def __str__(self) -> str:
        return f"{self.candidate} beside {self.champion or 'nobody'}"
