"""The optional encoder: what is refused in words, and, where its packages are, what it says."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from classifier.engine.encoder import MODEL, TOKENIZER, WIDTH, Encoder, digest_of, needed
from classifier.engine.errors import EncoderUnusable


def test_a_folder_without_an_encoder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnusable, match="fetch_encoder"):
        Encoder.of(tmp_path)


def test_what_is_no_encoder_is_refused(tmp_path: Path) -> None:
    (tmp_path / MODEL).write_bytes(b"not ONNX")
    (tmp_path / TOKENIZER).write_text(json.dumps({"model": {"vocab": {}}}))

    # Without the packages it is they that are named.
    with pytest.raises(EncoderUnusable, match=r"fetch it again|requirements-encoder"):
        Encoder.of(tmp_path)


def test_the_digest_changes_with_either_file(tmp_path: Path) -> None:
    digests = set()
    for model, tokenizer in ((b"a", b"b"), (b"a", b"c"), (b"c", b"b"), (b"ab", b"")):
        (tmp_path / MODEL).write_bytes(model)
        (tmp_path / TOKENIZER).write_bytes(tokenizer)
        digests.add(digest_of(tmp_path))

    assert len(digests) == 4


def test_without_the_variable_a_needed_encoder_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ENCODER_PATH", raising=False)

    with pytest.raises(EncoderUnusable, match="set ENCODER_PATH"):
        needed()


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    pytest.importorskip("onnxruntime", reason="requirements-encoder.txt is not installed")
    if not (path := os.environ.get("ENCODER_PATH")):
        pytest.skip("ENCODER_PATH is not set")
    return Encoder.of(Path(path))


def test_texts_of_like_meaning_are_close(encoder: Encoder) -> None:
    back, refund, weather = encoder.encode(["I want my money back", "refund me", "it is sunny"])

    assert back @ refund > back @ weather + 0.2


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: Encoder) -> None:
    texts = ["a card", "a much longer text about a card that was lost", "", "退款", "\ud800"]

    together = encoder.encode(texts)

    assert together.shape == (5, WIDTH)
    assert np.isfinite(together).all()
    afresh = Encoder.of(Path(os.environ["ENCODER_PATH"]))
    for row, text in enumerate(texts):
        assert np.array_equal(afresh.encode([text])[0], together[row])
