import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from classifier.commands import ReportingCommand
from classifier.exchanging import FileInvalid, Plan, PlanRefused, bring_in, plan_of

MISTAKES_TOLD = 100


class Command(ReportingCommand):
    help = (
        "Bring in categories and keyword rules from one file (CSV, XLSX or JSON): all of it, or"
        " nothing where a row is wrong. Importing the same file again changes nothing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="as export_taxonomy writes it")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what the file would do, change nothing"
        )

    def handle(self, *, file: Path, dry_run: bool, **_options: Any) -> None:
        try:
            content = file.read_bytes()
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            plan = plan_of(content, file.name)
            self._tell_mistakes(plan)
            if plan.mistakes and not dry_run:
                raise CommandError("Nothing was changed. Mend the rows above and repeat.")
            if not dry_run:
                plan = bring_in(content, file.name, at=timezone.now(), expected=plan.digest)
        except (FileInvalid, PlanRefused) as error:
            raise CommandError(str(error)) from error
        figures = {kind: dict(found) for kind, found in plan.counts.items()}
        self.report(
            {**figures, "wrong": len(plan.mistakes), "dry_run": dry_run},
            _sentence(plan, "would be" if dry_run else "were"),
        )

    def _tell_mistakes(self, plan: Plan) -> None:
        for mistake in plan.mistakes[:MISTAKES_TOLD]:
            self.stderr.write(f"{mistake.place}, {mistake.column}: {mistake.sentence}")
        if len(plan.mistakes) > MISTAKES_TOLD:
            self.stderr.write(f"… and {len(plan.mistakes) - MISTAKES_TOLD} more like these.")


def _sentence(plan: Plan, verb: str) -> str:
    told = [
        f"{found['added']} {words} {verb} added, {found['changed']} changed,"
        f" {found['unchanged']} are as they were"
        for words, found in (
            ("categories", plan.counts["category"]),
            ("rules", plan.counts["rule"]),
        )
    ]
    wrong = f" {len(plan.mistakes)} cells are wrong; see above." if plan.mistakes else ""
    return f"{'; '.join(told)}.{wrong}"
