"""Short ways to make rows and values that tests talk about."""

from datetime import UTC, datetime
from functools import cache
from itertools import permutations

from django.contrib.auth.models import User

from classifier.engine import artifact
from classifier.engine.example import Example
from classifier.engine.learning import learn
from classifier.engine.recipe import Recipe
from classifier.engine.text import Speaker, Turn
from classifier.engine.text import Transcript as Words
from classifier.engine.text_model import TextModel
from classifier.engine.verdict import Doubt, Evidence, Ground, Reason, Verdict
from classifier.models import (
    Category,
    GoldLabel,
    KeywordRule,
    ModelArtifact,
    ModelVersion,
    Transcript,
)
from classifier.models.gold_label import Settled
from classifier.models.transcript import digest, to_rows

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


def customer(text: str) -> Turn:
    return Turn(Speaker.CUSTOMER, text)


def representative(text: str) -> Turn:
    return Turn(Speaker.REPRESENTATIVE, text)


def a_category(code: str, label: str = "", parent: Category | None = None) -> Category:
    category, _ = Category.objects.get_or_create(
        code=code,
        defaults={"label": label or code.rsplit(".", maxsplit=1)[-1], "parent": parent},
    )
    return category


def a_transcript(
    thread: str, text: str = "Where is my refund?", **fields: object
) -> Transcript:
    turns = [customer(text)]
    said = {"turns": to_rows(turns), "digest": digest(turns), "customer_digest": digest(turns)}
    return Transcript.objects.create(
        **{"thread": thread, "received_at": NOON, **said, **fields}
    )


def sure_of(*codes: str, score: float = 0.97, ground: Ground = Ground.MODEL) -> Verdict:
    return Verdict(
        tuple(
            Reason(code, score, None, score, ground, (Evidence(code, 0, 0, 5, term="where"),))
            for code in codes
        )
    )


def unsure(*suggestions: str, doubt: Doubt = Doubt.UNSURE) -> Verdict:
    guesses = tuple(Reason(code, 0.3, None, 0.3, Ground.MODEL) for code in suggestions)
    return Verdict(suggestions=guesses, doubt=doubt)


def a_person(name: str = "ada") -> User:
    return User.objects.create_user(name)


def a_rule(name: str, category: Category, any_of: str, **fields: object) -> KeywordRule:
    return KeywordRule.objects.create(
        **{"name": name, "category": category, "any_of": any_of, "is_certain": True, **fields}
    )


TOPICS = {
    "refund": ["money", "refund", "charged", "paid", "invoice", "overcharged", "cash"],
    "delivery": ["parcel", "courier", "delivery", "shipment", "tracking", "arrived", "package"],
    "login": ["password", "login", "account", "locked", "username", "code", "signed"],
}
OPENERS = ("hello about the", "please look at my", "what is with this", "problem with", "")


def gold_words() -> list[Example]:
    """Sentences of a few words each; most have one topic, some two, so that no model is certain."""
    clear = [
        (code, one, other)
        for code, words in TOPICS.items()
        for one, other in permutations(words, 2)
    ]
    mixed = [
        (code, one, other)
        for (code, words), (_, others) in permutations(TOPICS.items(), 2)
        for one, other in zip(words, others[:2], strict=False)
    ]
    return [
        Example(
            Words.of(f"{OPENERS[number % 5]} {one} and {other} thanks"),
            frozenset([code]),
            f"{code}-{one}-{other}",
        )
        for number, (code, one, other) in enumerate(clear + mixed)
    ]


@cache
def a_model() -> TextModel:
    return learn(gold_words(), Recipe(), names={code: code for code in TOPICS})


@cache
def a_model_without(topic: str) -> TextModel:
    """Return a model that never learnt of one topic."""
    known = [each for each in gold_words() if topic not in each.categories]
    return learn(known, Recipe(), names={code: code for code in TOPICS if code != topic})


def gold_labels() -> None:
    """Store ``gold_words`` as gold labels, split by their digests."""
    categories = {code: a_category(code) for code in TOPICS}
    settled = [
        Settled(each.transcript, tuple(categories[code] for code in each.categories))
        for each in gold_words()
    ]
    GoldLabel.objects.keep_all(settled, source="test", at=NOON)


def a_champion(number: int = 1, model: TextModel | None = None) -> ModelVersion:
    """Store a model as the champion, with its categories."""
    for code in TOPICS:
        a_category(code)
    content = artifact.dump(model or a_model(), {"number": number})
    version = ModelVersion.objects.create(
        number=number,
        stage="champion",
        sha256=artifact.digest_of(content),
        size_bytes=len(content),
        created_at=NOON,
    )
    ModelArtifact.objects.create(version=version, content=content)
    return version
