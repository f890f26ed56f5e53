"""The promise that nothing is lost, put to the real processes of the demo."""

import json
import os
import random
import signal

import pytest

from tests.journeys.processes.running_demo import RunningDemo

pytestmark = [pytest.mark.processes, pytest.mark.timeout(150)]
CASES = 600
WORDS = {
    "parcel": "my parcel never came and the tracking has not moved since it left the depot",
    "refund": "please give me my money back because the jacket I returned arrived weeks ago",
    "login": "I cannot sign in to my account although I asked twice for a new password",
}


def records():
    """Three reasons; every text a different cut of its sentence, so that a model can learn them."""
    seeded = random.Random(7)

    def record(number, split):
        label = list(WORDS)[number % len(WORDS)]
        words = seeded.sample(WORDS[label].split(), 9)
        return {
            "id": f"{split}-{number}",
            "text": f"{label} {' '.join(words)}",
            "labels": [label],
            "split": split,
            "language": "en",
        }

    return [record(n, "train") for n in range(120)] + [record(n, "test") for n in range(CASES)]


@pytest.fixture
def demo(tmp_path):
    demo = RunningDemo(tmp_path, records(), "--exit", "--json", "--port", "8700")
    yield demo
    demo.stop()


def test_no_case_is_lost_or_written_twice_when_worker_and_broker_are_killed(demo):
    demo.wait_until(demo.is_line_up)
    demo.wait_until(lambda: demo.count("classifier_transcript", "purpose='decide'") > 0)
    os.kill(demo.pid("worker"), signal.SIGKILL)
    demo.wait_until(lambda: demo.count("classifier_decision") > 0)
    os.kill(demo.pid("broker"), signal.SIGKILL)
    os.kill(demo.pid("worker"), signal.SIGKILL)

    out, err = demo.process.communicate(timeout=120)

    told = json.loads(out.strip().splitlines()[-1])
    assert demo.process.returncode == 0, err
    assert "The worker had died and was started again." in err
    assert "The broker had died and was started again." in err
    assert (told["cases"], told["lost"], told["failed"]) == (CASES, 0, 0)
    assert told["most_writes_of_a_case"] == 1
    assert told["written"] == CASES
    assert demo.count("classifier_decision") == CASES, "a Case was decided twice"
