"""What one model version believed about one transcript."""

from django.db import models


class Prediction(models.Model):
    """Calibrated probabilities that one model version gave one transcript (the best ten)."""

    transcript = models.ForeignKey(
        "classifier.Transcript", models.CASCADE, related_name="predictions"
    )
    model_version = models.ForeignKey(
        "classifier.ModelVersion", models.PROTECT, related_name="predictions"
    )
    probabilities = models.JSONField(help_text='{"billing.refund": 0.93, …}, best first')
    predicted_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["transcript", "model_version"],
                name="one_prediction_per_transcript_and_version",
            ),
        )

    def __str__(self) -> str:
        return f"{self.transcript_id} by {self.model_version_id}"

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """Category codes with their probabilities, best first (JSON columns keep no order)."""
        return sorted(self.probabilities.items(), key=lambda item: (-item[1], item[0]))
