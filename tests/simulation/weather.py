"""What goes wrong, how often: drawn from the seed once, and counted as it strikes."""

from collections import Counter
from dataclasses import dataclass, field, fields
from random import Random


def _chance(usual: float, share: float) -> float:
    """A chance per opportunity, on in ``share`` of all seeds."""
    return field(default=0.0, metadata={"usual": usual, "share": share})


@dataclass(slots=True)
class Weather:
    """Chances per opportunity, in [0, 1]. All of them zero: a fine day."""

    kill: float = _chance(0.004, 0.6)
    """Of a process, at each yield point."""
    freeze: float = _chance(0.004, 0.6)
    """Of a process, at each yield point, for 20 to 120 seconds."""
    switch: float = _chance(0.5, 0.9)
    """That somebody else may run at a transaction's begin or end."""
    statement: float = _chance(0.02, 0.5)
    """That somebody else may run before any statement."""
    refused: float = _chance(0.02, 0.4)
    """Connection refused, before the org acted."""
    lost: float = _chance(0.03, 0.5)
    """The answer is lost after the org acted."""
    slow: float = _chance(0.05, 0.4)
    """A call takes up to 29 seconds, or more than the client waits for."""
    outage: float = _chance(0.02, 0.4)
    busy: float = _chance(0.02, 0.3)
    """Too many requests at once."""
    expired: float = _chance(0.02, 0.4)
    """The token dies."""
    spent: float = _chance(0.001, 0.15)
    """The allowance is spent, for some calls."""
    row_locked: float = _chance(0.1, 0.4)
    small_pages: float = _chance(0.3, 0.3)
    late_commit: float = _chance(0.3, 0.5)
    """What people write is seen by others up to half an hour later."""
    database_locked: float = _chance(0.001, 0.3)
    """At any statement."""
    database_gone: float = _chance(0.0005, 0.3)
    """The connection breaks at any statement."""
    commit_unknown: float = _chance(0.005, 0.3)
    """The connection breaks at a commit that may have happened."""
    bell_lost: float = _chance(0.15, 0.4)
    bell_twice: float = _chance(0.2, 0.4)
    doors: float = _chance(1.0, 0.4)
    """That Salesforce rings at all."""
    ring_lost: float = _chance(0.2, 0.5)
    ring_twice: float = _chance(0.2, 0.5)
    guard: float = _chance(1.0, 0.3)
    """That the org has our guard: a flow and a validation rule."""
    poison: float = _chance(0.03, 0.25)
    """That a customer's words kill whoever decides them."""
    desk: float = _chance(1.0, 0.5)
    """That people work at our own pages."""

    @classmethod
    def draw(cls, dice: Random) -> "Weather":
        """Return the weather of one seed: each chance on or off, around its usual strength."""
        drawn = {}
        for one in fields(cls):
            is_on = dice.random() < one.metadata["share"]
            strength = one.metadata["usual"] * dice.choice((0.3, 1.0, 1.0, 3.0))
            drawn[one.name] = min(strength, 1.0) if is_on else 0.0
        return cls(**drawn)


class Faults:
    """Draws faults by the weather, and counts those that struck."""

    def __init__(self, weather: Weather, dice: Random) -> None:
        self.weather = weather
        self.dice = dice
        self.struck: Counter[str] = Counter()
        self.are_over = False

    def strikes(self, name: str) -> bool:
        """Return whether the fault of that name strikes now."""
        chance: float = getattr(self.weather, name)
        if not chance or self.are_over or self.dice.random() >= chance:
            return False
        self.struck[name] += 1
        return True
