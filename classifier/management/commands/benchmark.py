import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from classifier.commands import ReportingCommand, several, share
from classifier.engine.errors import EngineError
from classifier.engine.evaluation import benchmark
from classifier.engine.recipe import Recipe


class Command(ReportingCommand):
    help = (
        "Measure the engine on a data file: fit on its train split, report on its test split."
        " Reads and writes no database."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--rules",
            type=Path,
            help="a file of rules (JSON, as export_taxonomy writes it), to be measured alone, and"
            " beside and with the model",
        )
        parser.add_argument(
            "--noise",
            type=share,
            metavar="SHARE",
            help="measure also with this share of the words misheard, say 0.15",
        )
        parser.add_argument(
            "--join",
            type=several,
            metavar="NUMBER",
            help="measure also on calls of so many conversations each, say 10",
        )

        parser.add_argument(
            "--oos-share",
            type=share,
            metavar="SHARE",
            help="promise for traffic of which this share is out of scope, say 0.2 (else: as in"
            " the labels)",
        )

    def handle(
        self,
        *,
        file: Path,
        rules: Path | None = None,
        noise: float | None = None,
        join: int | None = None,
        oos_share: float | None = None,
        **_options: Any,
    ) -> None:
        # disable=None: no bar when the output is not a terminal (cron, CI).
        with tqdm(total=100, unit="%", disable=None) as bar:

            def tell(doing: str, share: float) -> None:
                bar.set_description(doing.capitalize())
                bar.update(round(100 * share) - bar.n)

            try:
                report = benchmark(
                    file,
                    Recipe(oos_share=oos_share),
                    rules=rules,
                    noise=noise,
                    join=join,
                    on_progress=tell,
                )
            except EngineError as error:
                raise CommandError(str(error)) from error
        figures = json.loads(report.to_json())
        self.report(figures, _table(figures))


def _table(figures: dict[str, Any]) -> str:
    rows = {name: value for name, value in figures.items() if not isinstance(value, dict)}
    for name, parts in figures.items():
        if isinstance(parts, dict):
            rows |= {f"{name} {part}": value for part, value in parts.items()}
    width = max(map(len, rows))
    return "\n".join(
        f"{name:{width}}  {'–' if value is None else value}" for name, value in rows.items()
    )
