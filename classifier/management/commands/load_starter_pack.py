from dataclasses import asdict
from typing import Any

from django.utils import timezone

from classifier.commands import ReportingCommand
from classifier.starting import load_starter_pack


class Command(ReportingCommand):
    help = (
        "Add the starter pack: contact reasons, keyword rules and labelled conversations of a"
        " general service desk. Loading it again adds only what is missing."
    )

    def handle(self, **_options: Any) -> None:
        started = load_starter_pack(at=timezone.now())
        self.report(
            asdict(started),
            f"{started.categories} categories, {started.rules} keyword rules and"
            f" {started.gold_labels} labelled conversations added. Next: train, then promote.",
        )
