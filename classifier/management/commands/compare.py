from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from classifier.commands import ReportingCommand
from classifier.comparing import CannotCompare, compare_with_champion
from classifier.engine.chance import Measured, Share
from classifier.engine.comparison import Showing
from classifier.engine.findings import findings, headline
from classifier.models import Category, Comparison, ModelVersion


class Command(ReportingCommand):
    help = (
        "Compare a model with the champion on gold labels that neither has learnt from: as"
        " served with today's rules, per category, with 95 % intervals."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "model", nargs="?", type=int, help="its number (default: the newest candidate)"
        )

    def handle(self, **options: Any) -> None:
        version = _asked(options["model"])
        try:
            made = compare_with_champion(version, at=timezone.now())
        except CannotCompare as error:
            raise CommandError(str(error)) from error
        found = made.found
        for name, ours, theirs in _lines(found.candidate, found.champion):
            self.say(f"{name:<26} {ours:<34} {theirs}".rstrip())
        for finding in findings(found, Category.objects.taxonomy()):
            self.say(f"- {finding.words}")
        self.report(_figures(made), f"{str(made).capitalize()}. {headline(found).words}")


def _asked(number: int | None) -> ModelVersion:
    if number is None:
        version = ModelVersion.objects.candidates().first()
        if version is None:
            raise CommandError("There is no candidate to compare: run train first.")
        return version
    version = ModelVersion.objects.filter(number=number).first()
    if version is None:
        raise CommandError(f"There is no model {number}.")
    return version


def _figures(made: Comparison) -> dict[str, Any]:
    return {
        "comparison": made.pk,
        "candidate": made.candidate.number,
        "champion": made.champion.number if made.champion else None,
        "outcome": made.found.outcome.value,
        "figures": made.figures,
    }


def _lines(candidate: Showing | None, champion: Showing | None) -> list[tuple[str, str, str]]:
    if candidate is None:
        return []
    lines = [("", "candidate", "champion" if champion else "")]
    for name, part in (
        ("Right without a person", "right"),
        ("Answered without a person", "coverage"),
        ("Right when it answers", "precision"),
        ("First guess right", "first_guess"),
        ("Micro-F1", "micro_f1"),
        ("Macro-F1", "macro_f1"),
    ):
        theirs = _words(getattr(champion, part)) if champion else ""
        lines.append((name, _words(getattr(candidate, part)), theirs))
    return lines


def _words(figure: Share | Measured) -> str:
    if figure.value is None:
        return "nothing to measure"
    words = f"{figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%})"
    return f"{words} of {figure.of:,}" if isinstance(figure, Share) else words
