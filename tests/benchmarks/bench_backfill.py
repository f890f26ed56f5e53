"""What a backfill of many Cases by Bulk costs: ``python -m tests.benchmarks.bench_backfill``.

The whole line works in this one process, on the local org and a database of its own: it lists,
reads, decides, compares, and writes after an approval. Calls are those that the org counted.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import perf_counter

CODES = ("billing", "delivery")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--cases", type=int, default=10_000)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        os.environ.setdefault("SECRET_KEY", "b" * 60)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactreason.settings")
        _run(wanted.cases)


def _run(cases: int) -> None:
    # Only here: Django reads the environment that was just set.
    import django

    django.setup()

    import logging

    from django.contrib.auth.models import User
    from django.core.management import call_command

    from sfsync import backfilling
    from sfsync.credentials import Credentials
    from sfsync.gateway import SalesforceGateway
    from sfsync.local_org.door import InProcessDoor
    from sfsync.local_org.org import LocalOrg
    from sfsync.models import Backfill
    from sfsync.transport import open_session
    from tests.sfsync.backfilling.conftest import History
    from tests.sfsync.conftest import OrgClock

    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    clock = OrgClock()
    org = LocalOrg(clock)
    org.deploy_contact_reason(CODES)

    def connect(org: LocalOrg) -> SalesforceGateway:
        app = org.app
        secret = Credentials("acme.my", app.client_id, client_secret=app.client_secret)
        return SalesforceGateway(secret, open_session(InProcessDoor(org)))

    history = History(org, clock, connect)
    history.cases(*[CODES[n % len(CODES)] for n in range(cases)])
    ada, bob = User.objects.create_user("ada"), User.objects.create_user("bob")
    before, spent = Counter(org.ledger.calls), []
    begun = perf_counter()

    def tell(what: str) -> None:
        nonlocal before
        now = Counter(org.ledger.calls)
        made = now - before
        before = now
        spent.append(made.total())
        sys.stdout.write(f"{what:24} {made.total():5,} calls  {dict(made)}\n")

    history.ask(by=ada)
    for stage in ("take", "read", "compare", "review"):
        while history.backfill.stage not in {stage, "review"}:
            history.step()
        tell({"take": "listed", "read": "taken over", "compare": "read"}.get(stage, "compared"))
    backfilling.approve(history.backfill, by=bob)
    Backfill.objects.update(by_bulk=True)
    while history.backfill.stage != "done":
        history.step()
    tell("written by Bulk")
    done = history.backfill
    seconds = perf_counter() - begun
    sys.stdout.write(
        f"{cases:,} Cases: {sum(spent):,} calls ({1000 * sum(spent) / cases:.1f} per 1,000),"
        f" {done.done:,} written, {seconds:.0f} s ({cases / seconds:.0f} Cases/s)\n"
    )


if __name__ == "__main__":
    main()
