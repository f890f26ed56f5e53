"""A database as ``migrate`` leaves it, with rules and a desk: made once, copied for each seed."""

import sqlite3
from hashlib import sha256
from io import StringIO
from pathlib import Path
from shutil import copyfile

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from classifier.models import Category, KeywordRule
from sfsync.models import Connection, Mode, Source
from tests.simulation.watching import WATCHES

ROOT = Path(__file__).resolve().parents[2]
SOURCES_READ = ("description", "email", "comment")
KEYWORDS = {
    "billing.refund": "refund",
    "billing.invoice": "invoice",
    "delivery.late": "late",
    "account.password": "password",
}
"""Category → the word in a customer's text that tells it for certain."""


def template(folder: Path) -> Path:
    """Return the template's file in ``folder``, made if it is not there for these migrations."""
    file = folder / f"simulation-{_digest()}.sqlite3"
    if not file.exists():
        _make(file)
    return file


def package(file: Path) -> Path:
    """Return the folder of what ``salesforce_metadata`` writes for that template: the guard."""
    return file.with_suffix(".package")


def _digest() -> str:
    found = sha256()
    sources = [
        *ROOT.glob("*/migrations/*.py"),
        *ROOT.glob("sfsync/metadata/*.py"),
        Path(__file__),
    ]
    for path in sorted(sources):
        found.update(path.read_bytes())
    found.update("".join(WATCHES).encode())
    return found.hexdigest()[:16]


def _make(file: Path) -> None:
    draft = Path(settings.DATABASES["default"]["NAME"])
    draft.unlink(missing_ok=True)
    call_command("migrate", verbosity=0)
    _fill()
    call_command("salesforce_metadata", str(package(file)), stdout=StringIO())
    connection.close()
    raw = sqlite3.connect(draft)
    for statement in WATCHES:
        raw.execute(statement)
    raw.execute("PRAGMA journal_mode=DELETE")
    raw.execute("VACUUM")
    raw.close()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{draft.stem}.part")
    copyfile(draft, part)
    part.replace(file)


def _fill() -> None:
    for code, word in KEYWORDS.items():
        parent, _, name = code.partition(".")
        above, _ = Category.objects.get_or_create(code=parent, defaults={"label": parent})
        category = Category.objects.create(code=code, label=name, parent=above)
        KeywordRule.objects.create(
            name=f"{word} is said", category=category, any_of=word, is_certain=True
        )
    Connection.current()
    Connection.objects.update(mode=Mode.AUTOMATIC)
    Source.objects.exclude(code__in=SOURCES_READ).update(is_enabled=False)
    Source.objects.update(interval_seconds=30)
