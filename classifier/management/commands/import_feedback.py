from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from classifier.commands import ReportingCommand
from classifier.importing_feedback import FileRefused, import_feedback


class Command(ReportingCommand):
    help = (
        "Import what people said about conversations (CSV, XLSX or JSON lines, the columns of"
        " the feedback export). Importing a file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would become of the rows"
        )

    def handle(self, *, file: Path, dry_run: bool, **_options: Any) -> None:
        with tqdm(unit=" rows", disable=None) as bar:
            try:
                imported = import_feedback(file, is_dry_run=dry_run, on_progress=bar.update)
            except FileRefused as error:
                raise CommandError(str(error)) from error
        for sentence in imported.errors:
            self.stderr.write(sentence)
        if imported.wrong > len(imported.errors):
            self.stderr.write(f"… and {imported.wrong - len(imported.errors)} more like these.")
        told = (
            f"{imported.new} words {'would be' if dry_run else 'were'} imported,"
            f" {imported.known} are known already, {imported.withdrawn} were taken back,"
            f" {imported.wrong} rows are wrong."
        )
        self.report(asdict(imported), told)
        if imported.wrong and not (imported.new or imported.known):
            raise CommandError("No row could be imported.")
