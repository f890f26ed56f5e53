from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from classifier import comparing
from classifier.commands import ReportingCommand, recipe_in
from classifier.engine.errors import NothingToLearn
from classifier.engine.findings import headline
from classifier.models import Comparison, ModelVersion
from classifier.retraining import train_candidate


class Command(ReportingCommand):
    help = (
        "Train a candidate model from the gold labels, here and now, and compare it with the"
        " champion. Some labels are held out and only measured on; the candidate decides nothing"
        " until it is promoted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by", default="train (command)", metavar="USER", help="who asks for it"
        )
        parser.add_argument(
            "--recipe",
            type=Path,
            metavar="FILE",
            help="how to train: a JSON file as search_recipes writes it",
        )

    def handle(self, **options: Any) -> None:
        recipe = recipe_in(options["recipe"]) if options["recipe"] else None
        # disable=None: no bar when the output is not a terminal (cron, CI).
        with tqdm(total=100, unit="%", disable=None) as bar:

            def tell(doing: str, share: float) -> None:
                bar.set_description(doing.capitalize())
                bar.update(round(100 * share) - bar.n)

            try:
                version = train_candidate(
                    at=timezone.now(), by=options["by"], recipe=recipe, on_progress=tell
                )
            except NothingToLearn as error:
                raise CommandError(
                    f"There is too little to learn from: {error}. Import labelled conversations"
                    " with import_gold, or begin with load_starter_pack."
                ) from error
        for sentence in _doubts(version):
            self.say(sentence)
        made = self._compared(version)
        sentence = _sentence(version)
        if made and made.champion:
            sentence += f" {headline(made.found).words} compare tells more."
        figures = _figures(version) | {"comparison": made.pk if made else None}
        self.report(figures, f"{sentence} Next: promote.")

    def _compared(self, version: ModelVersion) -> Comparison | None:
        try:
            return comparing.compare_with_champion(version, at=timezone.now())
        except comparing.CannotCompare as error:
            self.say(f"It could not be compared: {error}")
            return None


def _figures(version: ModelVersion) -> dict[str, Any]:
    return {
        "model": version.number,
        "sha256": version.sha256,
        "size_bytes": version.size_bytes,
        "trained_on": version.trained_on,
        "metrics": version.metrics,
    }


def _doubts(version: ModelVersion) -> list[str]:
    """Return what to know of the labels that were learnt from."""
    told = version.trained_on
    sentences = []
    if number := len(told.get("contradictions", ())):
        sentences.append(
            f"{number} groups of conversations say the same words and are labelled otherwise."
        )
    if number := len(told.get("suspects", ())):
        sentences.append(
            f"{number} labels look wrong; the gold labels' list shows them under “Looks wrong”."
        )
    return sentences


def _sentence(version: ModelVersion) -> str:
    told, measured = version.trained_on, version.metrics
    sentence = (
        f"Model {version.number} is trained on {told['train']} conversations of {told['labels']}"
        " categories; it is a candidate."
    )
    if measured["test"] and measured["accuracy"] is not None:
        sentence += (
            f" On {measured['test']} it had not seen, its first guess is right in"
            f" {measured['accuracy']:.1%}; it would decide {measured['coverage']:.1%} by itself."
        )
    return sentence
