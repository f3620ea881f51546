"""Exports: a model in ONNX with its tokenizer, made once, so that serving needs no PyTorch.

An export is a folder in the data folder: `model.onnx` (text to vector, pooling included), `tokenizer.json`, perhaps
`queries.onnx` (the same with its weights in 8 bits, where that is faster) and `manifest.json`, which says what it is,
with the digest of each file. Where a model cannot be exported the manifest says why. `kb.search.exporting` makes them,
in a process of its own: PyTorch must not stay in this one.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from kb.errors import EncoderUnavailable
from kb.search.encoder import PACKAGED_NAME, PACKAGED_SHA256, EncoderIdentity, verified_folder

FORMAT = 1
MODEL, QUERIES, TOKENIZER, MANIFEST = "model.onnx", "queries.onnx", "tokenizer.json", "manifest.json"
UNAVAILABLE = 3
"""How the child ends where the model itself cannot be had."""


class NotExported(Exception):
    """This model is not to be had by ONNX Runtime; the message says why."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """What came of weights in 8 bits: why they do not encode queries, "" where they do, and what was measured.

    That is the least cosine with the exact vectors, and the median of a short query in milliseconds, with 8 bits and
    exact. Whether 8 bits are faster is up to the processor: an export that is copied to another machine brings along
    what was true on the first.
    """

    refused: str = ""
    cosine: float = 0.0
    ms: float = 0.0
    exact_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Export:
    """A model that can be loaded: where it lies, who it is, what stands before a query and before a passage.

    `quantised` is None in an export made before there were weights in 8 bits.
    """

    folder: Path
    identity: EncoderIdentity
    query_prompt: str
    passage_prompt: str
    quantised: Quantised | None = None

    @property
    def queries(self) -> str:
        """The name of the file that encodes queries."""
        return MODEL if self.quantised is None or self.quantised.refused else QUERIES

    def write(self) -> None:
        """Write the manifest, once the other files are there."""
        identity = asdict(self.identity) | {"languages": sorted(self.identity.languages)}
        prompts = {"query_prompt": self.query_prompt, "passage_prompt": self.passage_prompt}
        quantised = {} if self.quantised is None else {"quantised": asdict(self.quantised)}
        _write(self.folder, {"identity": identity, "files": self.digests()} | prompts | quantised)

    def digests(self) -> dict[str, str]:
        """Hex SHA-256 of each file, as they are now. Raises OSError."""
        return {name: _file_digest(self.folder / name) for name in sorted({MODEL, self.queries, TOKENIZER})}


def folder_of(model: str, root: Path) -> Path:
    """Where the export of that model lies, or will: by what the model is, as far as that can be said unloaded.

    For the packaged model and a folder that is the content; a name stays what it was when it was exported.
    Raises EncoderUnavailable where the folder cannot be read.
    """
    what = f"{PACKAGED_NAME}\x1f{PACKAGED_SHA256}"
    if model:
        path = Path(model)
        what = f"{path.name}\x1f{_content(path)}" if path.is_dir() else model
    return root / hashlib.sha256(what.encode()).hexdigest()[:32]


def read(folder: Path) -> Export | None:
    """The export in that folder; None where there is none, or one that is damaged or of another format.

    Raises NotExported where these very libraries could not make one.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        if manifest["format"] != FORMAT:
            return None
        if "refused" in manifest:
            if manifest["made_with"] == _made_with():
                raise NotExported(manifest["refused"])
            return None
        identity = manifest["identity"]
        known = EncoderIdentity(**identity | {"languages": frozenset(identity["languages"])})
        quantised = Quantised(**manifest["quantised"]) if "quantised" in manifest else None
        export = Export(folder, known, manifest["query_prompt"], manifest["passage_prompt"], quantised)
        return export if export.digests() == manifest["files"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def refuse(folder: Path, why: str) -> None:
    """Remember that this model cannot be exported, until the libraries are others."""
    _write(folder, {"refused": why})


def discard(export: Export) -> None:
    """Have it made anew."""
    (export.folder / MANIFEST).unlink(missing_ok=True)


def make(model: str, root: Path) -> Export:
    """The export of a model, made in another process (10 s, of which 8 go into importing PyTorch).

    Raises NotExported where it cannot be made, EncoderUnavailable where there is no such model.
    """
    if not model:
        verified_folder()  # sooner than the other process would say it
    command = [sys.executable, "-m", "kb.search.exporting", model, str(root)]
    # What it reads from us ends when we do, however we end, and then it ends as well.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        said = child.stdout.read().strip().splitlines()
    if child.returncode == UNAVAILABLE:
        raise EncoderUnavailable(said[-1])
    if child.returncode:
        raise NotExported(f"the export ended with {child.returncode}: {said[-1] if said else 'it said nothing'}")
    export = read(folder_of(model, root))
    if export is None:
        raise NotExported(f"the export in {root} cannot be read")
    return export


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    known = {"format": FORMAT, "made_with": _made_with()}
    (folder / MANIFEST).write_text(json.dumps(known | dict(manifest), indent=1))


def _made_with() -> dict[str, str]:
    return {
        name: metadata.version(name)
        for name in ("onnx", "onnxruntime", "sentence-transformers", "torch", "transformers")
    }


def _content(folder: Path) -> str:
    """Hex SHA-256 over all files of a model's folder."""
    sha = hashlib.sha256()
    try:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            sha.update(f"{path.relative_to(folder)}\x1f{_file_digest(path)}\x1f".encode())
    except OSError as error:
        raise EncoderUnavailable(f"the model in {folder} cannot be read: {error}") from error
    return sha.hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
