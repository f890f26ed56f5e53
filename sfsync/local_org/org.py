"""The org: everything behind one name."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count
from pathlib import Path
from random import Random

from sfsync.local_org import deploying, feed
from sfsync.local_org.custom_fields import contact_reason_fields
from sfsync.local_org.desk import LocalDesk
from sfsync.local_org.founding import INTEGRATION_USERNAME
from sfsync.local_org.oauth import ClientApp, TokenOffice
from sfsync.local_org.paging import Pages
from sfsync.local_org.people import People
from sfsync.local_org.records import Record
from sfsync.local_org.rest import RestApi
from sfsync.local_org.server import FrontDesk
from sfsync.local_org.state import OrgState
from sfsync.local_org.wire import Answer, Request


class LocalOrg(OrgState):
    """A Salesforce org in memory, with its people and its front desk."""

    def __init__(
        self,
        clock: Callable[[], datetime] | None = None,
        *,
        seed: int = 0,
        number: int = 1,
        my_domain: str = "acme.my",
        instance_url: str = "",
        is_sandbox: bool = False,
        name: str = "Acme Support",
        lacks: Iterable[str] = (),
    ) -> None:
        """Make an org without Cases; the arguments are those of ``OrgState``."""
        super().__init__(
            clock,
            seed=seed,
            number=number,
            my_domain=my_domain,
            instance_url=instance_url,
            is_sandbox=is_sandbox,
            name=name,
            lacks=lacks,
        )
        self.tokens = TokenOffice(self)
        self.people = People(self, Random(seed))
        self._fed: list[Record] = []
        self._came_in = count(1)
        rest = RestApi(self, self.tokens, Pages(self))
        desk = LocalDesk(self, self.tokens, self.people, self.next_record, self.deploy)
        self._front = FrontDesk(self, self.tokens, rest, desk)

    @property
    def app(self) -> ClientApp:
        """The registered app: client id and secret, and a place to register keys."""
        return self.tokens.app

    # Filling

    def load(self, records: Iterable[Record]) -> list[str]:
        """Make a Case of each record, as the org's past; return their ids in that order."""
        records = list(records)
        self._fed.extend(records)
        return feed.load(self, records)

    def next_record(self) -> Record | None:
        """Return a record of the feed under a new key, in turn; None if nothing was loaded."""
        if not self._fed:
            return None
        number = next(self._came_in)
        again = self._fed[number % len(self._fed)]
        return Record(f"{again.key}/again-{number}", again.turns, again.channel, again.subject)

    # Deploying

    def deploy(self, directory: Path) -> deploying.Deployment:
        """Deploy an SFDX source package; assign nothing.

        Raises:
            DeployFailed: with every problem found; the org is unchanged then.
        """
        return deploying.deploy(self, directory)

    def assign(self, permission_set: str, username: str = INTEGRATION_USERNAME) -> None:
        """Assign a permission set to a user.

        Raises:
            KeyError: there is no such permission set or user.
        """
        user = self.user_named(username)
        if user is None:
            raise KeyError(username)
        self.access.assign(str(user["Id"]), permission_set)
        self.schema_changed_at = self.now()

    def deploy_contact_reason(self, codes: Iterable[str]) -> None:
        """Add the product's fields with these picklist values, open to the integration user."""
        fields = contact_reason_fields(codes)
        self.deploy_fields(fields)
        names = [one.name for one in fields]
        self.access.grant(self.founders.integration, "Case", names)

    # Answering

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request; both doors end here.

        Raises:
            AnswerLost: the connection is to be cut instead.
        """
        return self._front.answer(request)
