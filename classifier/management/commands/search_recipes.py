import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from classifier.commands import ReportingCommand
from classifier.engine.datasets import read_records
from classifier.engine.errors import EngineError
from classifier.engine.evaluation import Labelled, dataset_name
from classifier.engine.recipe import Recipe
from classifier.engine.searching import Goal, Search, Trial, recipes_of, search, usual_recipes
from classifier.engine.taxonomy import Taxonomy
from classifier.models import Category, GoldLabel

SHOWN = 10  # trials told one by one; the file has them all


class Command(ReportingCommand):
    help = (
        "Try recipes out-of-fold on labelled conversations and name the best: of a data file's"
        " train split, or of the gold labels to train on where no file is given. Test splits and"
        " held-out labels are not looked at. DASK_SCHEDULER spreads the trainings over a cluster."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="a data file (JSON lines)")
        parser.add_argument(
            "--vary",
            type=Path,
            metavar="FILE",
            help='what to vary, a JSON object of lists: {"penalty": [0.5, 1], "min_texts": [1, 2]}',
        )
        parser.add_argument(
            "--goal",
            choices=list(Goal),
            default=Goal.COVERAGE,
            help="what the best is best at (default: what is decided at the target precision)",
        )
        parser.add_argument(
            "--jobs", type=int, default=1, help="trainings side by side on this machine"
        )
        parser.add_argument(
            "--out",
            type=Path,
            metavar="FILE",
            help="where to write the winner, for train --recipe",
        )

    def handle(self, **options: Any) -> None:
        try:
            found = self._search(options)
        except EngineError as error:
            raise CommandError(str(error)) from error
        figures = {
            "recipe": json.loads(found.best.recipe.to_json()),
            "goal": found.goal.value,
            "better": found.gain.better,
            "worse": found.gain.worse,
            "is_beyond_chance": found.gain.is_beyond_chance,
            "workers": len({trial.worker for trial in found.trials}),
            "trials": [trial.to_dict() for trial in found.trials],
        }
        if options["out"]:
            options["out"].write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        for trial in found.trials[:SHOWN]:
            self.say(_line(trial, found.base))
        self.report(figures, _sentence(found))

    def _search(self, options: dict[str, Any]) -> Search:
        if options["file"]:
            data = Labelled.of(
                dataset_name(options["file"]), list(read_records(options["file"]))
            )
            examples, taxonomy = list(data.train), data.taxonomy
        else:
            examples = GoldLabel.objects.examples(GoldLabel.Split.TRAIN)
            taxonomy = Category.objects.taxonomy()
        return search(
            examples,
            recipes_of(_read(options["vary"])) if options["vary"] else usual_recipes(),
            names=_names(taxonomy),
            taxonomy=taxonomy,
            goal=Goal(options["goal"]),
            jobs=options["jobs"],
            scheduler=settings.DASK_SCHEDULER,
        )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error


def _names(taxonomy: Taxonomy) -> dict[str, str]:
    return {node.code: taxonomy.label(node.code) for node in taxonomy}


def _line(trial: Trial, base: Trial) -> str:
    changed = _changes(trial.recipe, base.recipe) or "the usual recipe"
    precision = "none decided" if trial.precision is None else f"{trial.precision:.1%} right"
    return (
        f"{trial.coverage:6.1%} decided, {precision}, micro-F1 {trial.micro_f1:.1%},"
        f" accuracy {trial.accuracy:.1%}: {changed}"
    )


def _changes(recipe: Recipe, base: Recipe) -> str:
    ours, theirs = json.loads(recipe.to_json()), json.loads(base.to_json())
    return ", ".join(f"{key} {ours[key]}" for key in ours if ours[key] != theirs[key])


def _sentence(found: Search) -> str:
    workers = len({trial.worker for trial in found.trials})
    tried = (
        f"{len(found.trials)} recipes tried by {workers} process{'es' if workers > 1 else ''}."
    )
    if found.best.recipe == found.base.recipe:
        return f"{tried} None did better out-of-fold than the usual one: keep it."
    gain = found.gain
    luck = "beyond chance" if gain.is_beyond_chance else "which may be luck"
    return (
        f"{tried} The best decides {gain.better} texts rightly that the usual one does not, and"
        f" {gain.worse} the other way round, {luck} (p = {gain.p:.2g})."
    )
