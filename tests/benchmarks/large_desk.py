"""The database of a large service desk: 100,000 Cases, 1,000 categories, and all that hangs on them."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from classifier.models import (
    Category,
    Decision,
    DecisionReason,
    Feedback,
    GoldLabel,
    GoldReason,
    KeywordRule,
    ModelVersion,
    Prediction,
    Review,
    Transcript,
)
from sfsync.models import CaseLink, CategoryMapping, WriteBack
from tests import factories as make
from tests.benchmarks.large_models import model_versions

SEED = 7
TOPS, LEAVES = 40, 24  # 40 + 40 × 24 = 1,000 categories
CASES = 100_000
PORTION = 2_000
RULES = 2_000
WEEKS = 52
SENTENCE = (
    "my parcel refund card late please account order invoice charged twice help still waiting"
    " cannot sign in app crashes cancel subscription wrong item broken today again why"
)
WORDS = SENTENCE.split()
CHANNELS = ["email", "chat", "voice", "messaging", "web"]
LANGUAGES = ["en", "es", "zh-Hant", "zh-Hans"]
QUEUES = [f"Queue {number}" for number in range(30)]
PRODUCTS = [f"Product {number}" for number in range(200)]


def fill(draw: random.Random) -> Iterator[str]:
    """Fill an empty, migrated database; yield what was made, for people who wait."""
    pool = categories()
    yield f"{len(pool):,} categories"
    rules(draw, pool)
    yield f"{RULES:,} keyword rules"
    versions = model_versions(draw, pool)
    yield f"{len(versions)} model versions"
    for begin in range(0, CASES, PORTION):
        portion(draw, range(begin, begin + PORTION), pool, versions[-1])
    yield f"{CASES:,} Cases"


def categories() -> list[Category]:
    tops = [make.make_category(f"Top {number}") for number in range(TOPS)]
    leaves = Category.objects.bulk_create(
        Category(
            label=f"Leaf {n}", parent=top, code=f"{top.code}.leaf_{n}", guideline="What it is."
        )
        for top in tops
        for n in range(LEAVES)
    )
    CategoryMapping.objects.bulk_create(
        CategoryMapping(category=leaf, value=f"Value {leaf.pk}") for leaf in leaves
    )
    return [*tops, *leaves]


def rules(draw: random.Random, pool: list[Category]) -> None:
    KeywordRule.objects.bulk_create(
        KeywordRule(
            name=f"Rule {number}",
            category=draw.choice(pool),
            any_of="\n".join(f"{draw.choice(WORDS)} {number}-{n}" for n in range(5)),
        )
        for number in range(RULES)
    )


def portion(
    draw: random.Random, numbers: range, pool: list[Category], version: ModelVersion
) -> None:
    now = timezone.now()
    moments = [now - timedelta(days=draw.random() * 7 * WEEKS) for _ in numbers]
    transcripts = Transcript.objects.bulk_create(
        transcript(draw, number, at) for number, at in zip(numbers, moments, strict=True)
    )
    decisions = Decision.objects.bulk_create(
        decision(draw, words, pool, version) for words in transcripts
    )
    DecisionReason.objects.bulk_create(
        reason(draw, one, category, rank)
        for one in decisions
        if one.category is not None
        for rank, category in enumerate(
            [one.category, *draw.sample(pool, draw.choice((0, 0, 1)))]
        )
    )
    Prediction.objects.bulk_create(
        Prediction(
            transcript=words,
            model_version=version,
            probabilities={each.code: 0.1 for each in draw.sample(pool, 10)},
            predicted_at=words.received_at,
        )
        for words in transcripts
    )
    links = CaseLink.objects.bulk_create(
        CaseLink(
            case_id=words.thread,
            case_number=f"{number:08d}",
            origin=words.channel,
            status="Closed",
            queue=words.queue,
            read_at=words.received_at,
            case_created_at=words.contacted_at,
        )
        for number, words in zip(numbers, transcripts, strict=True)
    )
    WriteBack.objects.bulk_create(
        WriteBack(
            case_link=link,
            decision=one,
            fields={"Contact_Reason__c": one.category.code if one.category else None},
            staged_at=one.decided_at,
            ended_at=one.decided_at,
            outcome="delivered",
        )
        for link, one in zip(links, decisions, strict=True)
    )
    words_of_people(draw, decisions, pool)


def words_of_people(
    draw: random.Random, decisions: list[Decision], pool: list[Category]
) -> None:
    Feedback.objects.bulk_create(
        Feedback(
            thread=one.thread,
            transcript=one.transcript,
            decision=one,
            verdict="corrected",
            category=draw.choice(pool),
            source=draw.choice(["desk", "salesforce"]),
            person=f"person{draw.randrange(200)}",
            said_at=one.decided_at,
            settled_at=one.decided_at,
        )
        for one in decisions[::5]
    )
    labels = GoldLabel.objects.bulk_create(
        GoldLabel(
            transcript=one.transcript,
            thread=one.thread,
            split="test" if draw.random() < 0.15 else "train",
            source="people",
            settled_at=one.decided_at,
        )
        for one in decisions[::5]
    )
    GoldReason.objects.bulk_create(
        GoldReason(gold_label=label, category=draw.choice(pool), rank=0) for label in labels
    )
    Review.objects.bulk_create(
        Review(
            thread=one.thread,
            transcript=one.transcript,
            decision=one,
            kind="unsure",
            importance=draw.choice((0, 10, 20)),
            queue=one.queue,
            opened_at=one.decided_at,
        )
        for one in decisions
        if one.category is None
    )


def transcript(draw: random.Random, number: int, at: datetime) -> Transcript:
    turns = [
        make.turn(" ".join(draw.choices(WORDS, k=40)), speaker, at)
        for speaker in ("customer", "representative", "customer")
    ]
    return Transcript(
        thread=make.case_id(number),
        turns=turns,
        digest=f"{number:064d}",
        customer_digest=f"{number:064d}",
        channel=draw.choice(CHANNELS),
        language=draw.choice(LANGUAGES),
        product=draw.choice(PRODUCTS),
        queue=draw.choice(QUEUES),
        team=draw.choice(QUEUES),
        contacted_at=at,
        received_at=at,
        decided_at=at,
    )


def decision(
    draw: random.Random, words: Transcript, pool: list[Category], version: ModelVersion
) -> Decision:
    waits = draw.random() < 0.1
    return Decision(
        thread=words.thread,
        transcript=words,
        category=None if waits else draw.choice(pool),
        source="nobody" if waits else draw.choice(["rules", "model", "both"]),
        doubt="unsure" if waits else "",
        confidence=None if waits else draw.random(),
        model_version=version,
        decided_at=words.received_at,
        staged_at=words.received_at,
        **words.facets,
    )


def reason(draw: random.Random, one: Decision, category: Category, rank: int) -> DecisionReason:
    span = {"turn": 0, "start": 0, "end": 9, "term": draw.choice(WORDS), "weight": 1.2}
    return DecisionReason(
        decision=one, category=category, rank=rank, score=0.9, ground="model", evidence=[span]
    )
