"""A process that serves a model: what it holds in memory once it has decided some texts.

python -m tests.benchmarks.worker (worker | engine | peer) MODEL TEXTS.json
"""

import hashlib
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

KIBIBYTES_PER_MEGABYTE = 1e6 / 1_024
BATCH = 200


def main(kind: str, model: Path, texts: list[str]) -> dict[str, float]:
    decide, before = served_by(kind, model.read_bytes())
    for start in range(0, len(texts), BATCH):
        decide(texts[start : start + BATCH])
    return {
        "resident_mb": megabytes("VmRSS"),
        "peak_mb": megabytes("VmHWM"),
        "before_mb": before,
    }


def served_by(kind: str, model: bytes) -> tuple[Callable[[list[str]], object], float]:
    """Return what decides a batch of texts, and what was held before its model was loaded."""
    if kind == "peer":
        judge = pickle.loads(model)  # one that the benchmark has just written
        return judge.margins, megabytes("VmRSS")
    if kind == "worker":
        import_what_a_worker_imports()
    from classifier.engine.artifact import load
    from classifier.engine.cascade import classify
    from classifier.engine.policy import Policy
    from classifier.engine.rules import RuleBook
    from classifier.engine.taxonomy import Node, Taxonomy
    from classifier.engine.text import Transcript

    before = megabytes("VmRSS")
    loaded = load(model, hashlib.sha256(model).hexdigest())
    taxonomy = Taxonomy(tuple(Node(label, label) for label in loaded.labels))
    policy = Policy(taxonomy, loaded.thresholds)
    book = RuleBook()
    return (
        lambda texts: classify([Transcript.of(text) for text in texts], book, loaded, policy),
        before,
    )


def import_what_a_worker_imports() -> None:
    """Load what `python -m contactreason.worker` does: settings, apps, tasks, the way to Redis."""
    import django

    django.setup()
    from contactreason.worker import app

    app.loader.import_default_modules()
    assert app.Worker, "imports the pool and the consumer"
    assert app.connection_for_read().transport, "imports the broker's client"


def megabytes(what: str) -> float:
    """Return what this process holds now (VmRSS) or held at most (VmHWM); Linux only."""
    status = Path("/proc/self/status").read_text()
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return float(lines[what].split()[0]) / KIBIBYTES_PER_MEGABYTE


if __name__ == "__main__":
    named, model_path, texts_path = sys.argv[1:]
    found = main(named, Path(model_path), json.loads(Path(texts_path).read_text("utf-8")))
    sys.stdout.write(json.dumps(found) + "\n")
