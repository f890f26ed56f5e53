"""Artifacts: a model as bytes without pickle, and back; what we did not write is refused."""

import hashlib
import json
import math
import zlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from classifier.engine.calibration import Calibration, Link
from classifier.engine.errors import ArtifactRefused
from classifier.engine.features import Features, WordVectors
from classifier.engine.hashing import KeyTable
from classifier.engine.recipe import Recipe
from classifier.engine.text_model import TextModel
from classifier.engine.thresholds import Thresholds
from classifier.engine.vectors import shipped

FORMAT = 3
"""Raised when the layout changes, or when folding or features change what a model would read."""
_LARGEST = 2**31  # numbers in one array; 200,000 rows of 1,000 labels are a tenth of that
_MAGIC = b"CONTACTREASON"
_LENGTH_BYTES = 4  # of the header's length, little-endian
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "safetensors")
_COMPRESSION = 6  # of 9: an eighth of the time, 4 % more bytes
_ROOM = 1.01  # of the arrays' bytes; safetensors' own header, 100 kB at most, comes on top
_HEADER_ROOM = 100_000
_DTYPES = {
    "words": "uint64",
    "letters": "uint64",
    "rarity": "float32",
    "weights": "int8",
    "scales": "float32",
    "intercepts": "float32",
    "slopes": "float64",
    "offsets": "float64",
    "steadying": "float64",
}
_IN_PLANES = frozenset({"words", "letters", "rarity"})  # whose high bytes are much alike


def dump(model: TextModel, metadata: Mapping[str, Any] | None = None) -> bytes:
    """Return a model, its thresholds and ``metadata`` (what JSON can hold) as bytes.

    Equal for equal models, metadata and library versions. Layout: a magic word, the format's
    number as one byte, the length of the header (4 bytes), the header (a JSON object in UTF-8)
    and, compressed by zlib, the arrays as one safetensors file. Keys are written as steps from
    one to the next, and keys and rarities byte by byte, because that packs better.
    """
    from classifier.engine import refined  # noqa: PLC0415 - it packs two artifacts in one

    if isinstance(model, refined.Refined):
        return refined.packed(model, metadata)
    arrays = _arrays(model)
    packed = {
        name: _planes(_stepped(array) if array.dtype == np.uint64 else array)
        if name in _IN_PLANES
        else array
        for name, array in arrays.items()
    }
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    header = json.dumps(_about(model, metadata) | {"shapes": shapes}, sort_keys=True).encode()
    length = len(header).to_bytes(_LENGTH_BYTES, "little")
    body = zlib.compress(save_arrays(packed), _COMPRESSION)
    return _MAGIC + bytes([FORMAT]) + length + header + body


def digest_of(content: bytes) -> str:
    """Return the SHA-256 (hexadecimal) to store beside an artifact and to load it with."""
    return hashlib.sha256(content).hexdigest()


def load(
    content: bytes | memoryview, sha256: str, vectors: WordVectors | None = None
) -> TextModel:
    """Return the model of an artifact whose digest is ``sha256``; it predicts as it did.

    Digest, format, header and shapes are looked at before the arrays are. ``vectors``: those of
    words, for the models that were trained with them; by default the shipped ones.

    Raises:
        ArtifactRefused: the bytes are others than were stored, not a model of this format, or
            of other vectors.
    """
    from classifier.engine import refined  # noqa: PLC0415 - as in dump

    if bytes(content[: len(refined.MAGIC)]) == refined.MAGIC:
        _check_digest(bytes(content), sha256)
        return refined.opened(bytes(content))
    about, body = _opened(bytes(content), sha256)
    try:
        shapes = _checked_shapes(about)
        own = _own_vectors(about, vectors)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ArtifactRefused(
            f"the model lacks a part or holds one that makes no sense ({type(error).__name__}); "
            "train it again"
        ) from error
    arrays = _unpacked(body, shapes)
    try:
        return _model(arrays, about, own)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ArtifactRefused(
            f"the model holds a part that makes no sense ({type(error).__name__}); train it again"
        ) from error


def describe(content: bytes | memoryview, sha256: str) -> dict[str, Any]:
    """Return what an artifact says about itself: labels, recipe, thresholds, versions, metadata.

    Raises:
        ArtifactRefused: the bytes are others than were stored, or not a model of this format.
    """
    from classifier.engine import refined  # noqa: PLC0415 - as in dump

    if bytes(content[: len(refined.MAGIC)]) == refined.MAGIC:
        _check_digest(bytes(content), sha256)
        return refined.described(bytes(content))
    return _opened(bytes(content), sha256)[0]


def _arrays(model: TextModel) -> dict[str, NDArray[Any]]:
    arrays = {
        "words": model.features.words.keys,
        "letters": model.features.letters.keys,
        "rarity": model.features.rarity,
        "weights": model.weights,
        "scales": model.scales,
        "intercepts": model.intercepts,
        "slopes": model.calibration.slopes,
        "offsets": model.calibration.offsets,
        "steadying": model.calibration.steadying,
    }
    return {
        name: np.ascontiguousarray(array, dtype=_DTYPES[name]) for name, array in arrays.items()
    }


def _about(model: TextModel, metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    vectors = model.features.vectors
    return {
        "labels": list(model.labels),
        "link": model.calibration.link,
        "recipe": json.loads(model.recipe.to_json()),
        "thresholds": model.thresholds.to_dict(),
        "digest": model.digest,
        "vectors": {"digest": vectors.digest, "width": vectors.width} if vectors else None,
        "share": model.features.share,
        "versions": {library: version(library) for library in _LIBRARIES},
        "metadata": dict(metadata or {}),
    }


def _check_digest(content: bytes, sha256: str) -> None:
    if digest_of(content) != sha256.lower():
        raise ArtifactRefused(
            "the model's bytes are not those that were stored (their SHA-256 differs); "
            "restore it from a backup or train it again"
        )


def _opened(content: bytes, sha256: str) -> tuple[dict[str, Any], bytes]:
    """Return the header, and the arrays' bytes as they are."""
    _check_digest(content, sha256)
    if not content.startswith(_MAGIC) or len(content) <= len(_MAGIC):
        raise ArtifactRefused("this is not a model that Contact Reason wrote; train one here")
    written = content[len(_MAGIC)]
    if written != FORMAT:
        raise ArtifactRefused(
            f"the model was written in format {written} and this version reads format {FORMAT}; "
            "train it again"
        )
    start = len(_MAGIC) + 1 + _LENGTH_BYTES
    end = start + int.from_bytes(content[start - _LENGTH_BYTES : start], "little")
    try:
        about = json.loads(content[start:end]) if end <= len(content) else None
    except (RecursionError, ValueError) as error:
        raise ArtifactRefused("the model does not say what it is; train it again") from error
    if not isinstance(about, dict):
        raise ArtifactRefused("the model does not say what it is; train it again")
    return about, content[end:]


def _checked_shapes(about: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array, if they fit together and to the labels."""
    shapes = {name: tuple(int(size) for size in about["shapes"][name]) for name in _DTYPES}
    if any(math.prod(map(abs, shape)) > _LARGEST for shape in shapes.values()):
        raise ValueError("arrays larger than any model's")
    (words,), (letters,) = shapes["words"], shapes["letters"]
    rows, columns = shapes["weights"]
    width = about["vectors"]["width"] if about["vectors"] else 0
    if shapes["rarity"] != (words + letters,) or rows != words + letters + width:
        raise ValueError("arrays of different heights")
    if any(
        shapes[name] != (columns,) for name in ("scales", "intercepts", "slopes", "offsets")
    ):
        raise ValueError("arrays of different widths")
    if (
        columns - len(about["labels"]) not in {0, 1}
        or min(*shapes["weights"], words, letters) < 0
    ):
        raise ValueError("more columns than labels")
    return shapes


def _own_vectors(about: Mapping[str, Any], vectors: WordVectors | None) -> WordVectors | None:
    if not about["vectors"]:
        return None
    vectors = vectors or shipped()
    if vectors.digest != about["vectors"]["digest"]:
        raise ArtifactRefused(
            "the model was trained with other vectors of words than this version has; "
            "train it again"
        )
    return vectors


def _unpacked(body: bytes, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """Return the arrays; never more bytes are made than the shapes ask for."""
    sizes = {
        name: int(np.prod(shape)) * np.dtype(_DTYPES[name]).itemsize
        for name, shape in shapes.items()
    }
    machine = zlib.decompressobj()
    try:
        content = machine.decompress(body, int(sum(sizes.values()) * _ROOM) + _HEADER_ROOM)
        found = load_arrays(content) if machine.eof else {}
    except (zlib.error, SafetensorError) as error:
        raise ArtifactRefused("the model's bytes are damaged; train it again") from error
    if {name: array.nbytes for name, array in found.items()} != sizes:
        raise ArtifactRefused("the model's bytes are damaged; train it again")
    return {name: _restored(name, found[name], shape) for name, shape in shapes.items()}


def _restored(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    plain = _unplaned(array, _DTYPES[name]) if name in _IN_PLANES else array
    if str(plain.dtype) != _DTYPES[name]:
        raise ArtifactRefused("the model's bytes are damaged; train it again")
    whole = np.cumsum(plain, dtype=np.uint64) if plain.dtype == np.uint64 else plain
    return whole.reshape(shape)


def _model(
    arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any], vectors: WordVectors | None
) -> TextModel:
    recipe = Recipe.from_json(json.dumps(about["recipe"]))
    return TextModel(
        tuple(about["labels"]),
        Features(
            recipe.ngrams,
            KeyTable(arrays["words"]),
            KeyTable(arrays["letters"]),
            arrays["rarity"],
            vectors,
            float(about["share"]),
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


def _stepped(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return ascending keys as the steps from one to the next, from 0 on."""
    return np.diff(keys, prepend=np.uint64(0))


def _planes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the first bytes of all numbers, then the second ones, and so on."""
    size = array.dtype.itemsize
    little = array.astype(array.dtype.newbyteorder("<"))
    return np.ascontiguousarray(little.view(np.uint8).reshape(-1, size).T).ravel()


def _unplaned(planes: NDArray[Any], dtype: str) -> NDArray[Any]:
    size = np.dtype(dtype).itemsize
    rows = np.ascontiguousarray(planes.view(np.uint8).reshape(size, -1).T)
    return rows.view(np.dtype(dtype).newbyteorder("<")).ravel().astype(dtype)
