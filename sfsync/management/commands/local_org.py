"""``manage.py local_org``: a Salesforce org on this machine, alone and over HTTP."""

import os
import secrets
import signal
import threading
import zlib
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from classifier.commands import ReportingCommand, port_number
from sfsync.local_org.deploying import DeployFailed
from sfsync.local_org.founding import INTEGRATION_USERNAME
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.outbound import OutboundSender, OutboundThread, over_http
from sfsync.local_org.records import read_records
from sfsync.local_org.state import API_ALLOWANCE

try:
    from sfsync.local_org.event_bus import EventBus
    from sfsync.local_org.pubsub import PubSubDoor
except ImportError:  # gRPC and Avro are for those who want events
    EventBus = PubSubDoor = None  # type: ignore[assignment, misc]


class Command(ReportingCommand):
    requires_system_checks = ()  # they read the whole web app; `manage.py check` and CI do them
    help = (
        "Start a Salesforce org on this machine, filled with Cases, for trying things out. It"
        " listens on loopback only, keeps everything in memory and ends with Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port_number, default=8099, help="0: any free one")
        parser.add_argument(
            "--cases", type=Path, help="JSON lines, plain or .gz; each record becomes a Case"
        )
        parser.add_argument("--split", default="", help="only records of this split")
        parser.add_argument("--limit", type=int, help="only so many records")
        parser.add_argument("--seed", type=int, default=0, help="of all that is drawn by lot")
        parser.add_argument("--number", type=int, default=1, help="makes the org's id")
        parser.add_argument(
            "--trickle", type=float, metavar="SECONDS", help="a new Case every so often"
        )
        parser.add_argument(
            "--deploy",
            type=Path,
            metavar="DIR",
            help="SFDX source to deploy; its permission set ending in _Integration (else every one)"
            " is assigned to the integration user",
        )
        parser.add_argument(
            "--allowance", type=int, default=API_ALLOWANCE, help="API calls that it answers"
        )
        parser.add_argument(
            "--outbound",
            metavar="ORIGIN",
            help="tell the door at this address, e.g. http://127.0.0.1:8000, of every change (with"
            " the first of OUTBOUND_SECRETS)",
        )
        parser.add_argument(
            "--events",
            type=port_number,
            metavar="PORT",
            help="serve change events of Cases there, over gRPC; 0: any free one (needs"
            " requirements-events.txt)",
        )
        parser.add_argument("--my-domain", default="acme.my")
        parser.add_argument(
            "--instance-url", default="", help="named in token answers instead of My Domain"
        )
        parser.add_argument(
            "--private-key-out", type=Path, metavar="PATH", help="write a key for the JWT flow"
        )

    def handle(self, *, port: int, **options: Any) -> None:
        org = LocalOrg(
            seed=options["seed"],
            number=options["number"],
            my_domain=options["my_domain"],
            instance_url=options["instance_url"],
        )
        org.api_allowance = options["allowance"]
        _take_over_credentials(org)
        cases = _load(org, options["cases"], options["split"], options["limit"])
        _deploy(org, options["deploy"])
        key = options["private_key_out"]
        if key:
            _write_private_key(org, key)
        try:
            door = HttpDoor(org, port)
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be opened ({error.strerror}). Name another with --port."
            ) from error
        with _events(org, options["events"]) as events:
            self.tell(org, {**events, "SALESFORCE_LOCAL_ORIGIN": door.origin}, cases, key)
            with _told_outbound(org, options["outbound"]):
                serve(org, door, options["trickle"])

    def tell(self, org: LocalOrg, doors: dict[str, str], cases: int, key: Path | None) -> None:
        """Say where the org is and with which settings the product reaches it."""
        origin = doors["SALESFORCE_LOCAL_ORIGIN"]
        told = {
            **doors,
            "SALESFORCE_DOMAIN": "login" if key else org.my_domain,
            "SALESFORCE_CLIENT_ID": org.app.client_id,
        }
        if key:
            told["SALESFORCE_USERNAME"] = INTEGRATION_USERNAME
            told["SALESFORCE_PRIVATE_KEY_FILE"] = str(key)
        else:
            told["SALESFORCE_CLIENT_SECRET"] = org.app.client_secret
        lines = [f"A Salesforce org with {cases} Cases at {origin}. Settings:", ""]
        lines += [f"  {name}={value}" for name, value in told.items()]
        lines += [
            "",
            f"What it was asked and told: {origin}/local/ledger",
            "Ctrl-C ends it.",
        ]
        figures = {"origin": origin, "cases": cases, "settings": told}
        self.report(figures, "\n".join(lines))
        for stream in (self.stdout, self.stderr):
            stream.flush()


def serve(org: LocalOrg, door: HttpDoor, trickle_seconds: float | None) -> None:
    """Answer until TERM or Ctrl-C; let Cases come in meanwhile."""
    is_over = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        is_over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with door:
        while not is_over.wait(trickle_seconds):
            record = org.next_record()
            if trickle_seconds and record is not None:
                org.people.open_case(record)


def _told_outbound(
    org: LocalOrg, origin: str | None
) -> AbstractContextManager[OutboundThread | None]:
    """Return what sends Outbound Messages of what changes from now on, where it is wanted."""
    if not origin:
        return nullcontext()
    if not settings.OUTBOUND_SECRETS:
        raise CommandError(
            "--outbound needs OUTBOUND_SECRETS: the door's secret is in its address."
        )
    door = reverse(
        "outbound-message", urlconf="sfsync.doors.urls", args=settings.OUTBOUND_SECRETS[:1]
    )
    return OutboundThread(OutboundSender(org, over_http(f"{origin.rstrip('/')}/doors{door}")))


@contextmanager
def _events(org: LocalOrg, port: int | None) -> Iterator[dict[str, str]]:
    """Serve change events meanwhile, where wanted; yield the setting that leads to them."""
    if port is None:
        yield {}
        return
    if PubSubDoor is None or EventBus is None:
        raise CommandError(
            "--events needs packages that are not installed: pip install --require-hashes -r"
            " requirements-events.txt."
        )
    door = PubSubDoor(org, EventBus(org), port)
    try:
        door.start()
    except RuntimeError as error:
        raise CommandError(
            f"Port {port} cannot be opened. Name another with --events."
        ) from error
    try:
        yield {"SALESFORCE_EVENTS_LOCAL_ORIGIN": door.origin}
    finally:
        door.close()


def _take_over_credentials(org: LocalOrg) -> None:
    """Use the client id and secret of the environment, where the caller has set them."""
    client_id = os.environ.get("SALESFORCE_CLIENT_ID")
    if client_id:
        secret = os.environ.get("SALESFORCE_CLIENT_SECRET") or secrets.token_hex(32)
        org.tokens.rename_app(client_id, secret)


def _load(org: LocalOrg, path: Path | None, split: str, limit: int | None) -> int:
    if path is None:
        return 0
    try:
        return len(org.load(list(read_records(path, split))[:limit]))
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged or cut off"
        raise CommandError(f"{path} cannot be read: {reason}.") from error
    except ValueError as error:
        raise CommandError(f"The Cases cannot be read: {error}.") from error


def _deploy(org: LocalOrg, directory: Path | None) -> None:
    if directory is None:
        return
    try:
        deployed = org.deploy(directory)
    except DeployFailed as failed:
        raise CommandError(
            "The org refuses the package:\n" + "\n".join(failed.problems)
        ) from failed
    ours = [one for one in deployed.permission_sets if one.endswith("_Integration")]
    for name in ours or deployed.permission_sets:
        org.assign(name)


def _write_private_key(org: LocalOrg, path: Path) -> None:
    """Write the key so that its owner alone can read it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(org.app.new_private_key())
