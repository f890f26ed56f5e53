import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.classifier.making import gold_words

KEYS = [
    "dataset",
    "train",
    "test",
    "labels",
    "accuracy",
    "accuracy_at_threshold",
    "micro_f1",
    "macro_f1",
    "ece",
    "target_precision",
    "coverage",
    "precision",
    "oos_recall",
    "mcc",
    "mcc_best",
    "train_seconds",
    "latency_us",
    "throughput_per_second",
    "model_bytes",
    "peak_rss_mb",
    "engine",
    "without_twins",
]


@pytest.fixture
def data(tmp_path) -> Path:
    rows = [
        {
            "text": example.transcript.turns[0].text,
            "labels": sorted(example.categories),
            "split": "test" if number % 4 == 0 else "train",
        }
        for number, example in enumerate(gold_words())
    ]
    path = tmp_path / "topics.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


# No database mark: pytest-django fails a test that touches the database without one.
def test_the_figures_are_told_without_touching_the_database(data):
    out = StringIO()

    call_command("benchmark", str(data), "--json", stdout=out, stderr=StringIO())

    figures = json.loads(out.getvalue().splitlines()[-1])
    assert list(figures) == KEYS
    assert (figures["dataset"], figures["labels"]) == ("topics", 3)
    assert figures["accuracy"] > 0.7
    assert set(figures["latency_us"]) == {"p50", "p99"}


def test_misheard_words_and_joined_calls_are_measured_when_asked_for(data):
    out = StringIO()

    call_command(
        "benchmark",
        str(data),
        "--noise=0.15",
        "--join=3",
        "--json",
        stdout=out,
        stderr=StringIO(),
    )

    figures = json.loads(out.getvalue().splitlines()[-1])
    assert figures["misheard"]["share_of_words"] == 0.15
    assert (figures["joined_calls"]["parts"], figures["joined_calls"]["any_right"]) == (3, 1.0)


@pytest.mark.parametrize("option", ["--noise=2", "--noise=much", "--join=1", "--join=x"])
def test_an_option_that_makes_no_sense_is_told(data, option):
    with pytest.raises(CommandError, match="give a number"):
        call_command("benchmark", str(data), option)


def test_people_get_a_table(data):
    out = StringIO()

    call_command("benchmark", str(data), stdout=out, stderr=StringIO())

    lines = dict(line.split(None, 1) for line in out.getvalue().splitlines())
    assert lines["dataset"] == "topics"
    assert lines["oos_recall"] == "–"


def test_a_file_of_rules_is_measured_alone_and_with_the_model(data, tmp_path):
    rules = tmp_path / "rules.json"
    topic = min(gold_words()[0].categories)
    found = [{"name": "one", "category": topic, "any_of": ["thanks"]}]
    rules.write_text(json.dumps({"rules": found}), encoding="utf-8")
    out = StringIO()

    call_command(
        "benchmark", str(data), "--rules", str(rules), "--json", stdout=out, stderr=StringIO()
    )

    figures = json.loads(out.getvalue().splitlines()[-1])
    assert list(figures)[: len(KEYS)] == KEYS
    assert {"rules_only", "model_only", "hybrid", "gain_in_coverage"} <= set(figures)
    assert figures["model_only"]["coverage"] == figures["coverage"]
    assert figures["rules"] == 1


def test_a_wrong_file_of_rules_is_told_in_a_sentence(data, tmp_path):
    rules = tmp_path / "rules.json"
    rules.write_text('{"rules": [{"name": "one", "category": "rain"}]}')

    with pytest.raises(CommandError, match="there is no category “rain”"):
        call_command("benchmark", str(data), "--rules", str(rules), stderr=StringIO())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nonsense", "line 1: not JSON"),
        ('{"text": "a", "labels": ["A"]}', 'no line has the split "test"'),
        ('{"text": "a", "labels": ["A"], "split": "test"}', "have a labelled conversation"),
    ],
)
def test_a_file_that_cannot_be_measured_on_is_told_in_a_sentence(tmp_path, content, reason):
    path = tmp_path / "data.jsonl"
    path.write_text(content)

    with pytest.raises(CommandError, match=reason):
        call_command("benchmark", str(path))


def test_a_share_out_of_scope_may_be_assumed(data):
    out = StringIO()

    call_command("benchmark", str(data), "--oos-share", "0.5", "--json", stdout=out)

    assumed = json.loads(out.getvalue())
    out = StringIO()
    call_command("benchmark", str(data), "--json", stdout=out)
    assert assumed["coverage"] <= json.loads(out.getvalue())["coverage"]
