from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from classifier.commands import ReportingCommand
from classifier.promoting import (
    CannotPromote,
    NeedsSecondPerson,
    Promoted,
    newest_candidate,
    promote_newest,
    propose,
)

MAY = "classifier.change_modelversion"


class Command(ReportingCommand):
    help = (
        "Make the newest candidate model the champion; the old one retires. The first champion"
        " needs one person only. To replace one, somebody proposes and another one promotes:"
        " promote --propose --by ADA, then promote --by BO."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", default="", metavar="USER", help="who does it")
        parser.add_argument(
            "--propose", action="store_true", help="propose the newest candidate instead"
        )

    def handle(self, **options: Any) -> None:
        by = options["by"]
        if by and not _may(by):
            raise CommandError(f"{by} may not change models, or there is no such user.")
        try:
            if options["propose"]:
                self._propose(by)
                return
            promoted = promote_newest(at=timezone.now(), by=by)
        except NeedsSecondPerson as error:
            raise CommandError(
                f"{error} On this machine: promote --propose --by USER, then promote --by"
                " ANOTHER; or set PROMOTION_NEEDS_SECOND_PERSON=false."
            ) from error
        except CannotPromote as error:
            raise CommandError(str(error)) from error
        figures = {
            "champion": promoted.champion.number,
            "retired": promoted.retired.number if promoted.retired else None,
            "waiting_again": promoted.waiting_again,
        }
        self.report(figures, _sentence(promoted))

    def _propose(self, by: str) -> None:
        if not by:
            raise CommandError("Say who proposes it: promote --propose --by USER")
        proposed = propose(newest_candidate(), at=timezone.now(), by=by)
        self.report(
            {"proposed": proposed.number, "by": by},
            f"Model {proposed.number} is proposed by {by}. Next: promote --by somebody else.",
        )


def _may(name: str) -> bool:
    user = User.objects.filter(username=name, is_active=True).first()
    return user is not None and user.has_perm(MAY)


def _sentence(promoted: Promoted) -> str:
    told = f"Model {promoted.champion.number} is the champion now."
    if promoted.retired:
        told += f" Model {promoted.retired.number} is retired; rollback brings it back."
    if promoted.waiting_again:
        told += (
            f" {promoted.waiting_again} conversations that lacked a model are decided again."
        )
    return told
