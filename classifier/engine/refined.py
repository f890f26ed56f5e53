"""Refined: a model that asks a sentence encoder where its cheap part is unsure.

Both parts are linear: the cheap one over word groups, letter groups and static vectors, the fine
one over the same and the encoder's vector of the whole text beside them.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from classifier.engine import artifact
from classifier.engine.calibration import Array, Link
from classifier.engine.encoder import Encoder, configured
from classifier.engine.errors import ArtifactRefused, EncoderUnusable
from classifier.engine.features import Floats, Reading
from classifier.engine.text_model import Opinion, TextModel

logger = logging.getLogger(__name__)

MAGIC = b"REFINED-CONTACTREASON"
UNSURE = {Link.SOFTMAX: 0.25, Link.SIGMOID: 0.6}
"""Share of the texts learnt from that the encoder is asked about; more where the promise of the
cheap part covers fewer than the rest.

Of a text that may have several categories any may be in doubt. Micro-F1 on NLU++, out-of-fold on
train, by the share asked about: none 86.8, a quarter 87.8, 0.4 88.3, 0.6 88.5, all 88.5.
"""


@dataclass(frozen=True)
class Refined(TextModel):
    """The fine part as a TextModel whose margins have the encoder's added, before the cheap one.

    ``thresholds`` and ``recipe`` are of the whole. Evidence of a text that the encoder was asked
    about is what its words add to the fine part; what the encoder adds belongs to no word.
    """

    cheap: TextModel
    whole: Floats
    """Encoder's numbers × columns: weights of the text's vector."""
    doubt: float
    """From this doubt on (see ``doubts``) the encoder is asked."""
    encoder: Encoder

    @classmethod
    def of(
        cls, fine: TextModel, cheap: TextModel, whole: Floats, doubt: float, encoder: Encoder
    ) -> "Refined":
        """Return the two parts as one model."""
        digest = hashlib.sha256(
            f"{fine.digest}{cheap.digest}{doubt!r}{encoder.digest}".encode()
        )
        digest.update(np.ascontiguousarray(whole).tobytes())
        parts = {field.name: getattr(fine, field.name) for field in fields(TextModel)}
        return cls(
            **(parts | {"digest": digest.hexdigest()}),
            cheap=cheap,
            whole=whole,
            doubt=doubt,
            encoder=encoder,
        )

    def opinions(self, readings: Sequence[Reading]) -> list[Opinion]:
        """Return the cheap part's opinions, and the fine part's where that one is in doubt."""
        found = self.cheap.opinions(readings)
        if not found:
            return found
        shares = np.array([list(opinion.shares.values()) for opinion in found])
        asked = np.flatnonzero(doubts(shares, self.calibration.link) >= self.doubt).tolist()
        if not asked:
            return found
        unsure = [readings[row] for row in asked]
        parts = self._scorer.parts(unsure)
        margins = (
            self._scorer.margins(parts)
            + self.encoder.encode([text_of(reading) for reading in unsure]) @ self.whole
        )
        for row, opinion in zip(asked, self._opinions(parts, margins), strict=True):
            found[row] = opinion
        return found

    def margins(self, readings: Sequence[Reading]) -> Array:
        """Return the fine part's texts × columns margins, whatever the cheap part says."""
        vectors = self.encoder.encode([text_of(reading) for reading in readings])
        margins: Array = super().margins(readings) + vectors @ self.whole
        return margins


def text_of(reading: Reading) -> str:
    """Return what an encoder reads of a text."""
    return " ".join(folded.text for folded in reading.folded)


def doubts(shares: Array, link: Link) -> Array:
    """Return how unsure each text's shares (texts × labels) are, 0 to 1.

    Where labels exclude each other, what the likeliest one lacks to 1; else the doubt of the
    label that is closest to even.
    """
    if link is Link.SOFTMAX:
        lacking: Array = 1 - shares.max(axis=1)
        return lacking
    even: Array = 2 * np.minimum(shares, 1 - shares).max(axis=1)
    return even


def doubtful_from(shares: Array, cheap: TextModel) -> float:
    """Return the doubt from which on the encoder is asked, by out-of-fold shares.

    That of the most doubtful ``UNSURE`` of the texts, or of the first text that the cheap part
    would not decide by itself, whichever is lower.
    """
    if not len(shares):
        return 0.0
    doubt = float(
        np.quantile(doubts(shares, cheap.calibration.link), 1 - UNSURE[cheap.calibration.link])
    )
    accept = cheap.thresholds.accept
    if cheap.calibration.link is Link.SIGMOID:
        return doubt
    return 0.0 if accept is None else min(doubt, 1 - accept)


def packed(model: Refined, metadata: Mapping[str, Any] | None = None) -> bytes:
    """Return a model as bytes: a magic word, then one safetensors file with both parts."""
    fine = TextModel(**{field.name: getattr(model, field.name) for field in fields(TextModel)})
    about = {"doubt": model.doubt, "encoder": model.encoder.digest, "digest": model.digest}
    parts = {
        "about": json.dumps(about, sort_keys=True).encode(),
        "cheap": artifact.dump(model.cheap),
        "fine": artifact.dump(fine, metadata),
    }
    arrays = {name: np.frombuffer(part, dtype=np.uint8) for name, part in parts.items()}
    content: bytes = MAGIC + save_arrays(arrays | {"whole": model.whole})
    return content


def opened(content: bytes) -> TextModel:
    """Return the model that ``packed`` wrote; its cheap part alone where its encoder is not there.

    The cheap part keeps its own promise, with thresholds of its own, and answers less.

    Raises:
        ArtifactRefused: the bytes make no sense.
    """
    try:
        arrays = load_arrays(content[len(MAGIC) :])
        about = json.loads(arrays["about"].tobytes())
        parts = {name: arrays[name].tobytes() for name in ("cheap", "fine")}
        whole, doubt, digest = arrays["whole"], float(about["doubt"]), str(about["encoder"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ArtifactRefused("the model's bytes are damaged; train it again") from error
    encoder = _encoder(digest)
    cheap = artifact.load(parts["cheap"], artifact.digest_of(parts["cheap"]))
    if encoder is None:
        return cheap
    fine = artifact.load(parts["fine"], artifact.digest_of(parts["fine"]))
    if whole.dtype != np.float32 or whole.shape[1:] != fine.intercepts.shape:
        raise ArtifactRefused("the model's parts do not match; train it again")
    return replace(Refined.of(fine, cheap, whole, doubt, encoder), digest=str(about["digest"]))


def described(content: bytes) -> dict[str, Any]:
    """Return what the fine part of a packed model says about itself."""
    try:
        fine = load_arrays(content[len(MAGIC) :])["fine"].tobytes()
    except (SafetensorError, KeyError) as error:
        raise ArtifactRefused("the model's bytes are damaged; train it again") from error
    return artifact.describe(fine, artifact.digest_of(fine))


def _encoder(digest: str) -> Encoder | None:
    """Return the encoder of that digest; where it is not there, say so and return None."""
    try:
        found = configured()
    except EncoderUnusable as error:
        logger.warning("encoder=unusable serving=cheap_part reason=%r", str(error))
        return None
    if found is not None and found.digest == digest:
        return found
    reason = (
        "ENCODER_PATH is not set" if found is None else "ENCODER_PATH holds another encoder"
    )
    logger.warning("encoder=missing serving=cheap_part reason=%r", reason)
    return None
