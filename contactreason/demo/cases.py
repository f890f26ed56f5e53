"""The demo's own check of a file of Cases, before anything is started for it."""

from collections import Counter
from pathlib import Path

from django.core.management.base import CommandError

from classifier.engine.datasets import DatasetInvalid, numbered_records

MOST_FLAWS_TOLD = 5
NEEDED = {
    "train": "a model could learn nothing",
    "test": "no Case would come in",
}


def check(path: Path) -> None:
    """Read the whole file once.

    Raises:
        CommandError: it cannot be read, lines of it are wrong, or a split is missing; says which.
    """
    splits: Counter[str] = Counter()
    flaws = []
    try:
        for _, found in numbered_records(path):
            if isinstance(found, DatasetInvalid):
                flaws.append(str(found))
            else:
                splits[found.split] += 1
    except DatasetInvalid as error:
        raise CommandError(str(error)) from error
    if flaws:
        raise CommandError(_told(path, flaws))
    for split, consequence in NEEDED.items():
        if not splits[split]:
            raise CommandError(
                f'{path.name}: no line has the split "{split}", so {consequence}; mark some so.'
            )


def _told(path: Path, flaws: list[str]) -> str:
    count = len(flaws)
    lines = "1 line is" if count == 1 else f"{count} lines are"
    more = count - MOST_FLAWS_TOLD
    told = flaws[:MOST_FLAWS_TOLD] + ([f"… and {more} more like these"] if more > 0 else [])
    return "\n  ".join([f"{lines} wrong in {path.name}; mend or leave out:", *told])
