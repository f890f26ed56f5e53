"""The people of the org: they open, edit, close and delete Cases, and name reasons themselves."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from math import floor
from random import Random

from sfsync.local_org.errors import Refusal
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from tests.simulation.org_invariants import OrgInvariants
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.template import KEYWORDS
from tests.simulation.weather import Faults

CODES = (*KEYWORDS, "billing", "delivery", "account")
FILLERS = ("Hello,", "Please help.", "It is about my order.", "Thanks!", "I wrote before.")
LONGEST_DELAY_SECONDS = 720.0
DEEDS = {
    "email": 5,
    "comment": 3,
    "reply": 3,
    "edit": 3,
    "close": 3,
    "reopen": 1,
    "delete": 1,
    "reason": 2,
    "empty": 1,
    "confirm": 1,
    "other_integration": 1,
    "touch": 1,
}
"""What happens to a Case that is there, and how often beside the others."""


class World:
    """Lives the lives of ``cases`` Cases within ``seconds``, then leaves everything as it is."""

    def __init__(
        self,
        org: LocalOrg,
        scheduler: Scheduler,
        faults: Faults,
        watch: OrgInvariants,
        dice: Random,
    ) -> None:
        self.org = org
        self.lives = 0
        self.ring: Callable[[str], None] = lambda _: None
        """Tells our doors that something happened to a Case."""
        self.poison: set[str] = set()
        self.said: dict[str, list[tuple[float, str]]] = defaultdict(list)
        """Case id → when each word of the customer became visible, and the word."""
        self._scheduler = scheduler
        self._faults = faults
        self._watch = watch
        self._dice = dice
        self._is_patient = dice.random() < 0.15
        """Whether some transactions of this org run for many minutes."""
        self._ids: list[str] = []
        self._visible_at: dict[str, float] = {}
        self._numbers = 0

    def live(self, cases: int, seconds: float) -> None:
        """Let it all happen, from a fiber of its own."""

        def people() -> None:
            deeds = cases * 2
            for number in range(deeds):
                self._scheduler.pause(self._dice.expovariate(deeds / seconds))
                if self.lives < cases and (number % 2 == 0 or not self._ids):
                    self._open()
                else:
                    self._do_something()

        self._scheduler.spawn("people", Process("people", is_mortal=False), people)

    def _open(self) -> None:
        self.lives += 1
        text, channel = self._words(), self._dice.choice(("web", "email"))
        record = Record(f"life-{self.lives}", (Said("customer", text),), channel, "Hello")
        delay = self._delay()
        case_id = self.org.people.open_case(record)
        self._seen(case_id, delay)
        self.said[case_id].append((self._visible(delay), text))
        self._ids.append(case_id)
        if self._faults.strikes("poison"):
            self.poison.add(case_id)
        self.ring(case_id)
        self._scheduler.note(f"opens {case_id}: {text}{_late(delay)}")

    def _do_something(self) -> None:
        case_id = self._dice.choice(self._ids)
        if self._visible_at[case_id] > self._scheduler.now:
            return  # a row that somebody writes is locked to everybody else
        deed = self._dice.choices(tuple(DEEDS), tuple(DEEDS.values()))[0]
        delay, before = self._delay(), len(self.org.ledger.writes)
        row = self.org.table("Case").get(case_id)
        try:
            told = self._deed(deed, case_id, delay)
        except (Refusal, ValueError):
            return  # deleted, or nothing to confirm
        self._seen(case_id, delay)
        self._watch.on_person_writes(self.org.ledger.writes[before:], row, self._visible(delay))
        self.ring(case_id)
        self._scheduler.note(f"{deed} {case_id}{told}{_late(delay)}")

    def _deed(self, deed: str, case_id: str, delay: float) -> str:
        people = self.org.people
        if deed in {"email", "comment"}:
            text = self._words()
            tell = people.customer_emails if deed == "email" else people.customer_comments
            tell(case_id, text)
            self.said[case_id].append((self._visible(delay), text))
            return f": {text}"
        if deed in {"reason", "other_integration"}:
            code = self._dice.choice(CODES)
            if deed == "reason":
                people.change_reason(case_id, code)
            else:
                people.automation_edits(case_id, {"Contact_Reason__c": code})
            return f" = {code}"
        simple: dict[str, Callable[[], object]] = {
            "reply": lambda: people.reply(case_id, "We look into it."),
            "edit": lambda: people.edit_case(
                case_id, {"Priority": self._dice.choice(("High", "Medium", "Low"))}
            ),
            "close": lambda: people.close_case(case_id),
            "reopen": lambda: people.edit_case(case_id, {"Status": "Working"}),
            "delete": lambda: people.delete_case(case_id),
            "empty": lambda: people.change_reason(case_id, ""),
            "confirm": lambda: people.confirm_reason(case_id),
            "touch": lambda: people.system_touches(case_id),
        }
        simple[deed]()
        return ""

    def _words(self) -> str:
        self._numbers += 1
        named = self._dice.choice((0, 1, 1, 1, 2))
        said = self._dice.sample(sorted(KEYWORDS.values()), named)
        told = (f"My {word}." for word in said)
        return " ".join([f"Note {self._numbers}.", self._dice.choice(FILLERS), *told])

    def _delay(self) -> float:
        """Draw how much later the next deed is seen, and let the org know."""
        delay = 0.0
        if self._faults.strikes("late_commit"):
            usual = 300.0 if self._is_patient and self._dice.random() < 0.1 else 15.0
            delay = float(round(min(self._dice.expovariate(1 / usual), LONGEST_DELAY_SECONDS)))
        self.org.faults.commit_delay = timedelta(seconds=delay)
        return delay

    @property
    def quiet_at(self) -> float:
        """When the last deed becomes visible."""
        return max(self._visible_at.values(), default=0.0)

    def _visible(self, delay: float) -> float:
        """Return from when on others see what is done now: the org counts whole seconds."""
        return floor(self._scheduler.now) + delay if delay else self._scheduler.now

    def _seen(self, case_id: str, delay: float) -> None:
        self._visible_at[case_id] = self._visible(delay)


def _late(delay: float) -> str:
    return f" (seen {delay:.0f} s later)" if delay else ""
