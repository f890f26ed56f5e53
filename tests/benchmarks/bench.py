"""One run of the benchmark: data, trained models and results, each made once and shared."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from classifier.engine.datasets import Record, read_records
from classifier.engine.evaluation import Labelled
from tests.benchmarks.ours import NotBuilt, Ours, customer_only, recipe_of
from tests.benchmarks.peers import Judge, PeerMissing, Rehearsed, parts, rehearsed, taught
from tests.benchmarks.table import OURS, PEERS, Missing, Results, System

Made = TypeVar("Made")

NO_ENCODER = Missing("ENCODER_PATH is not set")


@dataclass
class Bench:
    """Where the data lies, who is measured, and what was found so far."""

    folder: Path
    systems: tuple[System, ...] = tuple(System)
    results: Results = field(default_factory=Results)
    _made: dict[tuple[object, ...], object] = field(default_factory=dict)

    def data(self, name: str) -> Labelled:
        """Return a data set; of conversations what the customer said."""
        return self._once(("data", name), lambda: customer_only(self.whole(name)))

    def whole(self, name: str) -> Labelled:
        """Return a data set with everybody's turns."""
        return self._once(("whole", name), lambda: Labelled.of(name, self._records(name)))

    def languages(self, name: str) -> dict[str, str]:
        """Return the language of each text, by key."""
        return {record.key: record.language for record in self._records(name)}

    def ours(self, name: str, system: System) -> Ours:
        """Return our model of a data set.

        Raises:
            NotBuilt: with an encoder, before the engine knows one.
        """
        with_encoder = system is System.ENCODER
        return self._once(
            ("ours", name, system),
            lambda: Ours.taught(self.data(name), recipe_of(with_encoder=with_encoder)),
        )

    def judge(self, name: str, system: System) -> Judge:
        """Return a peer's model of a data set, without its out-of-fold scores.

        Raises:
            PeerMissing: its packages are not installed.
        """
        known = self._made.get(("peer", name, system))
        if isinstance(known, Rehearsed):
            return known.judge
        train = self.data(name).train
        return self._once(("judge", name, system), lambda: taught(system, *parts(train)))

    def peer(self, name: str, system: System) -> Rehearsed:
        """Return a peer's model of a data set, with its out-of-fold scores.

        Raises:
            PeerMissing: its packages are not installed.
        """
        train = self.data(name).train
        return self._once(("peer", name, system), lambda: rehearsed(system, train))

    def each_of_ours(self, *rows: str) -> Iterator[System]:
        """Yield our columns that can be measured; say why of the others."""
        for system in self._asked(OURS):
            if system is System.ENCODER and not os.environ.get("ENCODER_PATH"):
                self._put_all(rows, system, NO_ENCODER)
            else:
                yield system

    def each_peer(self) -> Iterator[System]:
        """Yield the peers that are asked for."""
        yield from self._asked(PEERS)

    @contextmanager
    def telling(self, system: System, *rows: str) -> Iterator[None]:
        """Put the reason into the table where a system cannot be measured."""
        try:
            yield
        except (NotBuilt, PeerMissing) as reason:
            self._put_all(rows, system, Missing(str(reason)))

    def _asked(self, systems: Iterable[System]) -> list[System]:
        return [system for system in systems if system in self.systems]

    def _put_all(self, rows: Iterable[str], system: System, why: Missing) -> None:
        for row in rows:
            self.results.put(row, system, why)

    def _once(self, key: tuple[object, ...], make: Callable[[], Made]) -> Made:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]  # type: ignore[return-value]

    def _records(self, name: str) -> list[Record]:
        path = self.folder / f"{name}.jsonl.gz"
        return self._once(("records", name), lambda: list(read_records(path)))
