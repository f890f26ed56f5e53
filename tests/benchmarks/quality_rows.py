"""How right the answers are: one function for each data set, ours and the peers by the same measure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from classifier.engine.evaluation import Labelled
from classifier.engine.example import Example
from classifier.engine.metrics import best_matthews, expected_classes, matthews
from classifier.engine.noise import Recogniser, joined
from classifier.engine.text import Transcript
from classifier.engine.thresholds import HeldOut
from tests.benchmarks import scoring
from tests.benchmarks.bench import Bench
from tests.benchmarks.ours import Ours, recipe_of
from tests.benchmarks.peers import Judge, parts, taught
from tests.benchmarks.scoring import Array, Flags
from tests.benchmarks.table import Cell, Figure, Missing, System

TARGET = 0.95
OOS_SHARE = 0.2
LEFT_TO_A_PERSON = 0.8  # of what is out of scope
NOISE = 0.15
JOINED = 10
FEW = 5
DRAWS = (0, 1, 2)
LANGUAGES = ("en", "de", "it", "tr", "ar", "zh", "ja")


@dataclass(frozen=True)
class Answers:
    """A peer's answers on the test split, and the threshold that its training texts gave it."""

    labels: tuple[str, ...]
    margins: Array
    """Test texts × labels."""
    confidence: Array
    right: Flags
    threshold: float
    """For a promised precision of 95 %."""
    factor: float

    @property
    def precision(self) -> float | None:
        """Share right of what is decided; None: nothing is."""
        kept = self.confidence >= self.threshold
        return float(self.right[kept].mean()) if kept.any() else None

    @property
    def coverage(self) -> float:
        """Share decided."""
        return float((self.confidence >= self.threshold).mean())


def answers_of(bench: Bench, name: str, system: System) -> Answers:
    """Return what a peer says of a test split; temperature and threshold come from train."""
    peer = bench.peer(name, system)
    texts, truths = parts(bench.data(name).test)
    labels = peer.judge.labels
    margins = peer.judge.margins(texts)
    factor = scoring.temperature(peer.held_out, peer.truths, labels)
    held = scoring.softmax(peer.held_out, factor)
    shares = scoring.softmax(margins, factor)
    right_held = scoring.top_is_right(held, peer.truths, labels)
    return Answers(
        labels,
        margins,
        shares.max(axis=1),
        scoring.top_is_right(margins, truths, labels),
        scoring.threshold_for(held.max(axis=1), right_held, TARGET),
        factor,
    )


def banking77(bench: Bench) -> None:
    """77 reasons, one sentence each: accuracy, coverage at a kept 95 %, calibration."""
    rows = ("accuracy", "coverage", "precision", "ece")
    names = [f"banking77-{row}" for row in rows]
    test = bench.data("banking77").test
    for system in bench.each_of_ours(*names):
        with bench.telling(system, *names):
            found = bench.ours("banking77", system).quality(test)
            half = 100 * scoring.chance_interval(found.accuracy or 0.0, len(test))
            note = f"± {half:.1f} points by the chance of {len(test):,} test texts"
            put = bench.results.put
            put(names[0], system, Figure(100 * (found.accuracy or 0.0), note))
            put(names[1], system, 100 * found.coverage)
            put(names[2], system, _kept(found.precision, found.coverage))
            put(names[3], system, 100 * found.ece)
    for system in bench.each_peer():
        with bench.telling(system, *names):
            said = answers_of(bench, "banking77", system)
            ece = scoring.calibration_error(said.confidence, said.right)
            bench.results.put(names[0], system, 100 * float(said.right.mean()))
            bench.results.put(names[1], system, 100 * said.coverage)
            bench.results.put(names[2], system, _kept(said.precision, said.coverage))
            bench.results.put(names[3], system, 100 * ece)


def _kept(precision: float | None, coverage: float) -> Cell:
    if precision is None:
        return Missing("decides nothing")
    return Figure(100 * precision, f"decides {100 * coverage:.1f} %")


def clinc150(bench: Bench) -> None:
    """150 reasons and questions about none of them: one threshold, chosen on val."""
    names = ("clinc150-accuracy", "clinc150-oos-recall", "clinc150-ece")
    test = bench.data("clinc150").test
    for system in bench.each_of_ours(*names):
        with bench.telling(system, *names):
            model = bench.ours("clinc150", system)
            val, unseen = (
                _said(model.unseen(part)) for part in (bench.data("clinc150").val, test)
            )
            promised = model.quality(test)
            note = (
                f"with the thresholds of the promise (3 % out of scope, as labelled) "
                f"{100 * (promised.accuracy_at_threshold or 0.0):.1f} %, and "
                f"{100 * (promised.oos_recall or 0.0):.1f} % left to a person"
            )
            _put_clinc150(bench, system, val, unseen, note)
    for system in bench.each_peer():
        with bench.telling(system, *names):
            val, unseen = _clinc150_of(bench, system)
            _put_clinc150(bench, system, val, unseen)


def _put_clinc150(
    bench: Bench, system: System, val: "_Split", unseen: "_Split", note: str = ""
) -> None:
    least = scoring.threshold_leaving(val.confidence, val.in_scope, LEFT_TO_A_PERSON)
    kept, inside = unseen.confidence >= least, unseen.in_scope
    plain = f"{100 * unseen.right[inside].mean():.1f} % without a threshold"
    right = 100 * float((unseen.right & kept)[inside].mean())
    ece = scoring.calibration_error(unseen.confidence[inside], unseen.right[inside])
    told = "; ".join(filter(None, [plain, note]))
    bench.results.put("clinc150-accuracy", system, Figure(right, told))
    bench.results.put("clinc150-oos-recall", system, 100 * float((~kept)[~inside].mean()))
    bench.results.put("clinc150-ece", system, 100 * ece)


def clinc150_oos_share(bench: Bench) -> None:
    """The same where a fifth of what comes is assumed to be out of scope: precision on all."""
    name = "clinc150-oos-share"
    data = bench.data("clinc150")
    for system in bench.each_of_ours(name):
        with bench.telling(system, name):
            recipe = recipe_of(with_encoder=system is System.ENCODER, oos_share=OOS_SHARE)
            found = Ours.taught(data, recipe).quality(data.test)
            bench.results.put(name, system, _kept(found.precision, found.coverage))
    for system in bench.each_peer():
        with bench.telling(system, name):
            val, unseen = _clinc150_of(bench, system)
            outside = ~val.in_scope
            weight = OOS_SHARE * val.in_scope.sum() / ((1 - OOS_SHARE) * outside.sum())
            weights = np.where(outside, weight, 1.0)
            least = scoring.threshold_for(val.confidence, val.right, TARGET, weights)
            kept = unseen.confidence >= least
            precision = float(unseen.right[kept].mean()) if kept.any() else None
            bench.results.put(name, system, _kept(precision, float(kept.mean())))


@dataclass(frozen=True)
class _Split:
    confidence: Array
    right: Flags
    in_scope: Flags


def _clinc150_of(bench: Bench, system: System) -> tuple[_Split, _Split]:
    """Return a peer's answers on val and test; its temperature comes from val, too."""
    data = bench.data("clinc150")
    judge = bench.judge("clinc150", system)
    texts, truths = parts(data.val)
    margins = judge.margins(texts)
    factor = scoring.temperature(margins, truths, judge.labels)
    val = _split(judge, margins, factor, truths)
    texts, truths = parts(data.test)
    return val, _split(judge, judge.margins(texts), factor, truths)


def _said(unseen: HeldOut) -> _Split:
    """Return our answers on a part of the data."""
    pairs = zip(unseen.answers, unseen.truths, strict=True)
    return _Split(
        unseen.confidence,
        np.array([answer in true for answer, true in pairs]),
        np.array([bool(true) for true in unseen.truths]),
    )


def _split(
    judge: Judge, margins: Array, factor: float, truths: Sequence[frozenset[str]]
) -> _Split:
    return _Split(
        scoring.softmax(margins, factor).max(axis=1),
        scoring.top_is_right(margins, truths, judge.labels),
        np.array([bool(true) for true in truths]),
    )


def nlupp(bench: Bench) -> None:
    """62 reasons, about two in a sentence: micro-F1, precision kept."""
    _several_reasons(bench, "nlupp", "nlupp")


def star(bench: Bench) -> None:
    """Whole service conversations, customer turns only: micro-F1, precision kept."""
    _several_reasons(bench, "star", "star")


def _several_reasons(bench: Bench, name: str, row: str) -> None:
    names = (f"{row}-f1", f"{row}-precision")
    test = bench.data(name).test
    for system in bench.each_of_ours(*names):
        with bench.telling(system, *names):
            found = bench.ours(name, system).quality(test)
            bench.results.put(names[0], system, 100 * found.micro_f1)
            bench.results.put(names[1], system, _kept(found.precision, found.coverage))
    for system in bench.each_peer():
        with bench.telling(system, *names):
            peer = bench.peer(name, system)
            labels = peer.judge.labels
            texts, truths = parts(test)
            margins = peer.judge.margins(texts)
            said = margins >= scoring.f1_threshold(peer.held_out, peer.truths, labels)
            bench.results.put(names[0], system, 100 * scoring.micro_f1(said, truths, labels))
            held = scoring.top_is_right(peer.held_out, peer.truths, labels)
            least = scoring.threshold_for(peer.held_out.max(axis=1), held, TARGET)
            kept = margins.max(axis=1) >= least
            right = scoring.top_is_right(margins, truths, labels)[kept]
            precision = float(right.mean()) if kept.any() else None
            bench.results.put(names[1], system, _kept(precision, float(kept.mean())))


def curekart(bench: Bench) -> None:
    """A live bot's queries, 46 % of them out of scope, none of that in training."""
    names = ("curekart-own", "curekart-best")
    data = bench.data("hint3-curekart")
    for system in bench.each_of_ours(*names):
        with bench.telling(system, *names):
            found = bench.ours("hint3-curekart", system).quality(data.test)
            note = _broken_promise(found.coverage, found.precision)
            bench.results.put(names[0], system, Figure(found.mcc, note))
            bench.results.put(names[1], system, found.mcc_best)
    _, truths = parts(data.test)
    for system in bench.each_peer():
        with bench.telling(system, *names):
            said = answers_of(bench, "hint3-curekart", system)
            best = [said.labels[column] for column in np.argmax(said.margins, axis=1)]
            kept = said.confidence >= said.threshold
            own = [label if keep else "" for label, keep in zip(best, kept, strict=True)]
            value = matthews(own, expected_classes(own, truths))
            note = _broken_promise(said.coverage, said.precision)
            bench.results.put(names[0], system, Figure(value, note))
            ceiling = best_matthews(best, said.confidence, truths)[1]
            bench.results.put(names[1], system, ceiling)


def _broken_promise(coverage: float, precision: float | None) -> str:
    if precision is None:
        return "decides nothing"
    told = f"decides {100 * coverage:.1f} %, of that {100 * precision:.1f} % right"
    return f"{told}, where 95 % was promised"


def xsid(bench: Bench) -> None:
    """Seven languages, one model, no language named: mean and worst accuracy, precision kept."""
    names = ("xsid-mean", "xsid-worst", "xsid-precision")
    test = bench.data("xsid").test
    tongues = bench.languages("xsid")
    for system in bench.each_of_ours(*names):
        with bench.telling(system, *names):
            model = bench.ours("xsid", system)
            by_language = {
                tongue: model.quality([e for e in test if tongues[e.key] == tongue]).accuracy
                for tongue in LANGUAGES
            }
            shares = {tongue: share or 0.0 for tongue, share in by_language.items()}
            _put_languages(bench, system, shares)
            whole = model.quality(test)
            bench.results.put(names[2], system, _kept(whole.precision, whole.coverage))
    for system in bench.each_peer():
        with bench.telling(system, *names):
            said = answers_of(bench, "xsid", system)
            spoken = np.array([tongues[e.key] for e in test])
            shares = {tongue: said.right[spoken == tongue].mean() for tongue in LANGUAGES}
            _put_languages(bench, system, shares)
            bench.results.put(names[2], system, _kept(said.precision, said.coverage))


def _put_languages(bench: Bench, system: System, shares: dict[str, float]) -> None:
    note = ", ".join(f"{tongue} {100 * share:.1f}" for tongue, share in shares.items())
    worst = 100 * min(shares.values())
    bench.results.put(
        "xsid-mean", system, Figure(100 * float(np.mean(list(shares.values()))), note)
    )
    bench.results.put("xsid-worst", system, float(worst))


def star_noise(bench: Bench) -> None:
    """How much micro-F1 is lost when a recogniser of speech gets 15 % of the words wrong."""
    data = bench.data("star")
    recogniser = Recogniser.of([example.transcript for example in data.train])
    noisy = [
        replace(example, transcript=recogniser.hear(example.transcript, NOISE))
        for example in data.test
    ]
    for system in bench.each_of_ours("star-noise"):
        with bench.telling(system, "star-noise"):
            model = bench.ours("star", system)
            clean, heard = (model.quality(of).micro_f1 for of in (data.test, noisy))
            note = f"{100 * clean:.1f} → {100 * heard:.1f} %"
            bench.results.put("star-noise", system, Figure(100 * (clean - heard), note))
    for system in bench.each_peer():
        with bench.telling(system, "star-noise"):
            peer = bench.peer("star", system)
            least = scoring.f1_threshold(peer.held_out, peer.truths, peer.judge.labels)
            clean, heard = (_f1(peer.judge, of, least) for of in (data.test, noisy))
            note = f"{100 * clean:.1f} → {100 * heard:.1f} %"
            bench.results.put("star-noise", system, Figure(100 * (clean - heard), note))


def star_joined(bench: Bench) -> None:
    """Ten conversations in one call of thousands of words: is the likeliest reason any of theirs?"""
    whole = bench.whole("star")
    calls = joined(whole.test, JOINED)
    for system in bench.each_of_ours("star-joined"):
        with bench.telling(system, "star-joined"):
            found = bench.ours("star", system).quality(calls)
            note = f"{len(calls)} calls; decides {100 * found.coverage:.1f} %"
            bench.results.put(
                "star-joined", system, Figure(100 * (found.accuracy or 0.0), note)
            )
    texts, truths = parts(calls)
    for system in bench.each_peer():
        with bench.telling(system, "star-joined"):
            judge = bench.peer("star", system).judge
            right = scoring.top_is_right(judge.margins(texts), truths, judge.labels)
            bench.results.put("star-joined", system, 100 * float(right.mean()))


def _f1(judge: Judge, examples: Sequence[Example], least: float) -> float:
    texts, truths = parts(examples)
    return scoring.micro_f1(judge.margins(texts) >= least, truths, judge.labels)


def few_labels(bench: Bench) -> None:
    """Five labelled texts per category and the categories' names; mean of three fixed draws."""
    data = bench.data("banking77")
    draws = [replace(data, train=_draw(data, seed)) for seed in DRAWS]
    for system in bench.each_of_ours("few-labels"):
        with bench.telling(system, "few-labels"):
            recipe = recipe_of(with_encoder=system is System.ENCODER)
            shares = [Ours.taught(draw, recipe).quality(data.test).accuracy for draw in draws]
            _put_draws(bench, system, [share or 0.0 for share in shares])
    texts, truths = parts(data.test)
    names = _names(data)
    for system in bench.each_peer():
        with bench.telling(system, "few-labels"):
            shares = []
            for draw in draws:
                judge = taught(system, *parts([*draw.train, *names]))
                right = scoring.top_is_right(judge.margins(texts), truths, judge.labels)
                shares.append(float(right.mean()))
            _put_draws(bench, system, shares)


def names_only(bench: Bench) -> None:
    """No labelled text at all: the categories' names are the only texts to learn from."""
    data = bench.data("banking77")
    for system in bench.each_of_ours("names-only"):
        with bench.telling(system, "names-only"):
            recipe = recipe_of(with_encoder=system is System.ENCODER)
            found = Ours.of_names(data, recipe).quality(data.test)
            bench.results.put("names-only", system, 100 * (found.accuracy or 0.0))
    texts, truths = parts(data.test)
    for system in bench.each_peer():
        with bench.telling(system, "names-only"):
            judge = taught(system, *parts(_names(data)))
            right = scoring.top_is_right(judge.margins(texts), truths, judge.labels)
            bench.results.put("names-only", system, 100 * float(right.mean()))


def _draw(data: Labelled, seed: int) -> tuple[Example, ...]:
    chance = np.random.default_rng(seed)
    by_label: dict[str, list[Example]] = {}
    for example in sorted(data.train, key=lambda example: example.key):
        by_label.setdefault(min(example.categories), []).append(example)
    return tuple(
        examples[place]
        for _, examples in sorted(by_label.items())
        for place in chance.choice(len(examples), FEW, replace=False)
    )


def _put_draws(bench: Bench, system: System, shares: Sequence[float]) -> None:
    note = "draws " + ", ".join(f"{100 * share:.1f}" for share in shares)
    bench.results.put("few-labels", system, Figure(100 * float(np.mean(shares)), note))


def _names(data: Labelled) -> list[Example]:
    """Return each label's words as a text of its category."""
    return [
        Example(
            Transcript.of(data.taxonomy.label(code).replace("_", " ")),
            frozenset([code]),
            f"name-{code}",
        )
        for code in sorted({code for example in data.train for code in example.categories})
    ]
