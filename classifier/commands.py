"""What all our management commands share: words for people, or one JSON object for programs."""

import json
from argparse import ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classifier.engine.recipe import Recipe
from classifier.trouble import DISK_FULL, TROUBLE, database_sentence, is_disk_full

HIGHEST_PORT = 65_535


def port_number(text: str) -> int:
    """Return the port that an argument names, in [0, 65535]; 0 stands for any free one.

    Raises:
        ArgumentTypeError: it names none.
    """
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise ArgumentTypeError(f"{text!r} is no port: give a number up to {HIGHEST_PORT}")
    return int(text)


def share(text: str) -> float:
    """Return the share in [0, 1] that an argument names.

    Raises:
        ArgumentTypeError: it names none.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ArgumentTypeError(f"{text!r} is no share: give a number from 0 to 1, say 0.15")
    return number


def several(text: str) -> int:
    """Return the number from 2 on that an argument names.

    Raises:
        ArgumentTypeError: it names none.
    """
    if not text.isdecimal() or int(text) < 2:  # noqa: PLR2004 - one is not several
        raise ArgumentTypeError(f"{text!r} are not several: give a number from 2 on")
    return int(text)


def recipe_in(file: Path) -> Recipe:
    """Return the recipe in a JSON file, alone or as the ``recipe`` of what a search wrote.

    Raises:
        CommandError: the file cannot be read, or holds no recipe.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        inner = found.get("recipe", found) if isinstance(found, dict) else found
        return Recipe.from_json(json.dumps(inner))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CommandError(f"{file}: {reason}; check the path and its permissions") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CommandError(
            f"{file.name} holds no recipe: {error}. search_recipes writes one."
        ) from error


class ReportingCommand(BaseCommand):
    """A command whose outcome is a report.

    People read sentences on standard output. With ``--json`` the last line of standard output
    is one JSON object and everything else goes to standard error. Sub-classes implement
    ``handle`` and call ``say`` on the way and ``report`` once at the end.
    """

    as_json = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument(
            "--json", action="store_true", help="last line of standard output: one JSON object"
        )
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Called through call_command the option may be absent, hence the default.
        self.as_json = bool(options.get("json", False))
        try:
            return super().execute(*args, **options)
        except TROUBLE as error:
            raise CommandError(database_sentence(error)) from error
        except OSError as error:
            if not is_disk_full(error):
                raise
            raise CommandError(DISK_FULL) from error

    def say(self, sentence: str) -> None:
        """Tell people what happens; never part of the JSON."""
        (self.stderr if self.as_json else self.stdout).write(sentence)

    def report(self, figures: Mapping[str, Any], sentence: str) -> None:
        """Tell the outcome: ``sentence`` to people, ``figures`` to programs."""
        if self.as_json:
            self.stderr.write(sentence)
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
        else:
            self.stdout.write(self.style.SUCCESS(sentence))
