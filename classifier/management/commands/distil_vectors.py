import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from classifier.commands import ReportingCommand
from classifier.engine import vectors
from classifier.engine.distillation import SENTENCES, WordNet, distil, sentences
from classifier.engine.encoder import Encoder
from classifier.engine.errors import EncoderUnusable

_AT_ONCE = 1_000  # texts between two steps of the bar


class Command(ReportingCommand):
    help = (
        "Distil the static vectors from the sentence encoder in ENCODER (see fetch_encoder) and"
        " the files of WordNet 3.0 in WORDNET (Debian: wordnet-base, /usr/share/wordnet). For"
        " maintainers: models trained with other vectors are refused and must be trained again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("encoder", type=Path, metavar="ENCODER")
        parser.add_argument("wordnet", type=Path, metavar="WORDNET")
        parser.add_argument("--out", type=Path, default=vectors.SHIPPED, metavar="FILE")
        parser.add_argument(
            "--sentences", type=int, default=SENTENCES, help="%(default)s take 10 to 20 minutes"
        )

    def handle(self, **options: Any) -> None:
        try:
            encoder = Encoder.of(options["encoder"])
            wordnet = WordNet.of(options["wordnet"])
        except (EncoderUnusable, OSError) as error:
            raise CommandError(str(error)) from error
        texts = sentences(wordnet, encoder.vocabulary, options["sentences"])
        starts = tqdm(range(0, len(texts), _AT_ONCE), unit="k texts", disable=None)
        parts = [encoder.encode(texts[start : start + _AT_ONCE]) for start in starts]
        alone = np.array([encoder.alone(piece) for piece in range(len(encoder.vocabulary))])
        pieces, table = distil(encoder.vocabulary, alone, texts, np.concatenate(parts))
        content = vectors.dump(pieces, table)
        out: Path = options["out"]
        out.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        out.with_suffix(".sha256").write_text(f"{digest}  {out.name}\n")
        self.report(
            {"vectors": len(pieces), "bytes": len(content), "sha256": digest},
            f"{len(pieces)} vectors, {len(content)} bytes, SHA-256 {digest}",
        )
