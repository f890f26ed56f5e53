"""The optional sentence encoder: a folder with an ONNX file and its tokenizer, run on the CPU.

Nothing else needs it or its packages (requirements-encoder.txt). A model that was trained with
one names it by its digest, and answers from its cheap part where another or none is there.
"""

import hashlib
import json
import os
import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine.errors import EncoderUnusable
from classifier.engine.folding import fold
from classifier.engine.vectors import Pieces

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.float32]

VARIABLE = "ENCODER_PATH"
MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
WIDTH = 384
"""Numbers of a vector of all-MiniLM-L6-v2."""
_MOST_PIECES = 126  # of one text: it was trained on 128 with both ends
_REMEMBERED = 4_096  # texts; 6 MB
_LEAST = 1e-9
_ENDS = ("[CLS]", "[SEP]")
_WORD_OR_MARK = re.compile(r"[^\W_]{1,100}|[^\w\s]|_")  # BERT reads no longer word either


class Encoder:
    """Turns texts into vectors of length 1; what was asked lately is remembered.

    Each text is run by itself: the 8-bit arithmetic takes its steps from the whole batch, so that
    the same text would have other numbers among other texts. Threads may share it.
    """

    def __init__(
        self, session: "InferenceSession", vocabulary: Sequence[str], digest: str
    ) -> None:
        self.digest = digest
        """SHA-256 (hexadecimal) of both files."""
        self._session = session
        self.vocabulary = tuple(vocabulary)
        """The pieces of words, by their numbers."""
        self._pieces = Pieces(self.vocabulary)
        self._first, self._last = map(self.vocabulary.index, _ENDS)
        self._asked = {found.name for found in session.get_inputs()}
        self._known: OrderedDict[str, Floats] = OrderedDict()
        self._lock = Lock()

    @classmethod
    def of(cls, folder: Path) -> "Encoder":
        """Return the encoder in a folder.

        Raises:
            EncoderUnusable: a file or a package is missing, or they are no such encoder.
        """
        digest = digest_of(folder)
        try:
            from onnxruntime import InferenceSession, SessionOptions  # noqa: PLC0415 - optional
        except ImportError as error:
            raise EncoderUnusable(
                f"the package {error.name} is missing; "
                "pip install -r requirements-encoder.txt, or unset ENCODER_PATH"
            ) from error
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = (
            1  # workers share the cores
        )
        try:
            session = InferenceSession(
                str(folder / MODEL), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no class in common but this one
            raise EncoderUnusable(
                f"{folder} holds no encoder that can be read; fetch it again (fetch_encoder)"
            ) from error
        return cls(session, _vocabulary(folder / TOKENIZER), digest)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return texts × ``WIDTH``, each of length 1; of a long text only its start is read."""
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._vector(text)
        return vectors

    def alone(self, piece: int) -> Floats:
        """Return what the encoder says of one piece by itself, not brought to length 1."""
        return self._mean([self._first, piece, self._last])

    def _vector(self, text: str) -> Floats:
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                return self._known[text]
        mean = self._mean([self._first, *self._cut(text), self._last])
        vector: Floats = mean / max(float(np.linalg.norm(mean)), _LEAST)
        with self._lock:
            self._known[text] = vector
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return vector

    def _cut(self, text: str) -> list[int]:
        """Return the pieces of a text as BERT cuts it: words and single marks, uncased."""
        found: list[int] = []
        for match in _WORD_OR_MARK.finditer(fold(text).text):
            found += self._pieces.rows_of(match[0])
            if len(found) >= _MOST_PIECES:
                break
        return found[:_MOST_PIECES]

    def _mean(self, numbers: Sequence[int]) -> Floats:
        ids = np.array([numbers], dtype=np.int64)
        fed: dict[str, NDArray[Any]] = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (states,) = self._session.run(
            None, {name: array for name, array in fed.items() if name in self._asked}
        )
        mean: Floats = np.asarray(states[0], dtype=np.float32).mean(axis=0)
        return mean


def _vocabulary(file: Path) -> list[str]:
    """Return the pieces in a ``tokenizer.json`` of the WordPiece kind, by their numbers."""
    try:
        numbers = json.loads(file.read_bytes())["model"]["vocab"]
        pieces = sorted(numbers, key=numbers.__getitem__)
        if not set(_ENDS) <= set(pieces):
            raise ValueError("not a vocabulary of BERT")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EncoderUnusable(
            f"{file} is no vocabulary of word pieces; fetch it again (fetch_encoder)"
        ) from error
    return pieces


def digest_of(folder: Path) -> str:
    """Return the SHA-256 (hexadecimal) of an encoder's two files.

    Raises:
        EncoderUnusable: one of them is missing.
    """
    digest = hashlib.sha256()
    for name in (MODEL, TOKENIZER):
        try:
            digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
        except OSError as error:
            raise EncoderUnusable(
                f"{folder} holds no {name}; fetch an encoder with: manage.py fetch_encoder DIR"
            ) from error
    return digest.hexdigest()


def configured() -> Encoder | None:
    """Return the encoder that ``ENCODER_PATH`` names; None where it names none.

    Raises:
        EncoderUnusable: it names one that cannot be used.
    """
    path = os.environ.get(VARIABLE, "").strip()
    return _opened(path) if path else None


def needed() -> Encoder:
    """Return the encoder that ``ENCODER_PATH`` names.

    Raises:
        EncoderUnusable: it names none, or one that cannot be used.
    """
    found = configured()
    if found is None:
        raise EncoderUnusable(
            "the recipe wants a sentence encoder: set ENCODER_PATH to a folder that "
            "manage.py fetch_encoder filled, or train without"
        )
    return found


@lru_cache(maxsize=1)
def _opened(path: str) -> Encoder:
    return Encoder.of(Path(path))
