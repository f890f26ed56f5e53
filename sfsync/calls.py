"""What one API call is for, what kind it is, and who lets it pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from django.db.models import TextChoices

from sfsync.cases import ApiUse
from sfsync.errors import SalesforceError


class Purpose(TextChoices):
    """What a call is for; the more important one comes first."""

    CONFIRM = "confirm", "making sure of writes without an answer"
    WRITE = "write", "writing"
    SCAN = "scan", "asking what changed"
    FETCH = "fetch", "reading Cases and their words"
    BACKFILL = "backfill", "reading the past"
    DESCRIBE = "describe", "looking at fields and objects"
    LOOK = "look", "asking how many calls are left"


class Operation(TextChoices):
    """The kind of call: one kind may fail while the others work."""

    LOGIN = "login", "logging in"
    READ = "read", "reading"
    WRITE = "write", "writing"
    CONNECT = "connect", "reading conversations"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Salesforce."""

    operation: Operation
    purpose: Purpose

    @property
    def is_counted(self) -> bool:
        """Whether Salesforce counts it: a login is none of the API's calls."""
        return self.operation is not Operation.LOGIN


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call."""

    seconds: float
    """How long the answer took, or how long we waited for none."""
    error: SalesforceError | None = None
    org_use: ApiUse | None = None
    """What the answer told of the whole org's calls."""


class Gate(Protocol):
    """Lets calls pass, and hears what became of them."""

    def admit(self, call: Call) -> None:
        """Count a call before it is made.

        Raises:
            Postponed: it must not be made now; nothing was counted.
        """

    def note(self, call: Call, outcome: Outcome) -> None:
        """Hear what became of a call that was let pass."""


class OpenGate:
    """Lets every call pass and counts none: for a session that no database stands behind."""

    def admit(self, call: Call) -> None:
        """Let it pass."""

    def note(self, call: Call, outcome: Outcome) -> None:
        """Forget it."""


_PURPOSE: ContextVar[Purpose] = ContextVar("purpose", default=Purpose.DESCRIBE)


@contextmanager
def under(purpose: Purpose) -> Iterator[None]:
    """Let the calls made inside, in this thread, be for ``purpose``.

    A call that nobody named a purpose for is the least important one.
    """
    token = _PURPOSE.set(purpose)
    try:
        yield
    finally:
        _PURPOSE.reset(token)


def purpose_now() -> Purpose:
    """Return what the calls made here and now are for."""
    return _PURPOSE.get()
