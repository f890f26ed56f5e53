"""When each station last ran, so that the watchman and people see one that nobody rings for."""

from django.db import models

from classifier import leases


class StationRun(models.Model):
    """One row a station. Noted at most every other second by each process, at the start of a run."""

    station = models.CharField(max_length=100, unique=True)
    ran_at = models.DateTimeField()

    class Meta:
        verbose_name = "station's last run"

    def __str__(self) -> str:
        return f"{self.station}: {self.ran_at}"

    @classmethod
    def note(cls, station: str) -> None:
        """Remember that ``station`` begins a run at this moment of the database's clock."""
        at = leases.now()
        if not cls.objects.filter(station=station).update(ran_at=at):
            cls.objects.get_or_create(station=station, defaults={"ran_at": at})
