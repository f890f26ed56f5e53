"""How long the report takes on 100,000 decisions and 1,000 categories; run by hand.

DATABASE_URL=postgresql://… python -m tests.benchmarks.bench_analytics

The database must be an empty one of its own: tables are made and filled, and stay.
"""
# ruff: noqa: E402  Django must be set up before models are imported

import os
import random
import statistics
import sys
import time
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactreason.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone

from classifier.models import Category, Decision, DecisionReason, Transcript
from tests import factories as make

SEED = 7
TOPS, LEAVES = 40, 24  # 40 + 40 × 24 = 1,000 categories
DECISIONS = 100_000
WEEKS = 52
ROUNDS = 30
PRODUCTS = [f"Product {number}" for number in range(200)]
TEAMS = [f"Team {number}" for number in range(30)]
ASKED = {
    "as it opens": {},
    "52 weeks": {"weeks": "52"},
    "52 weeks, every category": {"weeks": "52", "level": "leaf"},
    "52 weeks, every category, all reasons": {"weeks": "52", "level": "leaf", "reach": "all"},
    "52 weeks, top categories, all reasons": {"weeks": "52", "reach": "all"},
    "one product, 26 weeks": {"weeks": "26", "product": "Product 3", "level": "leaf"},
    "the whole year compared": {"weeks": "26", "compare": "period", "level": "leaf"},
}


def main() -> None:
    call_command("migrate", verbosity=0)
    if not Decision.objects.exists():
        filled()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        measured()


def measured() -> None:
    client = Client()
    client.force_login(make.make_administrator(username=f"bench{time.time_ns()}"))
    address = reverse("admin:classifier_decision_reasons")
    for name, asked in ASKED.items():
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address, asked, secure=True)
        queries = len(captured)
        assert answer.status_code == 200, answer.status_code
        times = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            client.get(address, asked, secure=True)
            times.append(1000 * (time.perf_counter() - begun))
        p95 = statistics.quantiles(times, n=20)[-1]
        sys.stdout.write(
            f"{name}: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms,"
            f" {queries} queries, {len(answer.content) / 1000:.0f} kB\n"
        )


def filled() -> None:
    draw = random.Random(SEED)
    now = timezone.now()
    tops = [make.make_category(f"Top {number}") for number in range(TOPS)]
    leaves = [
        Category(label=f"Leaf {n}", parent=top, code=f"{top.code}.leaf_{n}")
        for top in tops
        for n in range(LEAVES)
    ]
    pool = [*tops, *Category.objects.bulk_create(leaves)]
    weights = [1 / (1 + number) for number in range(len(pool))]
    draw.shuffle(weights)
    for begin in range(0, DECISIONS, 5_000):
        numbers = range(begin, begin + 5_000)
        decided = Decision.objects.bulk_create(
            _decision(draw, now, transcript, draw.choices(pool, weights)[0])
            for transcript in Transcript.objects.bulk_create(
                _transcript(number, now) for number in numbers
            )
        )
        DecisionReason.objects.bulk_create(
            DecisionReason(decision=one, category=category, rank=rank, ground="model")
            for one in decided
            if one.category is not None
            for rank, category in enumerate(
                dict.fromkeys(
                    [one.category, *draw.choices(pool, weights, k=draw.random() < 0.3)]
                )
            )
        )


def _transcript(number: int, now: object) -> Transcript:
    return Transcript(
        thread=make.case_id(number),
        turns=[],
        digest=f"{number:064d}",
        customer_digest=f"{number:064d}",
        received_at=now,
        decided_at=now,
    )


def _decision(
    draw: random.Random, now: object, transcript: Transcript, category: Category
) -> Decision:
    waits = draw.random() < 0.1
    at = timezone.now() - timedelta(days=draw.random() * 7 * WEEKS)
    return Decision(
        thread=transcript.thread,
        transcript=transcript,
        category=None if waits else category,
        source="nobody" if waits else draw.choice(["rules", "model", "both", "person"]),
        doubt="unsure" if waits else "",
        decided_at=at,
        contacted_at=at,
        channel=draw.choice(["email", "chat", "voice", "messaging", "web"]),
        language=draw.choice(["en", "es", "zh-Hant", "zh-Hans"]),
        product=draw.choice(PRODUCTS),
        team=draw.choice(TEAMS),
        queue=draw.choice(TEAMS),
    )


if __name__ == "__main__":
    main()
