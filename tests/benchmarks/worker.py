"""A process that serves a model: what it holds in memory once it has decided some texts.

python -m tests.benchmarks.worker (ours | peer) MODEL TEXTS.json
"""

import hashlib
import json
import pickle
import resource
import sys
from pathlib import Path

KIBIBYTES_PER_MEGABYTE = 1e6 / 1_024
BATCH = 200


def main(kind: str, model: Path, texts: list[str]) -> dict[str, float]:
    decided = serve_ours(model, texts) if kind == "ours" else serve_peer(model, texts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTES_PER_MEGABYTE
    return {
        "resident_mb": resident_mb() or peak,
        "peak_mb": peak,
        "decided": decided,
        "texts": len(texts),
    }


def serve_ours(model: Path, texts: list[str]) -> int:
    """Import what a Celery worker of the product imports, then decide."""
    import django

    django.setup()
    from classifier.engine.artifact import load
    from classifier.engine.cascade import classify
    from classifier.engine.policy import Policy
    from classifier.engine.rules import RuleBook
    from classifier.engine.taxonomy import Node, Taxonomy
    from classifier.engine.text import Transcript
    from contactreason.celery import app

    app.loader.import_default_modules()
    content = model.read_bytes()
    loaded = load(content, hashlib.sha256(content).hexdigest())
    taxonomy = Taxonomy(tuple(Node(label, label) for label in loaded.labels))
    policy = Policy(taxonomy, loaded.thresholds)
    decided = 0
    for start in range(0, len(texts), BATCH):
        batch = [Transcript.of(text) for text in texts[start : start + BATCH]]
        verdicts = classify(batch, RuleBook(), loaded, policy)
        decided += sum(verdict.primary is not None for verdict in verdicts)
    return decided


def serve_peer(model: Path, texts: list[str]) -> int:
    """Load a pickled pipeline (one that we have just written) and answer."""
    judge = pickle.loads(model.read_bytes())
    for start in range(0, len(texts), BATCH):
        judge.margins(texts[start : start + BATCH])
    return len(texts)


def resident_mb() -> float | None:
    """Return what the process holds now; None where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return float(lines["VmRSS"].split()[0]) / KIBIBYTES_PER_MEGABYTE


if __name__ == "__main__":
    named, model_path, texts_path = sys.argv[1:]
    found = main(named, Path(model_path), json.loads(Path(texts_path).read_text("utf-8")))
    sys.stdout.write(json.dumps(found) + "\n")
