from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from classifier.commands import ReportingCommand
from classifier.models import Errand
from classifier.promoting import CannotPromote, roll_back


class Command(ReportingCommand):
    help = (
        "Make the champion before this one the champion again. Every worker follows with its"
        " next batch; nobody else is asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by", default="rollback (command)", metavar="USER", help="who does it"
        )
        parser.add_argument(
            "--decide-again",
            action="store_true",
            help="let a worker decide again what the retired model decided and nobody touched",
        )

    def handle(self, **options: Any) -> None:
        try:
            done = roll_back(at=timezone.now(), by=options["by"])
        except CannotPromote as error:
            raise CommandError(str(error)) from error
        told = (
            f"Model {done.champion.number} is the champion again; model {done.retired.number} is"
            " retired."
        )
        again = done.decided if options["decide_again"] else 0
        if again:
            Errand.objects.ask_once(
                "redecide", at=timezone.now(), parameters={"model": done.retired.pk}
            )
            told += f" A worker lets its {again:,} conversations be decided again."
        elif done.decided:
            told += (
                f" {done.decided:,} conversations that it decided and nobody touched stand as"
                " they are; Model versions in the admin lets them be decided again."
            )
        figures = {
            "champion": done.champion.number,
            "retired": done.retired.number,
            "decided": done.decided,
            "deciding_again": again,
        }
        self.report(figures, told)
