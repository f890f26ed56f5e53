from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from tqdm import tqdm

from classifier.commands import ReportingCommand
from classifier.engine.errors import NothingToLearn
from classifier.models import ModelVersion
from classifier.retraining import train_candidate


class Command(ReportingCommand):
    help = (
        "Train a candidate model from the gold labels, here and now. Some of them are held out"
        " and only measured on; the candidate decides nothing until it is promoted."
    )

    def handle(self, **_options: Any) -> None:
        # disable=None: no bar when the output is not a terminal (cron, CI).
        with tqdm(total=100, unit="%", disable=None) as bar:

            def tell(doing: str, share: float) -> None:
                bar.set_description(doing.capitalize())
                bar.update(round(100 * share) - bar.n)

            try:
                version = train_candidate(at=timezone.now(), on_progress=tell)
            except NothingToLearn as error:
                raise CommandError(
                    f"There is too little to learn from: {error}. Import labelled conversations"
                    " with import_gold, or begin with load_starter_pack."
                ) from error
        self.report(_figures(version), _sentence(version))


def _figures(version: ModelVersion) -> dict[str, Any]:
    return {
        "model": version.number,
        "sha256": version.sha256,
        "size_bytes": version.size_bytes,
        "trained_on": version.trained_on,
        "metrics": version.metrics,
    }


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
    return f"{sentence} Next: promote."
