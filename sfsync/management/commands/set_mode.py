"""``manage.py set_mode``: how far automation may go, from the shell."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from classifier.commands import ReportingCommand
from sfsync import mode_setting
from sfsync.models import Mode

PAUSED = "paused"


class Command(ReportingCommand):
    help = (
        "Set how far automation may go: shadow (write nothing), suggest (the suggestion field"
        " only), automatic, or paused (stop all writing within 5 seconds)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("mode", choices=[*Mode.values, PAUSED])
        parser.add_argument(
            "--category", metavar="CODE", help="one category only, for example billing.refund"
        )

    def handle(self, *, mode: str, category: str | None, **options: Any) -> None:
        if mode == PAUSED:
            self.pause(category)
            return
        try:
            change = mode_setting.set_mode(Mode(mode), category, by=_me())
        except mode_setting.UnknownCategory as error:
            raise CommandError(str(error)) from error
        goes_on = " Writing was paused and goes on." if change.was_paused else ""
        what = f"Category {category}" if category else "The connection"
        waiting = f" {change.released} write-backs are due now." if change.released else ""
        self.report(
            {"mode": mode, "category": category, "released": change.released},
            f"{what} is now in {mode} mode (before: {change.before.value}).{goes_on}{waiting}",
        )

    def pause(self, category: str | None) -> None:
        if category:
            raise CommandError(
                "Pausing stops all writing, so it takes no --category. To hold back one"
                f" category, use: set_mode shadow --category {category}"
            )
        mode_setting.pause(by=_me())
        self.report(
            {"mode": PAUSED, "category": None, "released": 0},
            "All writing is paused. Cases are still pulled and decided; set_mode shadow,"
            " suggest or automatic lets writing go on.",
        )


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return ""
