"""Runs one target on many inputs, and says what broke, how long it took and what memory it needed."""

import random
import resource
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field

from tests.fuzz.targets import Target

KEPT = 5  # crashes told in full; more of one kind teach nothing
SLOW_SECONDS, SLOW_PER_BYTE = (
    2.0,
    1e-3,
)  # one input that takes longer than both together is told
_WARM = 0.2  # share of the inputs after which caches are full


@dataclass
class Outcome:
    """What one target came to."""

    name: str
    asked: int = 0
    """How many inputs it was to try."""
    inputs: int = 0
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    crashes: list[str] = field(default_factory=list)
    crashed: int = 0
    grown_mb: float = 0.0
    """By how much the process grew after its caches were full."""

    @property
    def is_short(self) -> bool:
        """Whether it tried fewer inputs than it was asked to, and broke on none."""
        return self.inputs < self.asked and not self.crashed

    def __str__(self) -> str:
        short = f"  only {self.inputs:,} of {self.asked:,}: its time was over" * self.is_short
        return (
            f"{self.name:16}{self.inputs:>10,} inputs  {self.crashed:>4} crashes  "
            f"{self.seconds:>7.1f} s  slowest {self.slowest_seconds * 1e3:>7.1f} ms  "
            f"grew {self.grown_mb:>5.1f} MB{short}"
        )


def run(name: str, target: Target, *, count: int, seed: int, until: float) -> Outcome:
    """Try ``count`` inputs on the target, or fewer where ``until`` (monotonic) comes first.

    What is made once for all inputs does not count, and moves ``until`` on.
    """
    outcome = Outcome(name, count)
    chance = random.Random(f"{seed}:{name}")
    warm_mb = None
    began = time.monotonic()
    with suppress(Exception):
        target.read(b"")  # what is made once (a model is trained) is no input's time
    until += time.monotonic() - began
    for number in range(count):
        if time.monotonic() > until:
            break
        if number == int(count * _WARM):
            warm_mb = peak_mb()
        raw = target.made(chance)
        started = time.process_time()
        try:
            target.read(raw)
        except Exception:  # noqa: BLE001  whatever breaks is what we look for
            _keep(outcome, raw)
        took = time.process_time() - started
        outcome.seconds += took
        outcome.slowest_seconds = max(outcome.slowest_seconds, took)
        if took > SLOW_SECONDS + SLOW_PER_BYTE * len(raw):
            outcome.crashed += 1
            outcome.crashes.append(f"{name}: {took:.1f} s for {len(raw):,} bytes {raw[:200]!r}")
        outcome.inputs += 1
    outcome.grown_mb = peak_mb() - warm_mb if warm_mb is not None else 0.0
    return outcome


def peak_mb() -> float:
    """Return the most memory this process ever held, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


def _keep(outcome: Outcome, raw: bytes) -> None:
    outcome.crashed += 1
    if len(outcome.crashes) < KEPT:
        outcome.crashes.append(f"{outcome.name}: {raw[:2_000]!r}\n{traceback.format_exc()}")
