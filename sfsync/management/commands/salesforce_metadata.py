"""``manage.py salesforce_metadata DIR``: the source package that an org needs."""

import json
import shutil
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from classifier.commands import ReportingCommand
from classifier.models import Category
from sfsync import gateway
from sfsync.errors import NotConfigured, ObjectMissing, SalesforceError
from sfsync.metadata.access import of_sources
from sfsync.metadata.fields import MetadataProblem
from sfsync.metadata.package import (
    PROJECT_FILE,
    PROJECT_NAME,
    Blueprint,
    Package,
    difference,
    whole_package,
)
from sfsync.models import CategoryMapping, FieldMapping, Source

# Not every org has them, and a permission on an object that is not there fails to deploy.
FEATURES = {
    "messaging": ("messaging sessions", ("MessagingEndUser", "MessagingSession")),
    "voice": ("voice calls", ("VoiceCall",)),
    "chat": ("transcripts of web chats until 2026", ("LiveChatTranscript",)),
    "social": ("social posts", ("SocialPost",)),
}
GUARD_TOLD = {
    True: ", and the guard that keeps a person's reason",
    False: ", without the guard",
}


class Command(ReportingCommand):
    help = (
        "Write the Case fields, their picklist values, permission sets and a page layout as an"
        " SFDX source package, ready to deploy."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", metavar="DIR", type=Path)
        parser.add_argument(
            "--only-missing",
            action="store_true",
            help="only what the connected org lacks, for example the value of a new category",
        )
        parser.add_argument(
            "--no-guard",
            action="store_true",
            help="leave out the flow and the rule that keep a person's reason in the org itself",
        )
        for name, (what, _) in FEATURES.items():
            parser.add_argument(
                f"--{name}",
                action="store_true",
                help=f"let the integration user read {what} too; the org must have them",
            )

    def handle(self, *, directory: Path, **options: Any) -> None:
        directory = Path(directory)
        try:
            chosen = [names for name, (_, names) in FEATURES.items() if options[name]]
            blueprint = replace(
                _blueprint({sobject for names in chosen for sobject in names}),
                wants_guard=not options["no_guard"],
            )
            package = self.package(blueprint, only_missing=options["only_missing"])
        except MetadataProblem as error:
            raise CommandError(str(error)) from error
        if package is None:
            self.report(
                {"directory": str(directory), "fields": 0, "values": 0, "files": 0},
                "The org has all fields and picklist values: there is nothing to deploy.",
            )
            return
        try:
            _write(package, directory)
        except OSError as error:
            raise CommandError(f"{directory} cannot be written: {error.strerror}.") from error
        self.report(
            {
                "directory": str(directory),
                "fields": len(package.fields),
                "values": package.values,
                "files": len(package.files),
                "guard": package.has_guard,
            },
            f"{len(package.fields)} Case fields with {package.values} picklist values are in"
            f" {directory}{GUARD_TOLD[package.has_guard]}. README.txt there says how to deploy"
            " them.",
        )

    def package(self, blueprint: Blueprint, *, only_missing: bool) -> Package | None:
        if not only_missing:
            return whole_package(blueprint)
        try:
            return difference(blueprint, gateway.open().describe("Case"))
        except NotConfigured:
            self.say("No Salesforce org is configured, so everything is written.")
            return whole_package(blueprint)
        except ObjectMissing as error:
            raise CommandError(f"{error} It needs Service Cloud.") from error
        except SalesforceError as error:
            raise CommandError(str(error)) from error


def _blueprint(features: set[str]) -> Blueprint:
    codes = list(Category.objects.filter(is_active=True).values_list("code", flat=True))
    if not codes:
        raise CommandError(
            "There are no categories yet, so the picklists would be empty. Load some first:"
            " python manage.py load_starter_pack, or import_gold FILE --create-categories."
        )
    mapping = FieldMapping.objects.active()
    if not mapping:
        raise CommandError("No Case field is mapped. Switch one on under Field mapping.")
    book, version = CategoryMapping.book(), settings.SALESFORCE_API_VERSION
    own = of_sources(Source.objects.exclude(kind=Source.Kind.BUILT_IN))
    readable = replace(own, objects=tuple(sorted({*own.objects, *features})))
    return Blueprint(mapping, codes, book, version, readable)


def _write(package: Package, directory: Path) -> None:
    """Write the files. What an earlier run left there is replaced, anything else is refused."""
    if directory.exists() and any(directory.iterdir()):
        if not _is_ours(directory / PROJECT_FILE):
            raise CommandError(
                f"{directory} holds other files. Name a new or an empty directory."
            )
        shutil.rmtree(directory / "force-app", ignore_errors=True)
    for file in package.files:
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")


def _is_ours(project_file: Path) -> bool:
    try:
        project = json.loads(project_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(project, dict) and project.get("name") == PROJECT_NAME
