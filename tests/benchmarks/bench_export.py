"""How long 100,000 decisions take to export, and how much memory a worker needs; run by hand.

python -m tests.benchmarks.bench_export

Needs the filled database that ``bench_admin --keep`` leaves on the server at TEST_DATABASE_URL.
Each form of file is written by a process of its own, the way the worker of the errands does it,
and then fetched as the download page does it; nothing of it is kept.
"""

import argparse
import json
import os
import resource
import secrets
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
NAME = "contactreason_bench"
FORMS = ("csv", "xlsx", "jsonl")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form", choices=FORMS, help="this one alone, in this process")
    parser.add_argument("--words", action="store_true", help="with the conversations' words")
    options = parser.parse_args()
    if options.form:
        print(json.dumps(export(options.form, with_words=options.words)))
        return 0
    heads = (
        "File",
        "Rows",
        "Seconds",
        "of it CPU",
        "MB",
        "Memory",
        "Fetched in",
        "Memory more",
    )
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for form in FORMS:
        words = ["--words"] if options.words else []
        told = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.bench_export", "--form", form, *words],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        found = json.loads(told)
        cells = (
            form,
            f"{found['rows']:,}",
            f"{found['seconds']:.1f}",
            f"{found['busy']:.1f}",
            f"{found['megabytes']:.1f}",
            f"{found['before_mb']:.0f} → {found['written_mb']:.0f} MB",
            f"{found['fetch_seconds']:.1f} s",
            f"{found['fetched_mb'] - found['written_mb']:.0f} MB",
        )
        print(f"| {' | '.join(cells)} |", flush=True)
    return 0


def export(form: str, *, with_words: bool) -> dict[str, float]:
    """Order, write and fetch one file; return seconds and the process's peak memory."""
    os.environ |= {
        "DATABASE_URL": urlunsplit(urlsplit(SERVER)._replace(path=f"/{NAME}")),
        "DJANGO_SETTINGS_MODULE": "contactreason.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PLAIN_HTTP": "true",
        "ALLOWED_HOSTS": "testserver",
        "ENV_FILE": "",
    }
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from classifier import errands, exporting, leases
    from classifier.export_sheets import SHEETS
    from classifier.exporting import Selection
    from classifier.models import Errand
    from classifier.spreadsheets import FORMS as KNOWN

    user = User.objects.create_superuser(f"bench-{secrets.token_hex(4)}")
    Errand.objects.waiting([exporting.ERRAND]).delete()
    order = exporting.order(
        SHEETS["decisions"], Selection(with_words=with_words), KNOWN[form], user
    )
    errand = Errand.objects.ask(exporting.ERRAND, at=leases.now(), by=user, parameters=order)
    try:
        before = peak()
        begun, busy = time.perf_counter(), time.process_time()
        errands.run_next({exporting.ERRAND: exporting.export})
        seconds, written = time.perf_counter() - begun, peak()
        busy = time.process_time() - busy
        errand.refresh_from_db()
        if errand.error:
            raise SystemExit(errand.error)
        client = Client()
        client.force_login(user)
        begun = time.perf_counter()
        answer = client.get(reverse("admin:classifier_errand_file", args=[errand.pk]))
        fetched = sum(len(piece) for piece in answer.streaming_content)
        assert fetched == errand.result["bytes"]
        return {
            "rows": errand.result["rows"],
            "seconds": seconds,
            "busy": busy,
            "megabytes": fetched / 1e6,
            "before_mb": before,
            "written_mb": written,
            "fetch_seconds": time.perf_counter() - begun,
            "fetched_mb": peak(),
        }
    finally:
        errand.delete()
        user.delete()
        connection.close()


def peak() -> float:
    """Return the most memory that this process ever had, in MB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
