"""Artifacts: a model as bytes without pickle, and back; what we did not write is refused."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from classifier.engine.calibration import Calibration, Link
from classifier.engine.errors import ArtifactRefused
from classifier.engine.features import Features
from classifier.engine.recipe import Recipe
from classifier.engine.text_model import TextModel
from classifier.engine.thresholds import Thresholds

FORMAT = 2
"""Raised when the layout changes, or when folding or features change what a model would read."""
_MAGIC = b"CONTACTREASON"
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "safetensors")
_BETWEEN = "\n"  # groups of words and letters hold no line break: folding leaves none
_COMPRESSION = 9


def dump(model: TextModel, metadata: Mapping[str, Any] | None = None) -> bytes:
    """Return a model, its thresholds and ``metadata`` (what JSON can hold) as bytes.

    Equal for equal models, metadata and library versions. Layout: a magic word, the format's
    number as one byte, then, compressed by zlib, one safetensors file whose array ``about`` is a
    JSON object in UTF-8.
    """
    arrays = _arrays(model) | {
        "about": _packed(json.dumps(_about(model, metadata), sort_keys=True))
    }
    body = zlib.compress(save_arrays(arrays), _COMPRESSION)
    return _MAGIC + bytes([FORMAT]) + body


def digest_of(content: bytes) -> str:
    """Return the SHA-256 (hexadecimal) to store beside an artifact and to load it with."""
    return hashlib.sha256(content).hexdigest()


def load(content: bytes | memoryview, sha256: str) -> TextModel:
    """Return the model of an artifact whose digest is ``sha256``; it predicts as it did.

    Raises:
        ArtifactRefused: the bytes are others than were stored, or not a model of this format.
    """
    arrays = _opened(bytes(content), sha256)
    about = _described(arrays)
    try:
        return _model(arrays, about)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactRefused(
            f"the model lacks a part or holds one that makes no sense ({type(error).__name__}); "
            "train it again"
        ) from error


def describe(content: bytes | memoryview, sha256: str) -> dict[str, Any]:
    """Return what an artifact says about itself: labels, recipe, thresholds, versions, metadata.

    Raises:
        ArtifactRefused: the bytes are others than were stored, or not a model of this format.
    """
    return _described(_opened(bytes(content), sha256))


def _arrays(model: TextModel) -> dict[str, NDArray[Any]]:
    return {
        "words": _packed(_BETWEEN.join(model.features.words)),
        "letters": _packed(_BETWEEN.join(model.features.letters)),
        "rarity": model.features.rarity,
        "weights": np.ascontiguousarray(model.weights),
        "scales": model.scales,
        "intercepts": model.intercepts,
        "slopes": model.calibration.slopes,
        "offsets": model.calibration.offsets,
        "steadying": model.calibration.steadying,
    }


def _about(model: TextModel, metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "labels": list(model.labels),
        "link": model.calibration.link,
        "recipe": json.loads(model.recipe.to_json()),
        "thresholds": model.thresholds.to_dict(),
        "digest": model.digest,
        "versions": {library: version(library) for library in _LIBRARIES},
        "metadata": dict(metadata or {}),
    }


def _opened(content: bytes, sha256: str) -> dict[str, NDArray[Any]]:
    if digest_of(content) != sha256.lower():
        raise ArtifactRefused(
            "the model's bytes are not those that were stored (their SHA-256 differs); "
            "restore it from a backup or train it again"
        )
    if not content.startswith(_MAGIC) or len(content) <= len(_MAGIC):
        raise ArtifactRefused("this is not a model that Contact Reason wrote; train one here")
    written = content[len(_MAGIC)]
    if written != FORMAT:
        raise ArtifactRefused(
            f"the model was written in format {written} and this version reads format {FORMAT}; "
            "train it again"
        )
    try:
        return load_arrays(zlib.decompress(content[len(_MAGIC) + 1 :]))
    except (zlib.error, SafetensorError) as error:
        raise ArtifactRefused("the model's bytes are damaged; train it again") from error


def _described(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(_unpacked(arrays["about"]))
    except (KeyError, ValueError) as error:
        raise ArtifactRefused("the model does not say what it is; train it again") from error
    return about


def _model(arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> TextModel:
    recipe = Recipe.from_json(json.dumps(about["recipe"]))
    model = TextModel(
        tuple(about["labels"]),
        Features.of_groups(
            recipe.ngrams,
            _lines(arrays["words"]),
            _lines(arrays["letters"]),
            arrays["rarity"],
        ),
        arrays["weights"],
        arrays["scales"],
        arrays["intercepts"],
        Calibration(
            Link(about["link"]), arrays["slopes"], arrays["offsets"], arrays["steadying"]
        ),
        Thresholds.from_dict(about["thresholds"]),
        recipe,
        about["digest"],
    )
    _check_shapes(model)
    return model


def _check_shapes(model: TextModel) -> None:
    rows, columns = model.weights.shape
    per_column: Iterable[NDArray[Any]] = (
        model.scales,
        model.intercepts,
        model.calibration.slopes,
        model.calibration.offsets,
    )
    if any(array.shape != (columns,) for array in per_column):
        raise ValueError("arrays of different widths")
    if len(model.features) != rows or model.features.rarity.shape != (rows,):
        raise ValueError("arrays of different heights")
    if columns - len(model.labels) not in {0, 1}:
        raise ValueError("more columns than labels")


def _packed(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)


def _unpacked(array: NDArray[Any]) -> str:
    return array.tobytes().decode("utf-8", "surrogatepass")


def _lines(array: NDArray[Any]) -> list[str]:
    text = _unpacked(array)
    return text.split(_BETWEEN) if text else []
