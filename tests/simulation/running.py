"""One seed: a world begins, faults strike, faults stop, all must come to rest."""

import gc
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from shutil import copyfile
from time import process_time

from django.db import connection, connections

from sfsync.local_org.org import LocalOrg
from tests.simulation.breaking import InvariantBroken
from tests.simulation.crew import Crew
from tests.simulation.ending import Ending
from tests.simulation.org_invariants import OrgInvariants
from tests.simulation.ports import Ports
from tests.simulation.row_invariants import RowInvariants
from tests.simulation.scheduler import Scheduler
from tests.simulation.template import package
from tests.simulation.visitors import Desk, Doors
from tests.simulation.watching import Observer
from tests.simulation.weather import Faults, Weather
from tests.simulation.wire import Wire
from tests.simulation.world import CODES, World

DRAIN_SECONDS = 10 * 60.0 + 15 * 60.0 + 300.0 + 720.0
"""The 10 minutes of the promise, after the silence of a spent allowance, the longest retry and the
latest commit."""
SOURCES_REST_SECONDS = 40.0
"""E-mails and comments are asked for every 30 seconds."""


@dataclass(slots=True)
class Outcome:
    """What one seed came to."""

    seed: int
    lives: int = 0
    steps: int = 0
    simulated_seconds: float = 0.0
    cpu_seconds: float = 0.0
    digest: str = ""
    faults: dict[str, int] = field(default_factory=dict)
    blind: dict[str, int] = field(default_factory=dict)
    violation: str = ""
    """Empty: none."""
    name: str = ""
    """Of the invariant that broke."""
    last_steps: tuple[str, ...] = ()


def simulate(
    seed: int, template: Path, *, cases: int = 0, is_safety_only: bool = False
) -> Outcome:
    """Return what came of one seed. ``cases`` 0: the seed draws how many.

    Liveness: after the faults stop, everything must come to rest in bounded time; with
    ``is_safety_only`` they never stop.
    """
    began = process_time()
    logging.disable(logging.CRITICAL)
    dice = Random(seed)
    file = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    for left in file.parent.glob(f"{file.name}*"):
        left.unlink()
    copyfile(template, file)
    world = _Simulation(seed, template, file, dice, cases, is_safety_only=is_safety_only)
    outcome = Outcome(seed)
    try:
        world.run()
    except InvariantBroken as error:
        outcome.violation, outcome.name = str(error), error.name
    except Exception as error:  # whatever no station expects is a finding, too
        outcome.violation, outcome.name = f"crash: {type(error).__name__}: {error}", "crash"
        if os.environ.get("SIMULATION_DEBUG"):
            raise
    finally:
        world.end()
    scheduler = world.scheduler
    outcome.lives, outcome.steps = world.world.lives, scheduler.trace.steps
    outcome.simulated_seconds, outcome.digest = scheduler.now, scheduler.trace.digest
    outcome.faults, outcome.blind = dict(world.faults.struck), dict(world.watch.blind)
    outcome.last_steps = tuple(scheduler.trace.last)
    outcome.cpu_seconds = process_time() - began
    return outcome


class _Simulation:
    def __init__(
        self,
        seed: int,
        template: Path,
        file: Path,
        dice: Random,
        cases: int,
        *,
        is_safety_only: bool,
    ) -> None:
        self.cases = cases or dice.choice((10, 30, 60, 120))
        self.seconds = dice.uniform(60.0, 300.0)
        self.is_safety_only = is_safety_only
        self.scheduler = Scheduler(Random(dice.random()))
        self.faults = Faults(Weather.draw(dice), Random(dice.random()))
        self.org = LocalOrg(self.scheduler.moment, seed=seed)
        self.org.deploy_contact_reason(CODES)
        self.org.faults.random = Random(dice.random())
        is_guarded = self.faults.strikes("guard")
        if is_guarded:
            self.org.deploy(package(template))
            self.org.assign("Contact_Reason_Integration")
        self.observer = Observer(file)
        self.rows = RowInvariants(self.org, self.observer)
        self.watch = OrgInvariants(self.org, self.scheduler, self.observer, self.rows)
        self.watch.is_guarded = is_guarded
        self.rows.has_word_of_a_person = self.watch.has_word_of_a_person
        self.ports = Ports(self.scheduler, self.faults, self.rows)
        wire = Wire(self.org, self.scheduler, self.faults, self.ports, self.watch)
        self.crew = Crew(self.org, self.scheduler, self.faults, self.ports, wire)
        self.world = World(
            self.org, self.scheduler, self.faults, self.watch, Random(dice.random())
        )
        self.rows.poison = self.world.poison
        visitors = Random(dice.random())
        self.desk = Desk(self.scheduler, self.faults, self.crew, visitors)
        self.doors = Doors(self.scheduler, self.faults, self.crew, self.org.org_id, visitors)

    def run(self) -> None:
        gc.disable()
        self.ports.open()
        self.scheduler.after_step = lambda: self.rows.on_changes(self.observer.news())
        self.crew.begin()
        if self.faults.strikes("desk"):
            self.desk.open(self.seconds)
        if self.faults.strikes("doors"):
            self.doors.open()
            self.world.ring = self.doors.ring
        self.world.live(self.cases, self.seconds)
        self.scheduler.run(self.seconds)
        if not self.is_safety_only:
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        self.faults.are_over = self.desk.is_closing = True
        self.scheduler.thaw()
        self.scheduler.note("the faults are over")
        healed_at = self.scheduler.now
        ending = Ending(self.org, self.world, self.observer, self.doors.accepted)
        while not self._is_at_rest(ending, healed_at):
            if self.scheduler.now > healed_at + DRAIN_SECONDS:
                ending.refuse_unrest()
            self.scheduler.run(self.scheduler.now + 20.0)
        ending.check()

    def _is_at_rest(self, ending: Ending, healed_at: float) -> bool:
        """Return whether all is done, looked at after everybody has asked once more."""
        settled_at = max(healed_at, self.world.quiet_at) + SOURCES_REST_SECONDS
        return ending.asked_at() > settled_at and not ending.unrest()

    def end(self) -> None:
        self.scheduler.bury_all()
        self.ports.close()
        self.observer.close()
        connections["default"] = connections.create_connection("default")
        gc.enable()
