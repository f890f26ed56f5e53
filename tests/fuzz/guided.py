"""Coverage-guided runs: atheris in a process of its own, for libFuzzer never gives control back.

``python -m tests.fuzz.guided TARGET [libFuzzer's options]`` is that process.
"""

import random
import re
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.run import Outcome


SEEDS = 300  # texts that it begins with
LONGEST = 4_096  # bytes of an input
MEMORY_MB = 3_000  # more ends the run as a crash
_INPUTS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_SLOWEST = re.compile(r"stat::slowest_unit_time_sec:\s*(\d+)")
_DONE = re.compile(r"Done (\d+) in (\d+) second")


def run(name: str, *, count: int, seed: int, until: float) -> "Outcome":
    """Let atheris try ``count`` inputs on a target, or fewer where ``until`` comes first."""
    from tests.fuzz.run import Outcome
    from tests.fuzz.targets import TARGETS

    if find_spec("atheris") is None:
        sys.exit("atheris is not installed: it is in requirements-dev.txt, for Linux only")
    outcome = Outcome(name, count)
    seconds = int(min(until - time.monotonic(), 10**6))
    if seconds <= 0:
        return outcome
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        chance = random.Random(seed)
        for number in range(SEEDS):
            Path(corpus, f"{number:04}").write_bytes(TARGETS[name].made(chance))
        command = [
            *(sys.executable, "-m", "tests.fuzz.guided", name, str(corpus)),
            *(f"-runs={count}", f"-max_total_time={seconds}", f"-seed={seed}"),
            *(f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY_MB}", "-timeout=20"),
            *("-print_final_stats=1", f"-artifact_prefix={folder}/"),
        ]
        began = time.monotonic()
        child = subprocess.run(command, capture_output=True, check=False)
        outcome.seconds = time.monotonic() - began
        said = (child.stdout + child.stderr).decode("utf-8", "replace")
        outcome.inputs = _number(_INPUTS, said) or _number(_DONE, said)
        outcome.slowest_seconds = _number(_SLOWEST, said)
        if child.returncode != 0:
            outcome.crashed = 1
            found = [one.read_bytes() for one in Path(folder).iterdir() if one.is_file()]
            outcome.crashes.append(f"{name}: {found!r}\n{said[-3_000:]}")
    return outcome


def _number(pattern: "re.Pattern[str]", said: str) -> int:
    found = pattern.search(said)
    return int(found[1]) if found else 0


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["classifier.engine"]):
        from tests.fuzz.targets import TARGETS

    target = TARGETS[sys.argv[1]].read
    target(b"my parcel is late")  # trains the model before the clock runs
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
