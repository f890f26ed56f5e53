"""What a run ran on: the machine, the versions, the day and the commit."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "pyahocorasick"),
    *("fasttext-numpy2-wheel", "onnxruntime", "tokenizers"),
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
KIBIBYTES_PER_GIGABYTE = 1e9 / 1_024


def on_one_thread() -> None:
    """Start this program again with one thread, unless it runs so: libraries read it at import."""
    if any(os.environ.get(name) != "1" for name in THREADS):
        os.environ |= dict.fromkeys(THREADS, "1")
        os.execv(sys.executable, [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]])


def told(measured: str) -> list[str]:
    """Return sentences on when and where a run of the commit ``measured`` ran."""
    return [
        f"Day: {datetime.now(UTC):%Y-%m-%d}, commit {measured}.",
        f"Machine: {processor()}, {os.cpu_count()} cores, {memory_gb()} of memory, {platform.system()};"
        " every measure on one thread.",
        f"Load when this was written: {os.getloadavg()[0]:.1f} (this run itself is 1; where it is well"
        " above, other work ran beside it and the times mean little).",
        f"Python {platform.python_version()}, {', '.join(versions())}.",
    ]


def commit() -> str:
    """Return the short commit, and whether files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    if not head:
        return "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return f"{head} with uncommitted changes" if changed else head


def versions() -> list[str]:
    """Return the versions of what was measured with; packages that are missing are left out."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory_gb() -> str:
    """Return how much memory the machine has."""
    info = Path("/proc/meminfo")
    lines = info.read_text().splitlines() if info.exists() else []
    sizes = [int(line.split()[1]) for line in lines if line.startswith("MemTotal")]
    return f"{sizes[0] / KIBIBYTES_PER_GIGABYTE:.0f} GB" if sizes else "an unknown amount"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
