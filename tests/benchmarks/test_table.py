import pytest

from tests.benchmarks import document, published, table
from tests.benchmarks.measures import MEASURES
from tests.benchmarks.rows import ROWS
from tests.benchmarks.table import Bound, Figure, Missing, Results, Row, System, Unit

ACCURACY = Row(
    "accuracy", "m", "Accuracy", Unit.PERCENT, Bound(92.8, 93.5), Bound(94.4), needs="kept"
)
KEPT = Row("kept", "m", "Precision kept", Unit.PERCENT, Bound(95.0), is_promise=True)
TIME = Row("time", "m", "Time", Unit.MICROSECONDS, Bound(aim=100.0), is_higher_better=False)
ROWS_HERE = (ACCURACY, KEPT, TIME)
BY_NAME = {row.name: row for row in ROWS_HERE}


def results_of(**values: float) -> Results:
    results = Results()
    for name, value in values.items():
        results.put(name, System.DEFAULT, value)
    return results


def told(row: Row, results: Results) -> str:
    return table.verdict(row, System.DEFAULT, results, BY_NAME)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (92.7, "misses the floor by 0.1 %"),
        (92.79, "misses the floor by 0.01 %"),
        (92.8, "met, aim missed"),
        (93.5, "met, aim reached"),
    ],
)
def test_a_floor_is_met_or_missed_by_the_exact_figure(value, words):
    assert told(ACCURACY, results_of(accuracy=value, kept=95.0)) == words


def test_a_figure_does_not_count_where_what_it_needs_is_not_met():
    results = results_of(accuracy=99.0, kept=94.9)

    assert told(ACCURACY, results) == "does not count: Precision kept is not met"
    assert "Accuracy (ours, default): 99.0 % does not count: Precision kept is not met." in (
        table.shortfalls(ROWS_HERE, results)
    )


def test_a_row_with_an_aim_alone_says_whether_it_is_reached():
    assert told(TIME, results_of(time=99.0)) == "aim reached"
    assert told(TIME, results_of(time=101.0)) == "aim missed"


def test_where_less_is_better_a_floor_is_what_may_not_be_passed():
    memory = Row("m", "m", "Memory", Unit.MEGABYTES, Bound(150.0), is_higher_better=False)

    assert told(memory, results_of(m=150.0)) == "met"
    assert told(memory, results_of(m=180.0)) == "misses the floor by 30 MB"
    assert told(memory, results_of(m=150.4)) == "misses the floor by 0.4 MB"


def test_what_was_not_measured_is_never_met():
    results = Results()
    results.put("accuracy", System.DEFAULT, Missing("not built yet: encoder"))

    assert told(ACCURACY, results) == "not built yet: encoder"
    assert told(KEPT, results) == "not in this run"


def test_every_figure_below_a_floor_or_a_peer_is_said_in_words():
    results = results_of(accuracy=92.0, kept=96.0, time=300.0)
    results.put("accuracy", System.MINILM, 93.0)
    results.put("accuracy", System.WORDS, 89.0)
    results.put("time", System.FASTTEXT, 70.0)
    results.put("kept", System.WORDS, 99.0)

    assert table.shortfalls(ROWS_HERE, results) == [
        "Accuracy (ours, default): 92.0 % misses the floor by 0.8 % (92.8 %).",
        "Accuracy (ours, default): 92.0 % is worse than MiniLM + LR (93.0 %).",
        "Time (ours, default): 300 µs is worse than fastText (70 µs).",
    ]


def test_a_broken_promise_is_compared_with_the_peers_that_kept_theirs():
    results = results_of(kept=94.0)
    results.put("kept", System.WORDS, 95.5)

    assert table.shortfalls(ROWS_HERE, results)[-1] == (
        "Precision kept (ours, default): 94.0 % is worse than words (95.5 %)."
    )


def test_a_difference_that_nobody_sees_is_none():
    results = results_of(accuracy=92.96, kept=95.0)
    results.put("accuracy", System.MINILM, 92.99)

    assert table.shortfalls(ROWS_HERE, results) == []


def test_the_table_has_a_column_for_everybody_and_shows_demands_and_gaps():
    results = results_of(accuracy=93.0, kept=95.5, time=90.0)
    results.put("accuracy", System.ENCODER, Missing("ENCODER_PATH is not set"))
    results.put("accuracy", System.WORDS, 89.06)

    lines = table.markdown(ROWS_HERE, results).splitlines()

    assert [part.strip() for part in lines[0].split("|")[1:-1]][2:] == [
        *("ours, default", "ours, with encoder", "floor met?"),
        *("words", "words + letters", "fastText", "MiniLM + LR"),
    ]
    assert "≥ 92.8 % (93.5 %) · encoder: ≥ 94.4 %" in lines[2]
    assert "met, aim missed · encoder: ENCODER_PATH is not set" in lines[2]
    assert "89.1 %" in lines[2]
    assert len({line.count("|") for line in lines}) == 1


def test_remarks_name_their_row_and_system():
    results = Results()
    results.put("time", System.DEFAULT, Figure(90.0, "80 to 100 µs in 7 rounds"))

    assert table.notes(ROWS_HERE, results) == ["Time (ours, default): 80 to 100 µs in 7 rounds"]


def test_every_row_has_a_measure_that_brings_it_and_no_two_have_one_name():
    assert {row.measure for row in ROWS} == set(MEASURES)
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.needs for row in ROWS} - {""} <= {row.name for row in ROWS}


def test_the_document_of_a_run_tells_its_gaps_its_sources_and_its_machine():
    results = results_of(**{"banking77-accuracy": 92.0})
    results.seconds["banking77"] = 61.0

    text = document.of(results)

    assert "banking77: accuracy (ours, default): 92.0 % misses the floor by 0.8 %" in text
    assert "- star, customer turns only: micro-F1 (ours, default): not in this run." in text
    assert "| banking77 accuracy | BERT-large, fine-tuned | 93.66 % |" in text
    assert "| banking77 | 77 reasons" in text
    assert "commit " in text


def test_a_published_figure_that_was_not_looked_up_says_so():
    lines = published.markdown().splitlines()[2:]

    assert all(line.endswith(("| yes |", "| no, quoted |")) for line in lines)
    assert any(line.endswith("| no, quoted |") for line in lines)
