"""How much memory and time a training stream takes; run by hand, alone in its process.

python -m tests.benchmarks.bench_stream FILE --conversations 100000

The file's training conversations are said again and again, each time with other words in places
(one in eight is another word of the file), one by one: nothing but the file is held in memory. What
was learnt is measured on the file's test split. Memory is that of the whole process.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from classifier.engine.artifact import dump
from classifier.engine.datasets import read_records
from classifier.engine.evaluation import Labelled, dataset_name, held_out, peak_rss_mb
from classifier.engine.example import Example
from classifier.engine.metrics import micro_f1
from classifier.engine.recipe import Recipe
from classifier.engine.streaming import learn_from_stream
from classifier.engine.text import Transcript, Turn

OTHER_WORDS = 0.125
LEAST_BYTES = 900
SEED = 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--scratch", type=Path, default=None)
    options = parser.parse_args()

    data = Labelled.of(dataset_name(options.file), list(read_records(options.file)))
    vocabulary = sorted({word for example in data.train for word in words(example)})
    stages: dict[str, float] = {}
    before = peak_rss_mb()
    begun = time.perf_counter()

    def tell(doing: str, share: float) -> None:
        stages.setdefault(doing, time.perf_counter() - begun)
        if doing == "reading" and round(share * 1_000) % 50 == 0:
            print(
                f"{doing} {share:.0%}, {time.perf_counter() - begun:.0f} s, {peak_rss_mb():.0f} MB",
                file=sys.stderr,
            )

    learned = learn_from_stream(
        lambda: said_again(data.train, vocabulary, options.conversations),
        Recipe(),
        scratch=options.scratch,
        on_progress=tell,
    )
    seconds, peak = time.perf_counter() - begun, peak_rss_mb()
    unseen = held_out(learned.model, data.test)
    right = [a in t for a, t in zip(unseen.answers, unseen.truths, strict=True)]
    said = unseen.probabilities >= learned.model.thresholds.confirms
    some = list(islice(said_again(data.train, vocabulary, 1_000), 1_000))
    print(
        json.dumps(
            {
                "conversations": options.conversations,
                "bytes_each": round(float(np.mean([size(example) for example in some]))),
                "labels": len(learned.model.labels),
                "features": len(learned.model.features),
                "peak_rss_mb": round(peak),
                "rss_before_mb": round(before),
                "seconds": round(seconds),
                "stage_began_at": {name: round(at) for name, at in stages.items()},
                "test_accuracy": round(float(np.mean(right)), 4),
                "test_micro_f1": round(micro_f1(said, unseen.truth_table()), 4),
                "model_bytes": len(dump(learned.model)),
            }
        )
    )
    return 0


def said_again(
    examples: Sequence[Example], vocabulary: Sequence[str], count: int
) -> Iterator[Example]:
    """Yield ``count`` conversations, each another variation of an example; the same each time."""
    chance = random.Random(SEED)
    for number, example in enumerate(islice(cycle(examples), count)):
        turns = tuple(varied(turn, vocabulary, chance) for turn in example.transcript.turns)
        while 0 < sum(len(turn.text) for turn in turns) < LEAST_BYTES:
            turns += turns
        yield Example(Transcript(turns), example.categories, f"{number:08}")


def varied(turn: Turn, vocabulary: Sequence[str], chance: random.Random) -> Turn:
    said = turn.text.split()
    for _ in range(int(OTHER_WORDS * len(said) + chance.random())):
        place = int(chance.random() * len(said))
        said[place] = vocabulary[int(chance.random() * len(vocabulary))]
    return replace(turn, text=" ".join(said))


def words(example: Example) -> list[str]:
    return [word for turn in example.transcript.turns for word in turn.text.split()]


def size(example: Example) -> int:
    return sum(len(turn.text.encode()) for turn in example.transcript.turns)


if __name__ == "__main__":
    sys.exit(main())
