"""Conversations made from phrases, so that the engine's tests have something to learn from."""

import random

from classifier.engine.example import Example
from classifier.engine.text import Speaker, Transcript, Turn

OPENINGS = ("hello", "good morning", "hi there", "excuse me", "dear team", "please help")
ENDINGS = (
    "thanks",
    "as soon as you can",
    "what now",
    "it is urgent",
    "I look forward to hearing",
)
PHRASES = {
    "billing.refund": (
        "I want my money back",
        "please refund the payment",
        "the refund has not arrived",
        "you owe me a refund for the shoes",
    ),
    "billing.invoice": (
        "I need a copy of the invoice",
        "the invoice shows a wrong amount",
        "where do I find last month's bill",
        "my bill is higher than agreed",
    ),
    "delivery.late": (
        "my parcel is late",
        "the delivery should have come on Monday",
        "where is my parcel",
        "the courier never showed up",
    ),
    "account.password": (
        "I cannot sign in",
        "my password does not work",
        "I forgot my password",
        "the sign in page locks me out",
    ),
}
NAMES = {
    "billing": "Billing",
    "billing.refund": "Refund",
    "billing.invoice": "Invoice",
    "delivery": "Delivery",
    "delivery.late": "Late delivery",
    "account": "Account",
    "account.password": "Password",
}


def sentence(category: str, chance: random.Random) -> str:
    """Return one of the category's phrases between an opening and an ending."""
    parts = (chance.choice(OPENINGS), chance.choice(PHRASES[category]), chance.choice(ENDINGS))
    return ", ".join(parts)


def examples(each: int = 20, seed: int = 1) -> list[Example]:
    """Return ``each`` examples of every category, one category each."""
    chance = random.Random(seed)
    return [
        Example(
            Transcript.of(f"{sentence(category, chance)} {number}"),
            frozenset([category]),
            f"{category}-{number}",
        )
        for category in PHRASES
        for number in range(each)
    ]


def examples_with_several(count: int = 160, seed: int = 1) -> list[Example]:
    """Return conversations of one or two reasons, with a representative who says little."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        chosen = chance.sample(sorted(PHRASES), chance.choice((1, 2)))
        turns = [Turn(Speaker.CUSTOMER, sentence(category, chance)) for category in chosen]
        turns.insert(1, Turn(Speaker.REPRESENTATIVE, "May I have your name?"))
        made.append(Example(Transcript(tuple(turns)), frozenset(chosen), f"{number:04}"))
    return made


def outsiders(count: int = 30, seed: int = 2) -> list[Example]:
    """Return conversations about none of the categories."""
    chance = random.Random(seed)
    topics = ("the weather is lovely", "do you sing", "who won the match", "tell me a joke")
    return [
        Example(
            Transcript.of(f"{chance.choice(OPENINGS)}, {chance.choice(topics)} {number}"),
            frozenset(),
            f"outsider-{number}",
        )
        for number in range(count)
    ]
