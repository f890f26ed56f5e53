"""How long a file of 1,000 categories and 10,000 rules takes; run by hand.

DATABASE_URL=postgresql://… python -m tests.benchmarks.bench_exchange

The database must be an empty one of its own: tables are made and filled, and stay.
"""
# ruff: noqa: E402  Django must be set up before models are imported

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactreason.settings")

import django

django.setup()

from django.core.management import call_command
from django.utils import timezone

from classifier.exchanging import FORMS, bring_in, plan_of, taxonomy_file

CATEGORIES, RULES = 1_000, 10_000
T = TypeVar("T")


def main() -> None:
    call_command("migrate", verbosity=0)
    content = made_file()
    tell("look at it (all new)", lambda: plan_of(content, "a.csv"))
    tell("bring it in", lambda: bring_in(content, "a.csv", at=timezone.now()))
    for code, form in FORMS.items():
        written = tell(f"write {code}", lambda form=form: taxonomy_file(form))
        tell(
            f"look at {code} (all known)", lambda code=code, w=written: plan_of(w, f"a.{code}")
        )


def made_file() -> bytes:
    lines = ["kind,code,label,parent,name,category,any_of,must_match,must_not_match"]
    for number in range(CATEGORIES):
        parent = f"top_{number % 40}" if number >= 40 else ""
        code = f"leaf_{number}" if parent else f"top_{number}"
        lines.append(f"category,{code},Label {number},{parent},,,,,")
    for number in range(RULES):
        phrases = "\n".join(f"phrase {number} {each}" for each in range(6))
        lines.append(
            f'rule,,,,Rule {number},leaf_{40 + number % 900},"{phrases}",'
            f'"so phrase {number} 3 was said\nphrase {number} 5",what is phrase {number}'
        )
    return "\n".join(lines).encode()


def tell(what: str, work: Callable[[], T]) -> T:
    begun = time.perf_counter()
    done = work()
    sys.stdout.write(f"{what}: {time.perf_counter() - begun:.1f} s\n")
    return done


if __name__ == "__main__":
    main()
