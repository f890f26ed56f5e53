import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from classifier.commands import ReportingCommand
from classifier.exchanging import FORMS, FileInvalid, taxonomy_file
from classifier.models import Category, KeywordRule


class Command(ReportingCommand):
    help = (
        "Write all categories and keyword rules into one file: CSV, XLSX or JSON by its ending."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to write, for example taxonomy.xlsx")

    def handle(self, *, file: Path, **_options: Any) -> None:
        form = FORMS.get(file.suffix.lower().removeprefix("."))
        if form is None:
            raise CommandError(f"Name a file that ends in {', '.join(f'.{c}' for c in FORMS)}.")
        try:
            file.write_bytes(taxonomy_file(form))
        except FileInvalid as error:
            raise CommandError(str(error)) from error
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        figures = {
            "categories": Category.objects.count(),
            "rules": KeywordRule.objects.count(),
        }
        self.report(
            figures,
            f"{figures['categories']} categories and {figures['rules']} rules are in {file}.",
        )
