from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from classifier.commands import ReportingCommand
from classifier.promoting import CannotServe, NothingToPromote, Promoted, promote_newest


class Command(ReportingCommand):
    help = "Make the newest candidate model the champion, without asking; the old one retires."

    def handle(self, **_options: Any) -> None:
        try:
            promoted = promote_newest(at=timezone.now(), by="promote (command)")
        except (NothingToPromote, CannotServe) as error:
            raise CommandError(str(error)) from error
        figures = {
            "champion": promoted.champion.number,
            "retired": promoted.retired.number if promoted.retired else None,
            "waiting_again": promoted.waiting_again,
        }
        self.report(figures, _sentence(promoted))


def _sentence(promoted: Promoted) -> str:
    told = f"Model {promoted.champion.number} is the champion now."
    if promoted.retired:
        told += f" Model {promoted.retired.number} is retired."
    if promoted.waiting_again:
        told += (
            f" {promoted.waiting_again} conversations that lacked a model are decided again."
        )
    return told
