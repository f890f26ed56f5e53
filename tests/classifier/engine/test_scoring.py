"""Promises of raw scores: one text or many, met before or not, the numbers are the same."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.engine.artifact import digest_of, dump
from classifier.engine.reading import Reading
from classifier.engine.scoring import Scorer
from classifier.engine.text import Speaker, Transcript, Turn

WORDS = [
    "refund",
    "my",
    "my",
    "parcel",
    "is",
    "late",
    "ß",
    "é",
    "卡",
    "12",
    "x" * 90,
    "\x01",
    ".",
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
CONVERSATIONS = st.lists(st.lists(TEXTS, max_size=3), min_size=5, max_size=9)


def scorer_of(model, **room: int) -> Scorer:
    """Return a scorer that has met no word yet."""
    return Scorer(model.features, model.weights, model.scales, model.intercepts, **room)


def readings_of(conversations: list[list[str]]) -> list[Reading]:
    turns = [tuple(Turn(Speaker.CUSTOMER, text) for text in texts) for texts in conversations]
    return [Reading.of(Transcript(said), (Speaker.CUSTOMER,)) for said in turns]


@pytest.mark.parametrize("which", ["model", "several"])
@given(CONVERSATIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_text_scores_alone_what_it_scores_in_a_batch(which, request, conversations):
    scorer = scorer_of(request.getfixturevalue(which))
    readings = readings_of(conversations)

    together = scorer.margins(scorer.parts(readings))

    for reading, expected in zip(readings, together, strict=True):
        alone = scorer.margins(scorer.parts([reading]))[0]
        assert alone == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(CONVERSATIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_scores_do_not_depend_on_what_was_met_before(model, conversations):
    readings = readings_of(conversations)
    experienced = scorer_of(model)
    for reading in reversed(readings):
        experienced.parts([reading])

    expected = scorer_of(model).margins(scorer_of(model).parts(readings))

    found = experienced.margins(experienced.parts(readings))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(CONVERSATIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_scores_are_those_of_the_vectors_that_were_learnt_from(model, conversations):
    readings = readings_of(conversations)
    vectors = model.features.matrix([reading.words() for reading in readings]).toarray()

    found = scorer_of(model).margins(scorer_of(model).parts(readings))

    weights = model.weights * model.scales / model.features.factors[:, None]
    assert found == pytest.approx(vectors @ weights + model.intercepts, rel=1e-4, abs=1e-4)


def test_what_is_remembered_stays_bounded(model):
    scorer = scorer_of(model, room=100_000)
    asked = readings_of([[f"word{number} refund"] for number in range(40)])
    expected = scorer.margins(scorer.parts(asked))

    held = []
    for start in range(0, 20_000, 500):
        strange = " ".join(f"w{number}" for number in range(start, start + 500))
        scorer.parts(readings_of([[strange]]))
        held.append(len(scorer._shelf.ids))

    assert max(held) < 2_000
    assert scorer.margins(scorer.parts(asked)) == pytest.approx(expected, abs=1e-6)


SERVING = r"""
import pathlib, re, sys
from classifier.engine.artifact import load
from classifier.engine.cascade import classify
from classifier.engine.policy import Policy
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text import Transcript
model = load(pathlib.Path(sys.argv[1]).read_bytes(), sys.argv[2])
policy = Policy(Taxonomy(tuple(Node(label, label) for label in model.labels)), model.thresholds)
for start in range(0, 4_000, 200):
    said = [Transcript.of(f"où est ma carte {n}, {n * 7}") for n in range(start, start + 200)]
    classify(said, RuleBook(), model, policy)
status = pathlib.Path("/proc/self/status").read_text()
print("sklearn" in sys.modules, re.search(r"VmHWM:\s+(\d+)", status)[1])
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells the most memory so far"
)
def test_a_process_that_serves_holds_little_and_imports_no_learning_machine(model, tmp_path):
    content = dump(model)
    path = tmp_path / "model"
    path.write_bytes(content)

    told = subprocess.run(
        [sys.executable, "-c", SERVING, str(path), digest_of(content)],
        capture_output=True,
        text=True,
        check=True,
    )

    imports, kilobytes = told.stdout.split()
    assert imports == "False"
    assert int(kilobytes) <= 150_000
