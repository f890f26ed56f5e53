from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from classifier.commands import ReportingCommand
from classifier.engine.datasets import DatasetInvalid
from classifier.importing import Imported, import_gold


class Command(ReportingCommand):
    help = (
        "Import labelled conversations (JSON lines, plain or gzip'd) to learn from. Rows of the"
        " file's test split are left out. Importing a file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--create-categories",
            action="store_true",
            help="make the categories that labels name and that are not there yet",
        )

    def handle(self, *, file: Path, create_categories: bool, **_options: Any) -> None:
        # disable=None: no bar when the output is not a terminal (cron, CI).
        with tqdm(unit=" rows", disable=None) as bar:
            try:
                imported = import_gold(
                    file,
                    create_categories=create_categories,
                    at=timezone.now(),
                    on_progress=bar.update,
                )
            except DatasetInvalid as error:
                raise CommandError(str(error)) from error
        for sentence in imported.errors:
            self.stderr.write(sentence)
        if imported.wrong > len(imported.errors):
            self.stderr.write(f"… and {imported.wrong - len(imported.errors)} more like these.")
        self.report(asdict(imported), _sentence(imported))
        if imported.wrong and not (imported.new or imported.known):
            raise CommandError("No row could be imported.")


def _sentence(imported: Imported) -> str:
    told = (
        f"{imported.new} labelled conversations imported, {imported.known} known before,"
        f" {imported.held_back} of the file's test split left out,"
        f" {imported.categories_made} categories made."
    )
    return f"{told} {imported.wrong} rows were wrong; see above." if imported.wrong else told
