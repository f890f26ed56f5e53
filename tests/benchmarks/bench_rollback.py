"""How long from the click on "Roll back now" to the first decision by the old model, elsewhere.

python -m tests.benchmarks.bench_rollback        (embedded database; DATABASE_URL: another, emptied)

A worker in another process decides one conversation after the other meanwhile.
"""

import os
import secrets
import statistics
import sys
import tempfile
import threading
import time

ROUNDS = 5
AT_WORK = 20
"""Conversations that the worker has decided with the bad model before the click."""

os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="contactreason-bench-"))
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("PLAIN_HTTP", "true")
os.environ.setdefault("ALLOWED_HOSTS", "testserver")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactreason.settings")


def main() -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("load_starter_pack", verbosity=0)
    call_command("train", verbosity=0)
    call_command("promote", verbosity=0)
    taken = [one_round(number) for number in range(ROUNDS)]
    told = ", ".join(f"{milliseconds:.0f}" for milliseconds in taken)
    print(f"click to first decision by the old model in another process: {told} ms")
    print(f"  median {statistics.median(taken):.0f} ms, worst {max(taken):.0f} ms")
    return 0


def one_round(number: int) -> float:
    """Promote a twin of the champion, roll it back; return milliseconds to the next decision."""
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from classifier import promoting
    from classifier.models import ModelVersion
    from classifier.retraining import train_candidate
    from tests import factories as make
    from tests.journeys.follower import Follower

    if number == 0:
        train_candidate(at=timezone.now())
    bad = ModelVersion.objects.exclude(stage="champion").get()
    promoting.propose(bad, at=timezone.now(), by="ada")
    promoting.promote(bad, at=timezone.now(), by="bo")
    client = Client()
    client.force_login(make.make_administrator())
    worker = Follower()
    decided: list[float] = []
    is_at_work = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(number, worker, bad.number, decided, is_at_work)
    )
    thread.start()
    is_at_work.wait()
    clicked = time.time()
    client.post(reverse("admin:classifier_modelversion_rollback", args=[bad.pk]))
    thread.join()
    worker.stop()
    return 1000 * (decided[0] - clicked)


def _watch(
    round_: int,
    worker: object,
    bad: int,
    decided: list[float],
    is_at_work: threading.Event,
) -> None:
    """Give a worker one conversation after the other until it decides by another model."""
    from django.db import connection

    from tests import factories as make

    number = 0
    while not decided:
        number += 1
        make.make_transcript("Where is my refund? I sent it back.", thread=f"{round_}-{number}")
        told = worker.decide()  # type: ignore[attr-defined]
        if number == AT_WORK:
            is_at_work.set()
        if told["model"] != bad:
            decided.append(float(told["at"]))
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
