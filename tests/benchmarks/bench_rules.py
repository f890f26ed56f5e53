"""How many conversations a second one core matches against a rule book; run by hand.

python -m tests.benchmarks.bench_rules --data ../shared/data

Rules are phrases of one to three words, drawn from the training conversations of star, matched
with its test conversations; without the data, made-up words. ``phrase_speed`` tells the same
beside pyahocorasick with a look at both borders of all it finds, in one and the same run: the
two take turns, so that a busy machine is as busy for both.
"""

import argparse
import gc
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ahocorasick

from classifier.engine.datasets import read_records
from classifier.engine.folding import Folded, fold, is_word_border
from classifier.engine.grammar import Condition
from classifier.engine.rulelang import parse
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.text import Speaker, Transcript, Turn

SEED = 7
RULES = 10_000
CONVERSATIONS = 1_000
ROUNDS = 7
VOCABULARY = 20_000
TURNS, TURN_CHARACTERS = 6, 150  # 0.9 kB in all, as in the published comparison of engines
CONSONANTS, VOWELS = "bcdfghjklmnprstvw", "aeiou"
LANGUAGE = [
    '"{0}" and not "{1}"',
    'near("{0}", "{1}", 5)',
    'all("{0}", "{1}") in one sentence',
    'fuzzy("{2}")',
    'regex("{0} \\\\d+")',
    '"{0}" by representative before "{1}"',
    'number(10..100, "{0}")',
]
"""Rules of the whole language; ``{2}`` is a word of eight letters or more."""


@dataclass(frozen=True, slots=True)
class PhraseSpeed:
    """Conversations a second on one core: the fastest of several rounds."""

    matched: float
    """By the rule book: folding, borders, positions, speakers, hits with spans."""
    plain: float
    """By pyahocorasick with a look at the borders of what it finds; folded before."""
    hits: float
    """Rules that hold, per conversation."""

    @property
    def ratio(self) -> float:
        """How many times as fast as the plain way."""
        return self.matched / self.plain


def phrase_speed(transcripts: Sequence[Transcript], phrases: Sequence[str]) -> PhraseSpeed:
    """Return how fast one rule for each phrase is matched, whoever says it."""
    book = RuleBook(
        Rule(f"rule {number}", f"category_{number % 50}", Condition((phrase,), speaker=None))
        for number, phrase in enumerate(phrases)
    )
    folded = [[fold(turn.text) for turn in each.turns] for each in transcripts]
    automaton = plain_automaton(phrases)
    hits = book.match_all(transcripts)
    found = sum(len(set(plain_hits(automaton, each))) for each in folded)
    if sum(map(len, hits)) != found:
        raise AssertionError(f"{sum(map(len, hits))} hits, the plain way has {found}")
    best = fastest(
        lambda: book.match_all(transcripts),
        lambda: [list(plain_hits(automaton, each)) for each in folded],
    )
    matched, plain = (len(transcripts) / seconds for seconds in best)
    return PhraseSpeed(matched, plain, found / len(transcripts))


def fastest(*works: Callable[[], object]) -> list[float]:
    """Return the shortest of several rounds for each work, in seconds; they take turns.

    Processor time, so that what else the machine does counts as little as can be; as in timeit
    nothing is searched for garbage meanwhile.
    """
    best = [float("inf")] * len(works)
    gc.collect()
    gc.disable()
    for _ in range(ROUNDS):
        for number, work in enumerate(works):
            begun = time.process_time()
            work()
            best[number] = min(best[number], time.process_time() - begun)
    gc.enable()
    return best


def plain_automaton(phrases: Sequence[str]) -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for number, phrase in enumerate(phrases):
        automaton.add_word(phrase, (number, len(phrase)))
    automaton.make_automaton()
    return automaton


def plain_hits(automaton: ahocorasick.Automaton, turns: Sequence[Folded]) -> Iterator[int]:
    for turn in turns:
        text = turn.text
        for last, (number, length) in automaton.iter(text):
            if is_word_border(text, last + 1 - length) and is_word_border(text, last + 1):
                yield number


def of_star(data: Path) -> tuple[list[Transcript], list[str]]:
    """Return test conversations of star, and phrases drawn from its training ones."""
    records = list(read_records(data / "star.jsonl.gz"))
    phrases: set[str] = set()
    for record in records:
        if record.split == "train":
            for turn in record.transcript.turns:
                words = "".join(
                    char if char.isalnum() or char == " " else " "
                    for char in fold(turn.text).text
                ).split()
                for length in (1, 2, 3):
                    for at in range(len(words) - length + 1):
                        phrases.add(" ".join(words[at : at + length]))
    drawn = sorted(phrases)
    random.Random(SEED).shuffle(drawn)
    tests = [record.transcript for record in records if record.split == "test"]
    return tests[:CONVERSATIONS], drawn[:RULES]


def made_up() -> tuple[list[Transcript], list[str]]:
    chance = random.Random(SEED)
    vocabulary = made_words(chance)
    texts = [made_turn(chance, vocabulary) for _ in range(CONVERSATIONS * TURNS)]
    turns = [Turn(Speaker.CUSTOMER, text) for text in texts]
    phrases = {
        " ".join(chance.choice(vocabulary) for _ in range(chance.randint(1, 3)))
        for _ in range(RULES)
    }
    return (
        [Transcript(tuple(turns[at : at + TURNS])) for at in range(0, len(turns), TURNS)],
        sorted(phrases),
    )


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


def language_book(phrases: Sequence[str]) -> RuleBook:
    """Return as many rules of the whole language as there are phrases."""
    long = [phrase for phrase in phrases if len(phrase) >= 8]
    return RuleBook(
        Rule(
            f"rule {number}",
            "category",
            parse(
                LANGUAGE[number % len(LANGUAGE)].format(
                    phrase, phrases[number - 1], long[number % len(long)][:60].strip()
                )
            ),
        )
        for number, phrase in enumerate(phrases)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the data sets")
    data = parser.parse_args().data
    transcripts, phrases = of_star(data) if data else made_up()
    for count in (RULES // 10, RULES):
        speed = phrase_speed(transcripts, phrases[:count])
        tell(f"{count:,} phrase rules, {speed.hits:.1f} hits a conversation:")
        tell_speed("folded and matched", speed.matched)
        tell_speed("pyahocorasick + borders, folded before", speed.plain)
        tell(f"  {speed.ratio:.1f} times as fast as the plain way")
    for count in (RULES // 100, RULES // 10):
        book = language_book(phrases[:count])
        (seconds,) = fastest(lambda: book.match_all(transcripts))  # noqa: B023  called at once
        tell_speed(
            f"{count:,} rules of all kinds, folded and matched", len(transcripts) / seconds
        )
    begun = time.process_time()
    RuleBook(Rule(f"{n}", "c", Condition((phrase,))) for n, phrase in enumerate(phrases))
    tell(f"{len(phrases):,} phrase rules are compiled in {time.process_time() - begun:.2f} s")


def tell_speed(name: str, each_second: float) -> None:
    tell(f"  {name}: {each_second:,.0f} conversations/s, {1e6 / each_second:.1f} µs each")


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
