"""The peers: what anybody can put together from well-known packages, each set up as it does best.

They get what they lack: a temperature on out-of-fold scores, and a threshold by plain out-of-fold
precision. No setting of theirs is chosen on a test split.
"""

import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from classifier.engine.encoder import MODEL, TOKENIZER
from classifier.engine.example import Example
from classifier.engine.text import Speaker, Transcript
from tests.benchmarks.scoring import table
from tests.benchmarks.table import System

Array = NDArray[np.float64]
Truths = Sequence[frozenset[str]]

FOLDS = 3
_WORD_PIECES = 256  # word pieces it reads, as its makers set it
_BATCH = 32
_ODDS_KEPT = 1e-6  # fastText rounds shares to 0 and 1
_FASTTEXT = {"lr": 0.8, "epoch": 60, "minn": 3, "maxn": 5, "wordNgrams": 2, "dim": 100}
"""The best of the three settings tried in the project's baselines (88.5 % on banking77)."""


class PeerMissing(Exception):
    """A peer's packages are not installed; the message says what to do."""


class Judge:
    """Something that was taught, and gives a margin to each text and label."""

    labels: tuple[str, ...]

    def margins(self, texts: Sequence[str]) -> Array:
        """Return texts × labels; higher is likelier."""
        raise NotImplementedError


@dataclass
class Linear(Judge):
    """A scikit-learn pipeline with a linear classifier at its end."""

    pipeline: Pipeline
    labels: tuple[str, ...]

    def margins(self, texts: Sequence[str]) -> Array:
        """Return the decision function; two labels have two columns, too."""
        found = np.asarray(self.pipeline.decision_function(list(texts)), dtype=np.float64)
        if found.ndim == 1:
            found = found[:, None]
        if found.shape[1] == 1 and len(self.labels) > 1:
            found = np.hstack([-found, found])
        return found


@dataclass
class FastText(Judge):
    """fastText with subwords: softmax where labels exclude each other, else one-vs-all."""

    model: object
    labels: tuple[str, ...]

    def margins(self, texts: Sequence[str]) -> Array:
        """Return the log-odds of fastText's own shares."""
        columns = {f"__label__{place}": place for place in range(len(self.labels))}
        found = np.zeros((len(texts), len(self.labels)))
        for row, text in enumerate(texts):
            names, shares = self.model.predict(_one_line(text), k=-1)  # type: ignore[attr-defined]
            found[row, [columns[name] for name in names]] = shares
        kept = np.clip(found, _ODDS_KEPT, 1 - _ODDS_KEPT)
        margins: Array = np.log(kept) - np.log1p(-kept)
        return margins


def text_of(transcript: Transcript) -> str:
    """Return what the customer said (all that was said, where that is nothing), lines joined."""
    said = transcript.said_by(Speaker.CUSTOMER) or transcript.turns
    return "\n".join(turn.text for turn in said)


def plain_words() -> TfidfVectorizer:
    """Return TF-IDF of words and pairs of words."""
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)


def words_and_letters() -> FeatureUnion:
    """Return the same, and TF-IDF of 2 to 5 letters within words beside it.

    Leaving out what only one text says is worse by 0.0 to 0.1 points (banking77, 3 folds of train).
    """
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return FeatureUnion([("words", plain_words()), ("letters", letters)])


def taught(system: System, texts: Sequence[str], truths: Truths) -> Judge:
    """Return a peer that has learnt these texts.

    Raises:
        PeerMissing: its packages are not installed.
    """
    known = [place for place, true in enumerate(truths) if true]
    said = [texts[place] for place in known]
    right = [truths[place] for place in known]
    labels = tuple(sorted(frozenset().union(*right)))
    if system is System.FASTTEXT:
        return _taught_fasttext(said, right, labels)
    makers: dict[System, Callable[[], object]] = {
        System.WORDS: plain_words,
        System.LETTERS: words_and_letters,
        System.MINILM: MiniLM,
    }
    if system is System.MINILM:
        # C was looked at on banking77's training part only: 1, 10 and 30 by 3 folds.
        judge: object = LogisticRegression(C=10, max_iter=1_000)
    else:
        judge = LinearSVC(C=1.0, random_state=0)
    if all(len(true) == 1 for true in right):
        pipeline = make_pipeline(makers[system](), judge)
        return Linear(pipeline.fit(said, [labels.index(min(true)) for true in right]), labels)
    pipeline = make_pipeline(makers[system](), OneVsRestClassifier(judge))
    return Linear(pipeline.fit(said, table(right, labels)), labels)


@dataclass
class Rehearsed:
    """A peer, and what it said of its own training texts while it had not seen them."""

    judge: Judge
    held_out: Array
    """Texts × labels, out-of-fold margins."""
    truths: Truths
    """Of the same texts."""


def rehearsed(system: System, train: Sequence[Example]) -> Rehearsed:
    """Return a peer taught on all, and its out-of-fold margins on three folds.

    fastText, which learns for a minute, gets one fold: a third of the texts.
    """
    texts, truths = parts(train)
    judge = taught(system, texts, truths)
    folds = list(KFold(FOLDS, shuffle=True, random_state=0).split(texts))
    margins: list[Array] = []
    places: list[int] = []
    for seen, unseen in folds[:1] if system is System.FASTTEXT else folds:
        part = taught(system, [texts[i] for i in seen], [truths[i] for i in seen])
        found = part.margins([texts[i] for i in unseen])
        spread = np.full((len(unseen), len(judge.labels)), found.min())
        spread[:, [judge.labels.index(label) for label in part.labels]] = found
        margins.append(spread)
        places += unseen.tolist()
    return Rehearsed(judge, np.vstack(margins), [truths[place] for place in places])


def parts(examples: Sequence[Example]) -> tuple[list[str], list[frozenset[str]]]:
    """Return the texts and their true labels."""
    return [text_of(e.transcript) for e in examples], [e.categories for e in examples]


def _taught_fasttext(texts: Sequence[str], truths: Truths, labels: tuple[str, ...]) -> FastText:
    if not importlib.util.find_spec("fasttext"):
        raise PeerMissing("fastText is not installed (make bench installs it)")
    import fasttext

    is_exclusive = all(len(true) == 1 for true in truths)
    lines = (
        " ".join(f"__label__{labels.index(label)}" for label in sorted(true))
        + f" {_one_line(text)}\n"
        for text, true in zip(texts, truths, strict=True)
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(lines), encoding="utf-8")
        model = fasttext.train_supervised(
            str(path),
            loss="softmax" if is_exclusive else "ova",
            thread=1,
            seed=0,
            verbose=0,
            **_FASTTEXT,
        )
    return FastText(model, labels)


def _one_line(text: str) -> str:
    return " ".join(text.lower().split())


class MiniLM:
    """all-MiniLM-L6-v2 as int8 ONNX: mean of the last layer, unit length; texts are cached.

    The files of ``fetch_encoder``, but read by the `tokenizers` package: no code of ours.
    """

    def fit(self, _texts: Sequence[str], _marks: object = None) -> "MiniLM":
        """Learn nothing: the encoder is frozen."""
        return self

    def transform(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return texts × 384.

        Raises:
            PeerMissing: its packages are not installed.
        """
        fresh = sorted({text for text in texts if text not in _seen}, key=len)
        for start in range(0, len(fresh), _BATCH):
            batch = fresh[start : start + _BATCH]
            _seen.update(zip(batch, _encoder().encode(batch), strict=True))
        return np.array([_seen[text] for text in texts])


_seen: dict[str, NDArray[np.float32]] = {}


def forget_encoded() -> None:
    """Empty MiniLM's cache, for the sake of a fair time."""
    _seen.clear()


class _Encoder:
    def __init__(self) -> None:
        import onnxruntime
        import tokenizers

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        folder = Path(os.environ["ENCODER_PATH"])
        self.session = onnxruntime.InferenceSession(str(folder / MODEL), options)
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
        self.tokenizer.enable_truncation(_WORD_PIECES)
        self.tokenizer.enable_padding()

    @cached_property
    def inputs(self) -> list[str]:
        return [node.name for node in self.session.get_inputs()]

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        coded = self.tokenizer.encode_batch(texts)
        ids = np.array([each.ids for each in coded], dtype=np.int64)
        mask = np.array([each.attention_mask for each in coded], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        last = self.session.run(None, {name: given[name] for name in self.inputs})[0]
        if last.ndim == 3:  # word pieces not yet pooled
            last = (last * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: NDArray[np.float32] = last / np.linalg.norm(last, axis=1, keepdims=True)
        return unit


@cache
def _encoder() -> _Encoder:
    for package in ("onnxruntime", "tokenizers"):
        if not importlib.util.find_spec(package):
            raise PeerMissing(f"{package} is not installed (make bench installs it)")
    if not os.environ.get("ENCODER_PATH"):
        raise PeerMissing("ENCODER_PATH is not set")
    return _Encoder()
