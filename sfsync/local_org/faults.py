"""Switches that make the org behave badly, as real ones do on their worse days.

All are off by default. Counters (``outages`` and the like) say how many of the next calls
are hit; ``ALWAYS`` never runs out. ``storm`` draws them at random from a seed instead.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from sfsync.local_org.errors import AnswerLost, Refusal

ALWAYS = 1_000_000_000
_LOCKED = "unable to obtain exclusive access to this record or 1 records: {}"


@dataclass(frozen=True, slots=True)
class RowError:
    """A row refused in Collections or on its own, for example by a validation rule."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Storm:
    """Shares, in [0, 1], of calls or rows that go wrong at random."""

    outage: float = 0.0
    lost_answer: float = 0.0
    concurrency: float = 0.0
    expired_token: float = 0.0
    locked_row: float = 0.0


@dataclass(slots=True)
class Faults:
    """The switches. Change them at any moment; they act from the next call on."""

    outages: int = 0
    """Calls answered by a 503 page in HTML."""
    outages_of_login: int = 0
    """Token calls answered by a 503 page in HTML."""
    allowance_spent: int = 0
    """Calls refused because the 24-hour allowance is spent; not a matter of retrying."""
    too_many_at_once: int = 0
    """Calls refused because too many run at the same time; retrying helps."""
    lost_answers: int = 0
    """Writing calls that are carried out, but whose connection breaks before the answer."""
    slow_answers: int = 0
    """Calls that are carried out, but whose answer takes ``slow_seconds``."""
    slow_seconds: float = 12.0
    page_size: int | None = None
    """Rows per query page, whatever was asked for."""
    shrinking_pages: Random | None = None
    """Draws each page's size at random between 1 and what was asked for."""
    open_cursors: int | None = None
    """Open locators per user before the oldest dies; 10 in orgs of old, no limit since 56.0."""
    commit_delay: timedelta = timedelta(0)
    """What people write is stamped now and becomes visible this much later."""
    locked: set[str] = field(default_factory=set)
    """Ids of rows that answer UNABLE_TO_LOCK_ROW."""
    row_errors: dict[str, RowError] = field(default_factory=dict)
    """Id of a row → why it refuses every write."""
    lost_answers_to: Counter[str] = field(default_factory=Counter)
    """Kind of a writing call, such as ``PUT jobs/ingest/*/batches`` → as ``lost_answers``."""
    bulk_queued_for: timedelta = timedelta(seconds=1)
    """How long a Bulk job waits for its turn."""
    bulk_running_for: timedelta = timedelta(seconds=3)
    bulk_stuck: bool = False
    """No Bulk job that runs comes to its end."""
    bulk_failures: int = 0
    """Bulk jobs that fail as a whole when they should complete; all rows are unprocessed."""
    bulk_results_expired: bool = False
    """Salesforce has forgotten the results of every Bulk job."""
    bulk_page_rows: int | None = None
    """Most rows of a page of a Bulk query, whatever was asked for."""
    forgets_in_flight: bool = False
    """The date covered by getUpdated goes on although a transaction still runs: what that one
    commits is found by no pull."""
    storm: Storm = Storm()
    random: Random = field(default_factory=lambda: Random(0))

    def shrink_pages(self, seed: int = 0) -> None:
        """Let each page be of a random size, as the real org may at any time."""
        self.shrinking_pages = Random(seed)

    def before_call(self) -> None:
        """Refuse the call if a switch says so.

        Raises:
            Refusal: with a body the router turns into the right page.
        """
        if self._hits("outages", self.storm.outage):
            raise outage()
        if self._hits("allowance_spent"):
            raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if self._hits("too_many_at_once", self.storm.concurrency):
            raise Refusal(
                403,
                "REQUEST_LIMIT_EXCEEDED",
                "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
            )

    def before_login(self) -> None:
        """Refuse a token call if a switch says so."""
        if self._hits("outages_of_login"):
            raise outage()

    def seconds_of_answer(self) -> float:
        """Return how long the answer of this call takes beyond the org's own time."""
        return self.slow_seconds if self._hits("slow_answers") else 0.0

    def expires_token(self) -> bool:
        """Return whether the token of this call is to die at random."""
        return self._strikes(self.storm.expired_token)

    def fails_bulk_job(self) -> bool:
        """Return whether a Bulk job is to fail instead of completing."""
        return self._hits("bulk_failures")

    def after_write(self, kind: str = "") -> None:
        """Break the connection after a writing call of this kind, if a switch says so.

        Raises:
            AnswerLost: always then; the write stands.
        """
        if self.lost_answers_to[kind] > 0:
            self.lost_answers_to[kind] -= 1
            raise AnswerLost
        if self._hits("lost_answers", self.storm.lost_answer):
            raise AnswerLost

    def before_row(self, record_id: str) -> None:
        """Refuse to write one row, if a switch says so.

        Raises:
            Refusal: the row is locked or refuses by a rule.
        """
        if record_id in self.locked or self._strikes(self.storm.locked_row):
            raise locked(record_id)
        if error := self.row_errors.get(record_id):
            raise Refusal(400, error.code, error.message, error.fields)

    def _hits(self, counter: str, share: float = 0.0) -> bool:
        left: int = getattr(self, counter)
        if left:
            setattr(self, counter, left - 1)
            return True
        return self._strikes(share)

    def _strikes(self, share: float) -> bool:
        return share > 0 and self.random.random() < share


def locked(record_id: str) -> Refusal:
    """Return the refusal of a row that somebody else's transaction holds."""
    return Refusal(400, "UNABLE_TO_LOCK_ROW", _LOCKED.format(record_id), ())


def outage() -> Refusal:
    """Return the refusal that leaves as an HTML page, as from a load balancer."""
    return Refusal(503, "SERVER_UNAVAILABLE", HTML_OUTAGE)


HTML_OUTAGE = (
    "<html><head><title>Service Unavailable</title></head>"
    "<body><h1>We are down for maintenance.</h1></body></html>"
)
