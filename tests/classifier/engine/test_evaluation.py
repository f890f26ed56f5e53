"""Promises of the benchmark: what it prints, where thresholds come from, what counts as right."""

import itertools
import json

import numpy as np
import pytest

from classifier.engine.datasets import DatasetInvalid, Record
from classifier.engine.evaluation import (
    Labelled,
    Meters,
    benchmark,
    learnt_with_thresholds,
    peak_rss_mb,
    quality,
)
from classifier.engine.policy import Policy
from classifier.engine.recipe import Recipe
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.thresholds import HeldOut, Thresholds
from classifier.engine.verdict import Doubt, Ground, Reason, Verdict
from tests.classifier.engine.words import examples, outsiders

KEYS = [
    "dataset", "train", "test", "labels", "accuracy", "accuracy_at_threshold", "micro_f1",
    "macro_f1", "ece", "target_precision", "coverage", "precision", "oos_recall", "mcc",
    "mcc_best", "train_seconds", "latency_us", "throughput_per_second", "model_bytes",
    "peak_rss_mb", "engine", "without_twins",
]  # fmt: skip


def records(made, split):
    return [
        Record(f"{split}-{e.key}", e.transcript, tuple((c,) for c in e.categories), split)
        for e in made
    ]


def line(record):
    return json.dumps(
        {
            "id": record.key,
            "text": record.transcript.turns[0].text,
            "labels": [" > ".join(path) for path in record.labels],
            "split": record.split,
        }
    )


@pytest.fixture
def path(tmp_path):
    made = records(examples(30), "train") + records(outsiders(20), "train")
    made += records(examples(4, seed=5), "test") + records(outsiders(6, seed=6), "test")
    file = tmp_path / "shop.jsonl"
    file.write_text("\n".join(map(line, made)), encoding="utf-8")
    return file


def ticking():
    ticks = itertools.count()
    return Meters(clock=lambda: next(ticks) * 0.001, peak_rss_mb=lambda: 123.4)


def test_the_report_has_the_keys_of_the_command_in_one_line(path):
    report = benchmark(path, meters=ticking())

    text = report.to_json()
    found = json.loads(text)
    assert "\n" not in text
    assert list(found) == KEYS
    assert (found["dataset"], found["train"], found["test"], found["labels"]) == (
        "shop",
        140,
        22,
        4,
    )
    assert found["latency_us"] == {"p50": 1000.0, "p99": 1000.0}
    assert (found["throughput_per_second"], found["peak_rss_mb"]) == (22_000.0, 123.4)


def test_an_easy_data_set_is_answered_well(path):
    found = benchmark(path, meters=ticking()).quality

    assert found.accuracy >= 0.9
    assert found.coverage > 0.5
    assert found.precision >= 0.9
    assert found.oos_recall >= 0.5
    assert found.mcc <= found.mcc_best <= 1


def test_the_same_file_gives_the_same_report(path):
    assert benchmark(path, meters=ticking()) == benchmark(path, meters=ticking())


def test_thresholds_come_from_the_validation_split_where_there_is_one():
    train, val = records(examples(12), "train"), records(examples(30, seed=5), "val")
    without = learnt_with_thresholds(Labelled.of("shop", train), Recipe())
    with_val = learnt_with_thresholds(Labelled.of("shop", train + val), Recipe())

    assert with_val.digest == without.digest
    assert with_val.thresholds != without.thresholds


def test_a_file_without_a_test_split_is_refused(tmp_path):
    file = tmp_path / "train.jsonl"
    file.write_text("\n".join(map(line, records(examples(2), "train"))), encoding="utf-8")

    with pytest.raises(DatasetInvalid, match="mark some lines"):
        benchmark(file)


def test_labels_that_only_the_test_split_knows_count_as_missed():
    data = Labelled.of(
        "shop",
        [
            *records(examples(2), "train"),
            Record("t", examples(1)[0].transcript, (("new",),), "test"),
        ],
    )

    (example,) = data.test
    assert example.categories == {"new"}
    assert "new" in data.taxonomy


TREE = Taxonomy.of_paths([("a", "x"), ("a", "y"), ("b",)])
LABELS = ("a.x", "a.y", "b")


def decided(category):
    return Verdict((Reason(category, 0.9, None, 0.9, Ground.MODEL),))


def test_an_ancestor_of_the_true_label_is_right_and_coverage_counts_everybody():
    unseen = HeldOut(
        LABELS,
        np.array([[0.9, 0.1, 0.0], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3]]),
        (frozenset(["a.x"]), frozenset(["a.y"]), frozenset(["a.x"]), frozenset()),
    )
    unsure = Verdict(doubt=Doubt.UNSURE)
    verdicts = [decided("a.x"), decided("a"), decided("b"), unsure]

    found = quality(unseen, verdicts, Policy(TREE, Thresholds(in_scope=0.45)))

    assert (found.coverage, found.precision) == (0.75, pytest.approx(2 / 3))
    assert found.accuracy == pytest.approx(1 / 3)
    assert found.oos_recall == 1.0


def test_at_its_own_threshold_abstentions_and_parents_are_no_true_label():
    shares, true = np.array([[0.9, 0.1, 0.0]] * 3), (frozenset(["a.x"]),) * 3
    verdicts = [decided("a.x"), decided("a"), Verdict(doubt=Doubt.UNSURE)]

    found = quality(HeldOut(LABELS, shares, true), verdicts, Policy(TREE))

    assert (found.accuracy, found.oos_recall) == (1.0, None)
    assert found.accuracy_at_threshold == pytest.approx(1 / 3)
    assert found.precision == 1.0


def test_nothing_covered_has_no_precision():
    unseen = HeldOut(LABELS, np.array([[0.4, 0.3, 0.3]]), (frozenset(["a.x"]),))

    found = quality(unseen, [Verdict(doubt=Doubt.UNSURE)], Policy(TREE))

    assert (found.coverage, found.precision) == (0.0, None)


def test_this_process_holds_some_memory():
    assert 10 < peak_rss_mb() < 100_000
