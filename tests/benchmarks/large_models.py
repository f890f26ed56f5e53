"""The models of a large service desk: figures of every category, each beside the one before."""

import random
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise

from classifier.engine import comparison as figures
from classifier.engine.chance import Measured, Paired, Share
from classifier.engine.class_report import RARE, ClassReport, Watched
from classifier.engine.thresholds import Bar, Proof, ProvenBy
from classifier.models import Category, Comparison, ModelVersion
from tests import factories as make

VERSIONS = 30
CRITICAL = 25
HELD_OUT = 3_000
FLIPS = 600


def model_versions(draw: random.Random, pool: Sequence[Category]) -> list[ModelVersion]:
    """Return the champion's forerunners and the champion, each with a report of every category."""
    critical = {category.code for category in draw.sample(pool, CRITICAL)}
    versions = [
        make.make_model_version(
            stage="champion" if number == VERSIONS - 1 else "retired",
            metrics={
                "micro_f1": 0.93,
                "coverage": 0.71,
                "precision": 0.96,
                "promised": asdict(proof(draw, 300)),
                "categories": sorted(
                    (asdict(report(draw, one.code, critical)) for one in pool),
                    key=lambda each: (each["train"], each["category"]),
                ),
            },
        )
        for number in range(VERSIONS)
    ]
    for champion, candidate in pairwise(versions):
        Comparison.objects.create(
            candidate=candidate,
            champion=champion,
            gold_digest="ab" * 32,
            figures=side_by_side(draw, pool).to_dict(),
            compared_at=make.NOON,
        )
    return versions


def report(draw: random.Random, code: str, critical: set[str]) -> ClassReport:
    train, test = draw.randrange(5, 120), draw.randrange(1, 20)
    bar = Bar(0.95, 0.11, 0.91, train, 0.03)
    return ClassReport(
        code,
        train,
        test,
        decided=test,
        right=draw.randrange(test + 1),
        found=draw.randrange(test + 1),
        is_rare=train < RARE,
        proof=proof(draw, train),
        watched=Watched(bar, test - 1, 0.6) if code in critical else None,
    )


def proof(draw: random.Random, texts: int) -> Proof:
    right = draw.uniform(0.7, 1)
    return Proof(
        draw.choice(list(ProvenBy)), texts, right * texts, right - 0.1, texts, 0.5, 0.6
    )


def side_by_side(draw: random.Random, pool: Sequence[Category]) -> figures.Comparison:
    return figures.Comparison(
        HELD_OUT,
        showing(draw),
        showing(draw),
        rights=Paired(200, 150),
        changes={"right": Measured(0.02, 0.01, 0.03)},
        lines=tuple(line(draw, category.code) for category in pool),
        flips=tuple(
            figures.Flip(
                str(number + 1),
                draw.choice(list(figures.Change)),
                (draw.choice(pool).code,),
                (draw.choice(pool).code,),
                (),
            )
            for number in range(FLIPS)
        ),
    )


def showing(draw: random.Random) -> figures.Showing:
    shares = [Share(draw.randrange(HELD_OUT), HELD_OUT) for _ in range(5)]
    return figures.Showing(*shares, Measured(0.9, 0.88, 0.92), Measured(0.8, 0.77, 0.83), 0.02)


def line(draw: random.Random, code: str) -> figures.Line:
    return figures.Line(
        code,
        draw.randrange(1, 20),
        figures.KnownTo.BOTH,
        score(draw),
        score(draw),
        Measured(0.02, -0.1, 0.14),
    )


def score(draw: random.Random) -> figures.Score:
    return figures.Score(Share(draw.randrange(11), 10), Share(draw.randrange(11), 10))
