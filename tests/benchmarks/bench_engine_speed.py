"""How fast the engine is beside the plain scikit-learn pipeline, in one run; run by hand.

python -m tests.benchmarks.bench_engine_speed FOLDER

FOLDER holds banking77.jsonl.gz and star.jsonl.gz. Times are processor time of one thread, so that
neighbours on the machine count for less; both sides are measured by turns, 100 single texts or
one batch at a time. The data set is kept from the garbage collector, and the empty rule book is
made once, as in a worker. The plain pipeline
is TfidfVectorizer word(1,2) + char_wb(2,5) in a FeatureUnion with LinearSVC.decision_function,
and answers neither evidence nor probabilities nor verdicts; ours goes through the whole cascade.
"""

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is there

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.svm import LinearSVC

from classifier.engine import artifact
from classifier.engine.cascade import classify
from classifier.engine.datasets import read_records
from classifier.engine.evaluation import BATCH, Labelled
from classifier.engine.learning import learn
from classifier.engine.policy import Policy
from classifier.engine.recipe import Recipe
from classifier.engine.rules import RuleBook
from classifier.engine.text import Speaker, Transcript
from classifier.engine.text_model import TextModel

ALONE = 1_000  # texts measured one at a time
TURN = 100  # texts, before it is the other side's
WARM_UP = 200  # texts not counted: the first ones fill what a worker has full
ROUNDS = 5
NO_RULES = RuleBook()
MICRO, MILLI = 1e6, 1e3


def main(folder: Path) -> None:
    banking = prepared(folder / "banking77.jsonl.gz")
    latency(banking)
    footprint(banking)
    star = prepared(folder / "star.jsonl.gz")
    throughput("STAR, customer turns", star, customer_words)
    throughput("STAR, plain pipeline reads all turns", star, all_words)


@dataclass(frozen=True, slots=True)
class Contest:
    """Both sides, trained on the same texts, and the texts to ask them about."""

    model: TextModel
    content: bytes
    policy: Policy
    plain: Pipeline
    transcripts: Sequence[Transcript]

    def ours(self, transcripts: Sequence[Transcript]) -> None:
        classify(transcripts, NO_RULES, self.model, self.policy)


def prepared(path: Path) -> Contest:
    found = Labelled.of(path.name, list(read_records(path)))
    model = learn(found.train, Recipe(), taxonomy=found.taxonomy)
    content = artifact.dump(model)
    words = [customer_words(example.transcript) for example in found.train]
    truths = [example.categories for example in found.train]
    if all(len(categories) == 1 for categories in truths):
        plain = pipeline(LinearSVC()).fit(words, [min(categories) for categories in truths])
    else:
        marks = MultiLabelBinarizer().fit_transform(truths)
        plain = pipeline(OneVsRestClassifier(LinearSVC())).fit(words, marks)
    transcripts = [example.transcript for example in found.test]
    loaded = artifact.load(content, artifact.digest_of(content))
    gc.freeze()  # a worker does not hold a data set, which the collector would search over and over
    return Contest(
        loaded, content, Policy(found.taxonomy, model.thresholds), plain, transcripts
    )


def pipeline(classifier: LinearSVC | OneVsRestClassifier) -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return make_pipeline(FeatureUnion([("words", words), ("letters", letters)]), classifier)


def customer_words(transcript: Transcript) -> str:
    return "\n".join(turn.text for turn in transcript.said_by(Speaker.CUSTOMER))


def all_words(transcript: Transcript) -> str:
    return "\n".join(turn.text for turn in transcript.turns)


def latency(contest: Contest) -> None:
    for transcript in contest.transcripts[:WARM_UP]:
        contest.ours([transcript])
    ours, plain = [], []
    for start in range(WARM_UP, WARM_UP + ALONE, TURN):  # a worker's caches hold its own work
        some = contest.transcripts[start : start + TURN]
        ours += [seconds(lambda: contest.ours([one])) for one in some]  # noqa: B023  at once
        texts = map(customer_words, some)
        plain += [seconds(lambda: contest.plain.decision_function([text])) for text in texts]  # noqa: B023
    beside = float(np.median(plain)) / float(np.median(ours))
    tell("BANKING77, one text at a time, whole cascade with evidence")
    tell(
        f"  ours  p50 {MICRO * np.median(ours):7.0f} µs, p99 {MICRO * np.percentile(ours, 99):.0f} µs"
    )
    tell(f"  plain p50 {MICRO * np.median(plain):7.0f} µs: ours takes 1/{beside:.1f} of it")


def throughput(name: str, contest: Contest, words_of: Callable[[Transcript], str]) -> None:
    transcripts = contest.transcripts
    words = [words_of(transcript) for transcript in transcripts]
    starts = range(0, len(words), BATCH)
    ours, plain = [], []
    for _ in range(ROUNDS):
        ours += [seconds(lambda: contest.ours(transcripts[s : s + BATCH])) for s in starts]  # noqa: B023
        plain += [
            seconds(lambda: contest.plain.decision_function(words[s : s + BATCH]))  # noqa: B023
            for s in starts
        ]
    pace, plain_pace = (ROUNDS * len(words) / sum(times) for times in (ours, plain))
    tell(f"{name}, batches of {BATCH}, whole cascade with evidence")
    tell(f"  ours {pace:,.0f} /s, plain {plain_pace:,.0f} /s: {pace / plain_pace:.1f} times")


def footprint(contest: Contest) -> None:
    digest = artifact.digest_of(contest.content)
    loads = [seconds(lambda: artifact.load(contest.content, digest)) for _ in range(ROUNDS)]
    tell(
        f"model file {len(contest.content) / MICRO:.2f} MB, {len(contest.model.labels)} labels"
    )
    tell(f"load {MILLI * min(loads):.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        path.write_bytes(contest.content)
        told = subprocess.run(
            [sys.executable, "-c", SERVING, str(path), digest],
            capture_output=True,
            text=True,
            check=True,
        )
    tell(told.stdout.strip())


# Linux tells the most memory since the program began; getrusage would count the parent's too.
SERVING = """
import pathlib, re, sys
from classifier.engine.artifact import load
from classifier.engine.cascade import classify
from classifier.engine.policy import Policy
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text import Transcript
model = load(pathlib.Path(sys.argv[1]).read_bytes(), sys.argv[2])
policy = Policy(Taxonomy(tuple(Node(label, label) for label in model.labels)), model.thresholds)
said = [Transcript.of(f"where is my card number {n}, señor?") for n in range(2_000)]
for start in range(0, len(said), 200):
    classify(said[start : start + 200], RuleBook(), model, policy)
learnt = [name for name in ("sklearn", "scipy") if name in sys.modules]
status = pathlib.Path("/proc/self/status").read_text()
most = int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) / 1_000
print(f"serving process: most memory {most:.0f} MB, imports {learnt or 'no sklearn, no scipy'}")
"""


def seconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
