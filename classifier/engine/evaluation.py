"""Evaluation: how good and how fast the engine is on a data set, with every figure defined."""

import json
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from classifier.engine.artifact import dump
from classifier.engine.calibration import calibration_error
from classifier.engine.cascade import classify
from classifier.engine.datasets import DatasetInvalid, Record, read_records
from classifier.engine.example import Example
from classifier.engine.hybrid import HybridReport, compare_with_rules
from classifier.engine.learning import Learned, learn_and_score
from classifier.engine.lesson import Progress
from classifier.engine.metrics import (
    best_matthews,
    expected_classes,
    macro_f1,
    matthews,
    micro_f1,
)
from classifier.engine.policy import Policy
from classifier.engine.promise import choose_thresholds
from classifier.engine.recipe import Recipe
from classifier.engine.rule_file import read_rules
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.strain import (
    JoinedCalls,
    Misheard,
    WithoutTwins,
    joined_calls,
    misheard,
    without_twins,
)
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.text_model import TextModel
from classifier.engine.thresholds import HeldOut
from classifier.engine.verdict import Verdict

_ENOUGH_VAL = 500  # texts; fewer prove too little by themselves
BATCH = 200  # texts a worker decides at a time
_TIMED_ALONE = 1_000  # texts, for the 99th percentile to rest on ten of them
_WARM_UP = 20  # texts not counted: the first ones fill caches that a worker has full
_MICROSECONDS = 1_000_000
_KIBIBYTES_PER_MEGABYTE = 1_000_000 / 1_024

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the answers on unseen texts are; shares in [0, 1]. None: no text to tell by.

    "At its own threshold" is what the cascade answers, with thresholds chosen without these
    texts; the F1 figures take a label as said from the threshold on at which F1 was highest there.
    """

    accuracy: float | None
    """In-scope texts whose likeliest label is among the true ones; no threshold."""
    accuracy_at_threshold: float | None
    """In-scope texts whose primary reason is among the true labels; an abstention is wrong."""
    micro_f1: float
    """Over all (text, label) pairs."""
    macro_f1: float
    """Mean of the labels' F1, labels neither said nor true left out."""
    ece: float
    """Expected calibration error of the likeliest label of in-scope texts, 15 equal bins."""
    target_precision: float
    """What the thresholds promise."""
    coverage: float
    """Share of all texts, out of scope too, that get a reason without a person."""
    precision: float | None
    """Share of those whose primary reason is a true label or an ancestor of one."""
    oos_recall: float | None
    """Share of out-of-scope texts that are left to a person."""
    mcc: float
    """Matthews' coefficient of primary reasons, out of scope (and abstained) as a class."""
    mcc_best: float
    """The same for the likeliest label at the best threshold for these very texts: a ceiling."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Microseconds for one text through the whole cascade, with evidence."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Report:
    """All that the command ``benchmark`` prints, in its words."""

    dataset: str
    train: int
    """Texts learnt from."""
    test: int
    """Texts reported on."""
    labels: int
    """Labels that the training knows."""
    quality: Quality
    train_seconds: float
    """Learning with its out-of-fold scores, thresholds included."""
    latency_us: Percentiles
    throughput_per_second: float
    """Texts per second in batches of 200, with evidence, in this one process."""
    model_bytes: int
    """Size of the artifact."""
    peak_rss_mb: float
    """Most memory this process ever held, in megabytes: training and data included."""
    engine: str
    with_rules: HybridReport | None = None
    """Rules only, model only and both, where a file of rules was given."""
    without_twins: WithoutTwins | None = None
    """How many test texts were learnt from (nearly) word by word, and the figures without them."""
    misheard: Misheard | None = None
    """With a share of the words wrong, where that was asked for."""
    joined_calls: JoinedCalls | None = None
    """With several conversations in one, where that was asked for."""

    def to_json(self) -> str:
        """Return the report as one flat JSON object in one line."""
        found = asdict(self)
        quality = found.pop("quality")
        found.pop("with_rules")
        for case in ("without_twins", "misheard", "joined_calls"):
            if found[case] is None:
                del found[case]
        if self.with_rules:
            found |= self.with_rules.to_dict()
        head = {name: found.pop(name) for name in ("dataset", "train", "test", "labels")}
        return json.dumps(_rounded({**head, **quality, **found}), ensure_ascii=False)


def peak_rss_mb() -> float:
    """Return the most memory this process ever held, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1_000_000 if sys.platform == "darwin" else peak / _KIBIBYTES_PER_MEGABYTE


@dataclass(frozen=True, slots=True)
class Meters:
    """Where times and memory are read; a test brings its own."""

    clock: Clock = time.perf_counter
    """Seconds, from any start."""
    peak_rss_mb: Callable[[], float] = peak_rss_mb


@dataclass(frozen=True, slots=True)
class Labelled:
    """A data set's splits as examples, and the tree of all its labels."""

    name: str
    taxonomy: Taxonomy
    train: tuple[Example, ...]
    val: tuple[Example, ...]
    test: tuple[Example, ...]

    @classmethod
    def of(cls, name: str, records: Sequence[Record]) -> "Labelled":
        """Return the records by split, their label paths turned to codes."""
        paths = sorted({path for record in records for path in record.labels})
        taxonomy = Taxonomy.of_paths(paths)
        parts: dict[str, list[Example]] = {"train": [], "val": [], "test": []}
        for record in records:
            codes = (taxonomy.code_at(path) for path in record.labels)
            known = frozenset(code for code in codes if code is not None)
            parts[record.split].append(Example(record.transcript, known, record.key))
        return cls(name, taxonomy, *(tuple(examples) for examples in parts.values()))


def benchmark(
    path: Path | str,
    recipe: Recipe | None = None,
    *,
    rules: Path | str | None = None,
    noise: float | None = None,
    join: int | None = None,
    meters: Meters | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Return the report on a data file: learnt from ``train``, measured on ``test``.

    ``rules`` is a file of rules that are to be measured beside the model and with it. ``noise``
    is a share of words to be misheard, ``join`` how many conversations to put into one call.

    Thresholds come from ``val`` where the file has one, else from ``train`` out-of-fold; never
    from ``test``.

    Raises:
        DatasetInvalid: the file cannot be read, or has no test split.
        NothingToLearn: fewer than two labels in its train split.
        RuleFileInvalid: the file of rules cannot be used.
    """
    gauges = meters or Meters()
    data = Labelled.of(dataset_name(path), list(read_records(path)))
    if not data.test:
        raise DatasetInvalid(
            f'{Path(path).name}: no line has the split "test"; mark some lines so'
        )
    typed = read_rules(rules, data.taxonomy) if rules else []
    started = gauges.clock()
    learned = learned_with_thresholds(data, recipe or Recipe(), on_progress)
    model = learned.model
    train_seconds = gauges.clock() - started
    policy = Policy(data.taxonomy, model.thresholds)
    transcripts = [example.transcript for example in data.test]
    verdicts, throughput = _in_batches(transcripts, model, policy, gauges.clock)
    unseen = held_out(model, data.test)
    return Report(
        data.name,
        len(data.train),
        len(data.test),
        len(model.labels),
        quality(unseen, verdicts, policy),
        train_seconds,
        _alone(transcripts, model, policy, gauges.clock),
        throughput,
        len(dump(model)),
        gauges.peak_rss_mb(),
        engine_name(),
        _with_rules(data, learned, unseen, typed, policy) if rules else None,
        without_twins(model, data.train, data.test),
        misheard(model, data.train, data.test, noise) if noise is not None else None,
        joined_calls(model, data.test, join) if join is not None else None,
    )


def _with_rules(
    data: Labelled, learned: Learned, unseen: HeldOut, rules: Sequence[Rule], policy: Policy
) -> HybridReport:
    """Return what rules add; chosen where the model's thresholds are, on val or out-of-fold."""
    if not data.val:
        return compare_with_rules(
            data.train, learned.held_out, data.test, unseen, rules, policy
        )
    judged = sorted(data.val, key=lambda example: example.key)
    said = held_out(learned.model, judged)
    return compare_with_rules(judged, said, data.test, unseen, rules, policy)


def learnt_with_thresholds(
    data: Labelled, recipe: Recipe, on_progress: Progress | None = None
) -> TextModel:
    """Return a model of the train split whose thresholds come from val, if there is one."""
    return learned_with_thresholds(data, recipe, on_progress).model


def learned_with_thresholds(
    data: Labelled, recipe: Recipe, on_progress: Progress | None = None
) -> Learned:
    """Return what ``learnt_with_thresholds`` does, with its out-of-fold scores on train."""
    taxonomy = data.taxonomy
    names = {node.code: taxonomy.label(node.code) for node in taxonomy}
    learned: Learned = learn_and_score(
        data.train, recipe, names=names, taxonomy=taxonomy, on_progress=on_progress
    )
    if not data.val:
        return learned
    model = learned.model
    unseen = held_out(model, data.val)
    if len(data.val) < _ENOUGH_VAL:
        unseen = learned.held_out.joined(unseen)
    thresholds = choose_thresholds(
        unseen,
        taxonomy,
        recipe.target_precision,
        exclusive=model.thresholds.exclusive,
        outsiders=learned.outsiders,
        oos_share=recipe.oos_share,
    )
    # The critical ones rest on what was learnt from: val is too small to prove anything of one.
    thresholds = replace(thresholds, bars=model.thresholds.bars)
    return replace(learned, model=replace(model, thresholds=thresholds))


def held_out(model: TextModel, examples: Sequence[Example]) -> HeldOut:
    """Return what a model says about labelled texts that it has not learnt from."""
    predicted = model.predict([example.transcript for example in examples])
    rows = [[shares[label] for label in model.labels] for shares in predicted]
    probabilities = np.array(rows, dtype=np.float64).reshape(len(examples), len(model.labels))
    return HeldOut(
        model.labels, probabilities, tuple(example.categories for example in examples)
    )


def quality(unseen: HeldOut, verdicts: Sequence[Verdict], policy: Policy) -> Quality:
    """Return the figures for texts whose verdicts are given in the same order."""
    thresholds = policy.thresholds
    in_scope = np.array([bool(truths) for truths in unseen.truths], dtype=bool)
    pairs = list(zip(unseen.answers, unseen.truths, strict=True))
    right = np.array([answer in truths for answer, truths in pairs], dtype=bool)
    said = unseen.probabilities >= thresholds.confirms
    missed = [truths - set(unseen.labels) for truths in unseen.truths]
    answers = [verdict.primary.category if verdict.primary else "" for verdict in verdicts]
    exact = [answer in truths for answer, truths in zip(answers, unseen.truths, strict=True)]
    covered = np.array([bool(answer) for answer in answers], dtype=bool)
    return Quality(
        accuracy=_share(right[in_scope]),
        accuracy_at_threshold=_share(np.array(exact, dtype=bool)[in_scope]),
        micro_f1=micro_f1(said, unseen.truth_table(), missed=sum(map(len, missed))),
        macro_f1=macro_f1(said, unseen.truth_table(), missed=len(frozenset().union(*missed))),
        ece=calibration_error(unseen.confidence[in_scope], right[in_scope]),
        target_precision=thresholds.target_precision,
        coverage=_share(covered) or 0.0,
        precision=_share(_primary_is_right(verdicts, unseen.truths, policy.taxonomy)),
        oos_recall=_share(~covered[~in_scope]),
        mcc=matthews(answers, expected_classes(answers, unseen.truths)),
        mcc_best=best_matthews(unseen.answers, unseen.confidence, unseen.truths)[1],
    )


def dataset_name(path: Path | str) -> str:
    """Return a file's name up to its first dot."""
    return Path(path).name.split(".")[0]


def engine_name() -> str:
    """Return what was measured: the kind of model and the versions it rests on."""
    libraries = " ".join(f"{name} {version(name)}" for name in ("scikit-learn", "numpy"))
    return f"words+letters linear SVM, {libraries}, Python {platform.python_version()}"


def _primary_is_right(
    verdicts: Sequence[Verdict], truths: Sequence[frozenset[str]], taxonomy: Taxonomy
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Say for each text that was decided whether its primary reason is right."""
    pairs = zip(verdicts, truths, strict=True)
    return np.array(
        [
            taxonomy.is_right(verdict.primary.category, true)
            for verdict, true in pairs
            if verdict.primary
        ],
        dtype=bool,
    )


def _in_batches(
    transcripts: Sequence[Transcript], model: TextModel, policy: Policy, clock: Clock
) -> tuple[list[Verdict], float]:
    """Return all verdicts, and how many texts were decided per second."""
    rulebook = RuleBook()
    verdicts: list[Verdict] = []
    started = clock()
    for start in range(0, len(transcripts), BATCH):
        verdicts += classify(transcripts[start : start + BATCH], rulebook, model, policy)
    seconds = clock() - started
    return verdicts, len(transcripts) / seconds if seconds > 0 else 0.0


def _alone(
    transcripts: Sequence[Transcript], model: TextModel, policy: Policy, clock: Clock
) -> Percentiles:
    """Return how long one text takes that comes alone."""
    rulebook = RuleBook()
    for transcript in transcripts[:_WARM_UP]:
        classify([transcript], rulebook, model, policy)
    took: list[float] = []
    for transcript in transcripts[:_TIMED_ALONE]:
        started = clock()
        classify([transcript], rulebook, model, policy)
        took.append(_MICROSECONDS * (clock() - started))
    return Percentiles(float(np.percentile(took, 50)), float(np.percentile(took, 99)))


def _share(flags: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> float | None:
    return float(flags.mean()) if flags.size else None


def _rounded(value: object) -> object:
    """Return figures as people read them: shares to four digits, large numbers to one."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, float):
        return round(value, 4 if abs(value) <= 1 else 1)
    return value
