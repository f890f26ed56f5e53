"""Promises of stored models: the same bytes, the same answers, and nothing foreign is loaded."""

import json
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save

from classifier.engine.artifact import FORMAT, describe, digest_of, dump, load
from classifier.engine.errors import ArtifactRefused
from classifier.engine.learning import learn
from classifier.engine.recipe import Recipe
from tests.classifier.engine.words import examples, outsiders

HEAD = b"CONTACTREASON"
TRANSCRIPTS = [example.transcript for example in examples(3, seed=8)]


@pytest.mark.parametrize("which", ["model", "several"])
def test_a_loaded_model_answers_exactly_as_it_did(which, request):
    model = request.getfixturevalue(which)
    content = dump(model)

    loaded = load(memoryview(content), digest_of(content))

    assert loaded.predict(TRANSCRIPTS) == model.predict(TRANSCRIPTS)
    assert loaded.explain(TRANSCRIPTS[0], "billing.refund") == model.explain(
        TRANSCRIPTS[0], "billing.refund"
    )
    assert (loaded.thresholds, loaded.recipe, loaded.digest) == (
        model.thresholds,
        model.recipe,
        model.digest,
    )


def test_equal_trainings_give_equal_bytes(model):
    made = [*examples(8), *outsiders()]

    assert dump(learn(made, Recipe())) == dump(learn(list(reversed(made)), Recipe()))


def test_an_artifact_says_what_it_is(model):
    content = dump(model, {"trained_on": 80})

    about = describe(content, digest_of(content))

    assert about["labels"] == list(model.labels)
    assert about["metadata"] == {"trained_on": 80}
    assert {"numpy", "scikit-learn"} <= set(about["versions"])


def test_other_bytes_than_those_stored_are_refused(model):
    content = dump(model)

    with pytest.raises(ArtifactRefused, match="SHA-256"):
        load(content[:-1], digest_of(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a model"),
        (b"\x80\x04pickled", "not a model"),
        (HEAD, "not a model"),
        (HEAD + bytes([FORMAT + 1]) + b"later", f"format {FORMAT + 1}"),
        (HEAD + bytes([FORMAT]) + b"no header", "what it is"),
        (HEAD + bytes([FORMAT]) + (2).to_bytes(4, "little") + b"[]", "what it is"),
        (HEAD + bytes([FORMAT]) + (2).to_bytes(4, "little") + b"{}", "lacks a part"),
        (HEAD + bytes([FORMAT]) + b"\xff\xff\xff\xff{}", "what it is"),
    ],
)
def test_what_we_did_not_write_is_refused_in_a_clear_sentence(content, message):
    with pytest.raises(ArtifactRefused, match=message):
        load(content, digest_of(content))


def test_a_cut_off_model_is_refused_even_with_its_own_digest(model):
    cut = dump(model)[:-100]

    with pytest.raises(ArtifactRefused, match="damaged"):
        load(cut, digest_of(cut))


def taken_apart(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return an artifact's header and its packed arrays."""
    start = len(HEAD) + 1 + 4
    end = start + int.from_bytes(content[start - 4 : start], "little")
    return json.loads(content[start:end]), content[end:]


def forged(header: dict[str, Any], body: bytes) -> bytes:
    written = json.dumps(header).encode()
    return HEAD + bytes([FORMAT]) + len(written).to_bytes(4, "little") + written + body


@pytest.mark.parametrize(
    "body", [b"not zlib", zlib.compress(b"not safetensors"), zlib.compress(bytes(10_000_000))]
)
def test_arrays_that_are_no_arrays_are_refused(model, body):
    header, _ = taken_apart(dump(model))
    content = forged(header, body)

    with pytest.raises(ArtifactRefused, match="damaged"):
        load(content, digest_of(content))


@pytest.mark.parametrize("part", ["scales", "rarity", "words", "weights"])
def test_shapes_that_do_not_fit_are_refused_before_the_arrays_are_looked_at(model, part):
    header, _ = taken_apart(dump(model))
    header["shapes"][part][0] //= 2
    content = forged(header, b"never looked at")

    with pytest.raises(ArtifactRefused, match="makes no sense"):
        load(content, digest_of(content))


@pytest.mark.parametrize("part", ["scales", "rarity", "words", "weights"])
def test_an_array_of_another_size_than_the_header_says_is_refused(model, part):
    header, body = taken_apart(dump(model))
    arrays = load_arrays(zlib.decompress(body))
    arrays[part] = np.ascontiguousarray(arrays[part][: len(arrays[part]) // 2])
    content = forged(header, zlib.compress(save(arrays)))

    with pytest.raises(ArtifactRefused, match="damaged"):
        load(content, digest_of(content))


def test_a_model_of_other_vectors_is_refused(model):
    header, body = taken_apart(dump(model))
    header["vectors"]["digest"] = "others"
    content = forged(header, body)

    with pytest.raises(ArtifactRefused, match="other vectors"):
        load(content, digest_of(content))


def test_serving_a_stored_model_needs_no_scikit_learn(model, tmp_path):
    content = dump(model)
    path = tmp_path / "model"
    path.write_bytes(content)
    program = (
        "import pathlib, sys\n"
        "from classifier.engine.artifact import load\n"
        "from classifier.engine.cascade import classify\n"
        "from classifier.engine.policy import Policy\n"
        "from classifier.engine.rules import RuleBook\n"
        "from classifier.engine.taxonomy import Node, Taxonomy\n"
        "from classifier.engine.text import Transcript\n"
        "model = load(pathlib.Path(sys.argv[1]).read_bytes(), sys.argv[2])\n"
        "tree = Taxonomy(tuple(Node(label, label) for label in model.labels))\n"
        "said = [Transcript.of('where is my parcel')]\n"
        "(verdict,) = classify(said, RuleBook(), model, Policy(tree, model.thresholds))\n"
        "print(verdict.primary.category, 'sklearn' in sys.modules)\n"
    )

    told = subprocess.run(
        [sys.executable, "-c", program, str(path), digest_of(content)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.split() == ["delivery.late", "False"]
