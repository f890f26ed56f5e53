"""Promises of a run that is cut and goes on."""

from tests.benchmarks.keeping import keep, taken_up
from tests.benchmarks.table import Figure, Missing, Results, System


def kept() -> Results:
    results = Results(commit="abc", seconds={"star": 3.5})
    results.put("star-f1", System.DEFAULT, Figure(98.25, "told"))
    results.put("star-f1", System.ENCODER, Missing("not built"))
    return results


def test_what_was_measured_is_taken_up_by_a_later_run_of_the_same_commit(tmp_path):
    keep(kept(), tmp_path / "run.json")

    assert taken_up(tmp_path / "run.json", "abc") == kept()


def test_figures_of_another_commit_are_left(tmp_path):
    keep(kept(), tmp_path / "run.json")

    assert taken_up(tmp_path / "run.json", "def") == Results(commit="def")


def test_a_first_run_has_nothing_to_take_up(tmp_path):
    assert taken_up(tmp_path / "run.json", "abc") == Results(commit="abc")
