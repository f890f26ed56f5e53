"""``manage.py assess``: is this worth it for us? Read from the org, never written to it."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from classifier.commands import ReportingCommand
from sfsync import gateway
from sfsync.assessing import MOST_CASES, CannotAssess, Question, assess_org, headline
from sfsync.assessment_page import html_of
from sfsync.errors import SalesforceError
from sfsync.models import Assessment


def number_of_cases(text: str) -> int:
    """Return a number of Cases, 1 to 50,000.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or not 0 < int(text) <= MOST_CASES:
        raise ArgumentTypeError(f"{text!r}: give a number of Cases, 1 to {MOST_CASES}")
    return int(text)


class Command(ReportingCommand):
    help = (
        "Read closed Cases with your representatives' tags and tell what share could be tagged"
        " by automation, which reasons lack examples, which are mixed up and which tags look"
        " wrong. Writes nothing to Salesforce."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fields",
            default="",
            metavar="A__c[,B__c[,C__c]]",
            help="picklists of Case that hold the reason, top level first; default: guessed",
        )
        parser.add_argument(
            "--limit",
            type=number_of_cases,
            default=MOST_CASES,
            help="Cases at most, newest first",
        )
        parser.add_argument(
            "--sources",
            choices=["description", "all"],
            default="description",
            help="words of the Case's own subject and description (a call per 2,000 Cases), or of"
            " every source in use (several calls per 200)",
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="write one HTML file")

    def handle(self, **options: Any) -> None:
        names = (name.strip() for name in options["fields"].split(","))
        question = Question(
            tuple(name for name in names if name),
            options["limit"],
            options["sources"] == "all",
        )
        with tqdm(total=100, unit="%", disable=None) as bar:

            def tell(doing: str, share: float) -> None:
                bar.set_description(doing)
                bar.update(round(100 * share) - bar.n)

            try:
                assessment = assess_org(gateway.open(), question, on_progress=tell)
            except CannotAssess as error:
                raise CommandError(str(error)) from error
            except SalesforceError as error:
                raise CommandError(
                    f"{error} What was read is kept for a day: call it again, and it goes on."
                ) from error
        self._write(assessment, options["out"])
        self.report(_figures(assessment), _sentence(assessment))

    def _write(self, assessment: Assessment, out: Path | None) -> None:
        if out is None:
            return
        try:
            out.write_text(html_of(assessment), "utf-8")
        except OSError as error:
            raise CommandError(
                f"{out} cannot be written ({error.strerror}). The assessment is kept: see it in"
                " the admin under Assessments."
            ) from error
        self.say(f"Written to {out}.")


def _figures(assessment: Assessment) -> dict[str, Any]:
    return {
        "assessment": assessment.pk,
        "fields": assessment.fields,
        "seen": assessment.seen,
        "calls": assessment.calls,
        **assessment.report,
    }


def _sentence(assessment: Assessment) -> str:
    return (
        f"{headline(assessment)} {assessment.seen:,} closed Cases were read from"
        f" {', '.join(assessment.fields)} in {assessment.calls:,} API calls; nothing was written."
        " Next: adopt --dry-run."
    )
