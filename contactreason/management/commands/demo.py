"""``manage.py demo``: everything on this machine, until every Case is decided and written."""

import contextlib
import gc
import io
import json
import logging
import os
import signal
import sys
import time
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks
from tqdm import tqdm

from classifier import starter_pack
from classifier.commands import ReportingCommand, port_number
from contactreason.celery import HEAR, PULL, app
from contactreason.demo import database, programs, sources, world
from contactreason.demo.cases import check
from contactreason.demo.counting import Standing, Summary, standing, summary
from contactreason.sign_in import sign_in_path
from contactreason.supervisor import StartFailed, Supervisor
from sfsync.local_org.remote import RemoteOrg

STUCK_SECONDS = 120
"""No Case moving for so long means: something is broken; the demo says so and ends."""
LOOK_SECONDS = 0.25
SAY_SECONDS = 3.0
"""How often progress is told where there is no terminal for a bar."""
TRICKLE_SECONDS = 8.0
PULL_SECONDS = 2
CALM_PULL_SECONDS = 10
"""Once all is through: at the pace of the beginning, Salesforce's 1,000 conversation reads an hour
would be used up within half an hour, and calls and messages of new Cases stay unread."""
STOPPED = 130
"""The status after Ctrl-C or TERM before the summary: nobody may take it for a success."""
BY_HAND = ("billing.refund", "delivery.late_parcel")
"""Reasons that representatives in the demo's org have chosen before we come."""


class Command(ReportingCommand):
    requires_system_checks = ()  # they read the whole web app; `manage.py check` and CI do them
    help = (
        "A local Salesforce org filled with Cases, the web app, a worker, a beat and the embedded"
        " broker; works until every Case is decided and written, and stays up until Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--cases", type=Path, help="JSON lines: labels, train split, test split"
        )
        parser.add_argument("--exit", action="store_true", help="end after the summary")
        parser.add_argument(
            "--pull-every",
            type=int,
            metavar="SECONDS",
            default=CALM_PULL_SECONDS,
            help="how often the org is asked after the summary",
        )
        parser.add_argument(
            "--port", type=port_number, default=8000, help="of the web app, or the next free"
        )

    def handle(self, *, cases: Path | None, port: int, **options: Any) -> None:
        self.calm_seconds = options["pull_every"]
        if cases:
            check(cases)
        signal.signal(signal.SIGTERM, _stop)
        logging.getLogger().setLevel(logging.WARNING)  # people read this; the logs are in files
        with world.sole_use(settings.VAR_DIR):
            world.empty(settings.VAR_DIR)
            self.supervisor = Supervisor(settings.VAR_DIR / "logs")
            try:
                self.run(cases, world.free_port(port), is_over_after_summary=options["exit"])
            except StartFailed as error:
                raise CommandError(str(error)) from error
            except KeyboardInterrupt:
                self.say("\nStopping before every Case was through …")
                sys.exit(STOPPED)
            finally:
                connection.close()
                self.supervisor.stop()
                gc.freeze()  # leaving would take a second more, to search for what is unused

    def run(self, cases: Path | None, web_port: int, *, is_over_after_summary: bool) -> None:
        self.began = float(os.environ.get("DEMO_STARTED_AT") or time.time())
        self.org = RemoteOrg(settings.SALESFORCE_LOCAL_ORIGIN)
        self.set_up(cases, web_port)
        told = self.watch()
        self.tell(told)
        if told.lost or told.failed:
            raise CommandError(
                f"{told.lost} Cases were lost and {told.failed} given up."
                f" The logs are in {self.supervisor.log_dir}."
            )
        if is_over_after_summary:
            return
        self.stay(web_port)

    # Setting up

    def set_up(self, cases: Path | None, web_port: int) -> None:
        """Make the tables, the taxonomy, the model and the org; each step says what it does.

        Each process begins as soon as it can, beside the next step: most of a start is Python
        reading modules. The beat comes last, for it keeps the line in motion.
        """
        if not os.environ.get("REDIS_URL"):
            self.supervisor.begin(programs.broker(settings.VAR_DIR))
        self.say("Making the database …")
        database.empty()
        database.migrate(settings.VAR_DIR.parent)
        database.claim()
        sources.name_own()
        if not os.environ.get("REDIS_URL"):
            self.supervisor.wait_for("broker")
        self.supervisor.begin(programs.web(web_port))
        if cases:
            self.say(f"Reading the train split of {cases.name} …")
            _quietly("import_gold", str(cases), create_categories=True)
        else:
            self.say("Loading the starter pack …")
            _quietly("load_starter_pack")
        package = settings.VAR_DIR / "salesforce"
        _quietly("salesforce_metadata", str(package))
        source = cases or starter_pack.conversations_path()
        org_port = int(os.environ[world.MARK])
        self.supervisor.begin(
            programs.org(port=org_port, web_port=web_port, cases=source, package=package)
        )
        self.supervisor.begin(programs.worker())
        self.say("Training a model …")
        _quietly("train")
        _quietly("promote")
        _quietly("set_mode", "automatic")
        _pull_every(PULL_SECONDS)
        self.say("Starting the line …")
        self.supervisor.wait_for("org")
        if not cases:
            self.let_people_choose()
        app.send_task(PULL)  # at once: the beat takes its time to read the timetable
        self.supervisor.begin(programs.beat())
        self.supervisor.wait_for("web")
        pids = settings.VAR_DIR / "processes.json"
        pids.write_text(json.dumps(self.supervisor.pids()))

    def let_people_choose(self) -> None:
        """Let representatives tag a few Cases by hand before we come: theirs must stay theirs."""
        for code in BY_HAND:
            self.org.edit_case(self.org.new_case(), {"Contact_Reason__c": code})

    # Watching

    def watch(self) -> Summary:
        """Return the figures once every Case is through, or once nothing moves any more."""
        cases = self.org.ledger()["cases"]
        seconds_to_first: float | None = None
        before, moved_at, said_at = Standing(0, 0, 0, 0), time.monotonic(), 0.0
        with tqdm(total=cases, unit="Case", desc="Written", disable=None) as bar:
            while True:
                self.revive()
                now = standing()
                bar.update(now.finished - bar.n)
                if now.written and seconds_to_first is None:
                    seconds_to_first = time.time() - self.began
                if now != before:
                    before, moved_at = now, time.monotonic()
                if now.has_all(cases) or time.monotonic() - moved_at > STUCK_SECONDS:
                    break
                if bar.disable and time.monotonic() - said_at > SAY_SECONDS:
                    said_at = time.monotonic()
                    self.say(
                        f"  {now.pulled} of {cases} Cases pulled, {now.decided} decided,"
                        f" {now.finished} finished"
                    )
                time.sleep(LOOK_SECONDS)
        return summary(
            ledger=self.org.ledger(),
            seconds=time.time() - self.began,
            seconds_to_first=seconds_to_first,
        )

    def tell(self, told: Summary) -> None:
        lines = {
            "Cases in the org": told.cases,
            "by channel": ", ".join(f"{name} {n}" for name, n in told.channels.items()),
            "pulled": told.pulled,
            "decided by rules": told.by_rules,
            "decided by the model": told.by_model,
            "decided by both": told.by_both,
            "waiting for a person": told.waiting,
            "written": told.written,
            "ceded to a person": told.ceded,
            "lost or given up": told.lost + told.failed,
            "most writes of one Case": told.most_writes_of_a_case,
            "API calls used": told.api_calls,
            "seconds to the first Case written": told.seconds_to_first,
            "seconds in all": told.seconds,
        }
        self.report(
            asdict(told),
            "\n".join(["", *(f"  {name:34}{value}" for name, value in lines.items())]),
        )

    def stay(self, web_port: int) -> None:
        """Keep everything running until Ctrl-C or TERM, with a new Case now and then."""
        fed_at = time.monotonic()
        _pull_every(self.calm_seconds)
        with contextlib.suppress(KeyboardInterrupt):
            self.say(
                "\nOpen this address; it signs you in once, within the hour."
                f" Ctrl-C stops everything.\n\n  {self.address(web_port)}\n"
            )
            while True:
                self.revive()
                if time.monotonic() - fed_at > TRICKLE_SECONDS:
                    fed_at = time.monotonic()
                    self.org.new_case()
                time.sleep(LOOK_SECONDS)
        self.say("\nStopping …")

    def revive(self) -> None:
        for name in self.supervisor.revive():
            self.say(f"The {name} had died and was started again.")
            (settings.VAR_DIR / "processes.json").write_text(json.dumps(self.supervisor.pids()))

    def address(self, port: int) -> str:
        """Return a sign-in link for an administrator without any password."""
        users = get_user_model()
        admin, is_new = users.objects.get_or_create(
            username="demo", defaults={"is_staff": True, "is_superuser": True}
        )
        if is_new:
            admin.set_unusable_password()
            admin.save()
        return f"http://127.0.0.1:{port}{sign_in_path(admin)}"


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _quietly(name: str, *arguments: str, **options: Any) -> None:
    """Run one of our commands; its words matter only when it fails."""
    call_command(name, *arguments, stdout=io.StringIO(), stderr=io.StringIO(), **options)


def _pull_every(seconds: int) -> None:
    interval, _ = IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")
    PeriodicTask.objects.filter(task__in=[PULL, HEAR]).update(
        interval=interval, expire_seconds=max(10, seconds)
    )
    PeriodicTasks.update_changed()
