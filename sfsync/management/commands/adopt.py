"""``manage.py adopt``: categories, gold labels and a first model from the newest assessment."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from classifier.commands import ReportingCommand
from sfsync.adopting import Adoption, CannotAdopt, adopt, newest, proposal, told

SHOWN = 40
"""Lines of a list that people read; ``--json`` has all."""


class Command(ReportingCommand):
    help = (
        "Turn the newest assessment into categories with their Salesforce values, gold labels"
        " (those that look wrong are set aside) and a candidate model. Can be repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list what it would make")
        parser.add_argument("--assessment", type=int, help="its number; default: the newest")
        parser.add_argument(
            "--map-fields",
            action="store_true",
            help="write the reasons to the assessed fields from now on (see Field mapping)",
        )
        parser.add_argument(
            "--by", default="adopt (command)", metavar="USER", help="who asks for it"
        )

    def handle(self, **options: Any) -> None:
        try:
            assessment = newest(options["assessment"])
            if options["dry_run"]:
                self._propose(proposal(assessment))
                return
            with tqdm(total=100, unit="%", disable=None) as bar:

                def tell(doing: str, share: float) -> None:
                    bar.set_description(doing)
                    bar.update(round(100 * share) - bar.n)

                made = adopt(
                    assessment,
                    by=options["by"],
                    map_fields=options["map_fields"],
                    on_progress=tell,
                )
        except CannotAdopt as error:
            raise CommandError(str(error)) from error
        self._list("Keeps its own value", made.kept_values)
        if not made.is_mapped:
            self._list("Not mapped (ask with --map-fields)", made.mapping)
        self.report(made.to_dict(), told(made))

    def _propose(self, made: Adoption) -> None:
        self._list("New category", made.categories)
        self._list("Salesforce value", made.values)
        self._list("Keeps its own value", made.kept_values)
        self._list("With --map-fields it would be written", made.mapping)
        self.report(
            made.to_dict(),
            f"Would make {len(made.categories):,} categories and {made.labels:,} gold labels"
            f" ({made.known:,} are known), set {made.doubtful:,} doubtful Cases aside, ask people"
            f" about {made.reviews:,} of them, and train a candidate. Nothing was changed.",
        )

    def _list(self, title: str, lines: list[str]) -> None:
        for line in lines[:SHOWN]:
            self.say(f"{title}: {line}")
        if len(lines) > SHOWN:
            self.say(f"{title}: {len(lines) - SHOWN:,} more")
