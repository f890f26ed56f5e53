"""Which sources are read: those a person wants and the org has."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sfsync.errors import ObjectMissing
from sfsync.gateway import SalesforceGateway
from sfsync.models import Notice, Source
from sfsync.sources import READERS, SourceReader, reader_of

RECHECK = timedelta(hours=1)
"""How long a look at the org's objects is believed, for sources that are on and that are off."""


def known_readers() -> list[SourceReader]:
    """Return the readers of all sources: the built-in ones, then those that an admin named."""
    own = map(reader_for, Source.objects.exclude(kind=Source.Kind.BUILT_IN))
    return [*READERS, *(reader for reader in own if reader is not None)]


def reader_for(source: Source) -> SourceReader | None:
    """Return the reader of one source; None where no reader can be made of the row."""
    if source.is_own:
        with suppress(ValueError):  # a name that is no API name; its form would have said so
            return reader_of(source)
        return None
    return next((reader for reader in READERS if reader.code == source.code), None)


def readers_in_use(gateway: SalesforceGateway, at: datetime) -> list[SourceReader]:
    """Return the readers of all sources that are on.

    Once an hour each source is looked at: one that the org lacks goes off with a message, one
    that we turned off comes back once its cause is mended. What a person turned off stays off.
    """
    return [reader for reader in known_readers() if _is_in_use(gateway, reader, at)]


def pauses() -> dict[str, timedelta]:
    """Return source code → how long its object rests between two questions what is new."""
    rows = Source.objects.values_list("code", "interval_seconds")
    return {code: timedelta(seconds=seconds) for code, seconds in rows}


def switch_off(
    reader: SourceReader, because: str, at: datetime, *, is_told: bool = True
) -> None:
    """Stop reading a source that the org lacks, and tell an operator."""
    source, _ = Source.objects.get_or_create(code=reader.code, defaults={"name": reader.name})
    source.turn_off(because, at)
    if is_told:
        Notice.raise_for(_key(reader), Notice.Level.WARNING, f"{reader.name}: {because}", at)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a source cannot be read."""

    sobject: str
    hidden: tuple[str, ...] = ()
    """Fields that our user may not read; empty: the object itself is not there for us."""

    def __str__(self) -> str:
        if not self.hidden:
            return (
                f"The org has no object {self.sobject}, or our user may not read it. If you use"
                " it, give the integration user read access; it is read again within the hour."
            )
        return (
            f"Our user may not read {', '.join(self.hidden)} of {self.sobject}. Assign the"
            " permission set of Contact Reason to it; it is read again within the hour."
        )


def obstacle_to(gateway: SalesforceGateway, reader: SourceReader) -> Obstacle | None:
    """Return what keeps us from reading this source, None when all is well."""
    for sobject, fields in reader.needed.items():
        try:
            present = gateway.describe(sobject).fields
        except ObjectMissing:
            return Obstacle(sobject)
        if hidden := tuple(name for name in fields if name not in present):
            return Obstacle(sobject, hidden)
    return None


def _is_in_use(gateway: SalesforceGateway, reader: SourceReader, at: datetime) -> bool:
    source, _ = Source.objects.get_or_create(code=reader.code, defaults={"name": reader.name})
    if not source.is_enabled and not source.is_off_by_itself:
        return False
    if source.checked_at is not None and at - source.checked_at < RECHECK:
        return source.is_enabled
    obstacle = obstacle_to(gateway, reader)
    if obstacle is not None:
        # A chat or a call centre that the org never had is no news.
        is_news = reader.is_common or bool(obstacle.hidden) or source.was_read
        switch_off(reader, str(obstacle), at, is_told=is_news)
        return False
    source.turn_on(at)
    Notice.clear(_key(reader), at)
    return True


def _key(reader: SourceReader) -> str:
    return f"source-{reader.code}"
