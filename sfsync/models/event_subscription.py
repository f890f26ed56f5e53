"""Up to where the change events of a topic were heard."""

from datetime import datetime, timedelta

from django.db import models

LONGEST_REPLAY_ID = 1024
RETENTION = timedelta(hours=72)
"""So long Salesforce keeps events (Pub/Sub API guide)."""


class EventSubscription(models.Model):
    """One topic: the rings of all events up to ``replay_id`` are durably ours.

    Events are hints and the pull is the truth: a place that is lost loses no change.
    """

    topic = models.CharField(max_length=120, unique=True)
    replay_id = models.BinaryField(max_length=LONGEST_REPLAY_ID, default=b"")
    """Opaque; only Salesforce can compare it. Empty: begin with what comes."""
    heard_at = models.DateTimeField(null=True)
    """When Salesforce was last heard, by the database's clock; a keepalive counts."""
    lost_at = models.DateTimeField(null=True)
    """The org's time at which a place was lost, until the pull has gone past it."""

    class Meta:
        ordering = ("topic",)

    def __str__(self) -> str:
        return self.topic

    @classmethod
    def of(cls, topic: str) -> "EventSubscription":
        """Return the row of a topic, made where there is none."""
        return cls.objects.get_or_create(topic=topic)[0]

    def is_too_old(self, at: datetime) -> bool:
        """Return whether Salesforce no longer keeps what came after the place."""
        return self.heard_at is not None and self.heard_at < at - RETENTION

    def heard(self, replay_id: bytes, at: datetime) -> None:
        """Keep the place. Call it after the rings up to there are committed."""
        self.replay_id, self.heard_at = replay_id, at
        self.save(update_fields=["replay_id", "heard_at"])

    def lose_place(self, lost_at: datetime) -> None:
        """Begin anew with what comes; ``lost_at`` is the org's time."""
        self.replay_id, self.heard_at, self.lost_at = b"", None, lost_at
        self.save(update_fields=["replay_id", "heard_at", "lost_at"])

    def catch_up(self) -> None:
        """Note that the pull has covered what was lost."""
        self.lost_at = None
        self.save(update_fields=["lost_at"])
