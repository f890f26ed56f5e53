"""Which expansions of the labelled examples help, out-of-fold on a train split; run by hand.

python -m tests.benchmarks.bench_expansions FILE [--most 1500]

Test splits are not read. For self-training a fifth of the examples keeps its labels.
"""

import argparse
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

from classifier.engine.augmenting import Copy
from classifier.engine.datasets import read_records
from classifier.engine.evaluation import Labelled, dataset_name
from classifier.engine.example import Example
from classifier.engine.expanding import Gain, gain, self_teaching
from classifier.engine.recipe import Recipe

KEPT = 0.2
FOLDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--most", type=int, default=1_500, help="examples at most")
    options = parser.parse_args()

    data = Labelled.of(dataset_name(options.file), list(read_records(options.file)))
    examples = sorted(data.train, key=drawn)[: options.most]
    names = {node.code: data.taxonomy.label(node.code) for node in data.taxonomy}
    recipe = Recipe(folds=FOLDS)
    print(f"{data.name}: {len(examples)} of {len(data.train)} training texts", flush=True)
    for kind in Copy:
        found = gain(
            examples,
            recipe,
            expanded=replace(recipe, copies=(kind,)),
            names=names,
            taxonomy=data.taxonomy,
        )
        tell(f"copies {kind}", found)
    for balance in (0.5, 1.0):
        found = gain(
            examples,
            recipe,
            expanded=replace(recipe, balance=balance),
            names=names,
            taxonomy=data.taxonomy,
        )
        tell(f"balance {balance}", found)
    kept = examples[: round(KEPT * len(examples))]
    rest = [replace(each, categories=frozenset()) for each in examples[len(kept) :]]
    further = self_teaching(rest, recipe, names=names, taxonomy=data.taxonomy)
    found = gain(kept, recipe, further=further, names=names, taxonomy=data.taxonomy)
    tell(f"self-training, {len(kept)} labelled, {len(rest)} not", found)
    return 0


def drawn(example: Example) -> str:
    return hashlib.sha256(example.key.encode()).hexdigest()


def tell(name: str, found: Gain) -> None:
    print(f"  {name}: {found.words}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
