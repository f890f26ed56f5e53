"""How many workers write at the same time, and how much each sends at once."""

from django.db import models

from classifier.leases import Leased


class Writer(Leased):
    """One of the places from which may be written; whoever writes has leased one."""

    number = models.PositiveSmallIntegerField(unique=True)

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return f"writer {self.number}"


class WritingPace(models.Model):
    """How fast we write just now. One row at most; none: as fast as we may."""

    step = models.PositiveSmallIntegerField(default=0)
    """0: at full speed; each further step halves it."""
    changed_at = models.DateTimeField()
    seconds = models.JSONField(default=list)
    """How long the latest answers to writes took, since the step was changed."""

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_writing_pace"),
        )

    def __str__(self) -> str:
        return f"step {self.step}"
