"""How many conversations a second one core matches against a rule book; run by hand.

python -m tests.benchmarks.bench_rules
"""

import random
import sys
import time
from collections.abc import Callable

from classifier.engine.folding import fold
from classifier.engine.grammar import Condition
from classifier.engine.redaction import redact_all
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.text import Speaker, Transcript, Turn

SEED = 7
VOCABULARY = 20_000
CONVERSATIONS = 2_000
TURNS, TURN_CHARACTERS = 6, 150  # 0.9 kB in all, as in the published comparison of engines
CONSONANTS, VOWELS = "bcdfghjklmnprstvw", "aeiou"


def main() -> None:
    chance = random.Random(SEED)
    vocabulary = made_words(chance)
    texts = [made_turn(chance, vocabulary) for _ in range(CONVERSATIONS * TURNS)]
    by_customer = conversations(texts, [Speaker.CUSTOMER])
    by_both = conversations(texts, [Speaker.CUSTOMER, Speaker.REPRESENTATIVE])
    for count in (1_000, 10_000):
        begun = time.perf_counter()
        book = RuleBook(made_rule(chance, vocabulary, number) for number in range(count))
        tell(f"{count:,} rules: compiled in {time.perf_counter() - begun:.2f} s")
        measure("fold and match, all said by the customer", book.match_all, by_customer)
        measure("fold and match, half said by the customer", book.match_all, by_both)
        folded = [[fold(turn.text) for turn in each.turns] for each in by_customer]
        measure(
            "match only, folded before",
            lambda all_: list(map(book.match_folded, all_, folded)),  # noqa: B023  called at once
            by_customer,
        )
        hits = sum(map(len, book.match_all(by_customer))) / CONVERSATIONS
        tell(f"  {hits:.2f} hits a conversation")
    measure(
        "fold only",
        lambda all_: [[fold(t.text) for t in each.turns] for each in all_],
        by_customer,
    )
    measure("redact", lambda all_: [redact_all(each) for each in all_], by_customer)


def measure(
    name: str, work: Callable[[list[Transcript]], object], transcripts: list[Transcript]
) -> None:
    best = min(seconds(work, transcripts) for _ in range(3))
    each = best / len(transcripts)
    tell(f"  {name}: {1 / each:,.0f} conversations/s, {each * 1e6:.1f} µs each")


def seconds(work: Callable[[list[Transcript]], object], transcripts: list[Transcript]) -> float:
    begun = time.perf_counter()
    work(transcripts)
    return time.perf_counter() - begun


def made_words(chance: random.Random) -> list[str]:
    """Return words of two to four syllables: as seldom within one another as real ones are."""
    syllables = [a + b + c for a in CONSONANTS for b in VOWELS for c in ("", *"nrslt")]
    return [
        "".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(VOCABULARY)
    ]


def made_turn(chance: random.Random, vocabulary: list[str]) -> str:
    """Return a turn whose words are as unevenly common as in real language (Zipf)."""
    text = ""
    while len(text) < TURN_CHARACTERS:
        text += vocabulary[int(len(vocabulary) ** chance.random()) - 1] + " "
    return text.strip().capitalize() + "."


def made_rule(chance: random.Random, vocabulary: list[str], number: int) -> Rule:
    """Return a rule of one phrase of one to three words; its words are seldom common ones."""
    words = (chance.choice(vocabulary) for _ in range(chance.randint(1, 3)))
    return Rule(f"rule {number}", f"category_{number % 50}", Condition((" ".join(words),)))


def conversations(texts: list[str], speakers: list[Speaker]) -> list[Transcript]:
    turns = [Turn(speakers[place % len(speakers)], text) for place, text in enumerate(texts)]
    return [Transcript(tuple(turns[at : at + TURNS])) for at in range(0, len(turns), TURNS)]


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
