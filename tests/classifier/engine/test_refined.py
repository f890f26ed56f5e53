"""A model with an encoder: it is asked where the cheap part is in doubt, and only there."""

import hashlib
import logging

import numpy as np
import pytest

from classifier.engine import artifact
from classifier.engine.calibration import Link
from classifier.engine.encoder import WIDTH
from classifier.engine.errors import ArtifactRefused, EncoderUnusable
from classifier.engine.learning import learn
from classifier.engine.recipe import Recipe
from classifier.engine.refined import MAGIC, Refined, doubts
from classifier.engine.text import Transcript
from tests.classifier.engine.words import examples, examples_with_several

RECIPE = Recipe(encoder=True, folds=3)


class WordEncoder:
    """A small encoder: the mean of one chance direction for each word; counts what is asked."""

    digest = "words"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts):
        self.asked += texts
        found = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "little")
                found[row] += np.random.default_rng(seed).normal(size=WIDTH)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


@pytest.fixture(scope="module", params=[examples, examples_with_several])
def refined(request) -> Refined:
    model = learn(request.param(), RECIPE, encoder=WordEncoder())
    assert isinstance(model, Refined)
    return model


def transcripts():
    return [example.transcript for example in examples_with_several()]


def test_the_encoder_is_asked_about_doubtful_texts_alone(refined: Refined) -> None:
    cheap = refined.cheap.predict(transcripts())
    unsure = doubts(
        np.array([list(shares.values()) for shares in cheap]), refined.calibration.link
    )
    refined.encoder.asked.clear()

    found = refined.predict(transcripts())

    doubtful = unsure >= refined.doubt
    assert len(refined.encoder.asked) == doubtful.sum()
    for row, is_doubtful in enumerate(doubtful):
        if not is_doubtful:
            assert found[row] == cheap[row]


def test_an_answer_does_not_depend_on_the_batch(refined: Refined) -> None:
    texts = transcripts()[:10]

    together = refined.predict(texts)

    for text, shares in zip(texts, together, strict=True):
        (alone,) = refined.predict([text])
        assert alone == pytest.approx(shares, abs=1e-5)


def test_evidence_and_the_encoders_part_sum_to_the_fine_logit(refined: Refined) -> None:
    text = transcripts()[0]
    reading = refined.read(text)
    column = 0
    category = refined.labels[column]
    logit = refined.calibration.logits(refined.margins([reading]))[0, column]
    vector = refined.encoder.encode([" ".join(turn.text for turn in reading.folded)])[0]

    added = sum(evidence.weight for evidence in refined.explain(text, category, limit=None))

    of_whole = vector @ refined.whole[:, column] * refined.calibration.slopes[column]
    assert added + of_whole + refined.base(category) == pytest.approx(logit, abs=1e-3)


def test_without_its_encoder_the_cheap_part_answers_and_the_log_says_so(
    refined: Refined, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("ENCODER_PATH", raising=False)
    content = artifact.dump(refined)

    with caplog.at_level(logging.WARNING):
        model = artifact.load(content, artifact.digest_of(content))

    assert model.digest == refined.cheap.digest
    assert model.thresholds == refined.cheap.thresholds
    assert "ENCODER_PATH is not set" in caplog.text


def test_the_file_says_what_it_is(refined: Refined) -> None:
    content = artifact.dump(refined, {"made": "here"})

    about = artifact.describe(content, artifact.digest_of(content))

    assert about["labels"] == list(refined.labels)
    assert about["metadata"] == {"made": "here"}


@pytest.mark.parametrize("cut", [len(MAGIC), len(MAGIC) + 40, -1])
def test_a_cut_file_is_refused(refined: Refined, cut: int) -> None:
    content = artifact.dump(refined)[:cut]

    for read in (artifact.load, artifact.describe):
        with pytest.raises(ArtifactRefused, match="damaged"):
            read(content, artifact.digest_of(content))


def test_a_wrong_digest_is_refused_first(refined: Refined) -> None:
    with pytest.raises(ArtifactRefused, match="SHA-256"):
        artifact.load(artifact.dump(refined), "0" * 64)


def test_a_recipe_that_wants_an_encoder_is_refused_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ENCODER_PATH", raising=False)

    with pytest.raises(EncoderUnusable, match="ENCODER_PATH"):
        learn(examples(4), RECIPE)


def test_doubt_is_what_the_likeliest_lacks_or_how_close_a_label_is_to_even() -> None:
    shares = np.array([[0.9, 0.1], [0.5, 0.4]])

    assert doubts(shares, Link.SOFTMAX) == pytest.approx([0.1, 0.5])
    assert doubts(shares, Link.SIGMOID) == pytest.approx([0.2, 1.0])


def test_an_empty_batch_is_answered(refined: Refined) -> None:
    assert refined.predict([]) == []
    assert refined.predict([Transcript.of("")])
