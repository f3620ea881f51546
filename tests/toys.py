"""Small real things to play with in tests: fast, deterministic, no network."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from kb.search.encoder import EncoderIdentity, Identified
from kb.search.index import Vector


class ToyEncoder(Identified):
    """An encoder that hashes words into a few dimensions: texts that share words are near each other.

    Words are split at white space; a Han text counts character by character. Instant, and always the same.
    """

    def __init__(self, dimension: int = 32, languages: Iterable[str] = (), name: str = "toy") -> None:
        digest = hashlib.sha256(f"{name}/{dimension}".encode()).hexdigest()
        self.identity = EncoderIdentity(name, digest, dimension, max_tokens=256, languages=frozenset(languages))

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """Vectors of length 1, shape (n, dimension); the same as for passages."""
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """Vectors of length 1, shape (n, dimension)."""
        return np.array([self._vector(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def _vector(self, text: str) -> Vector:
        rows = [_direction(word, self.dimension) for word in _words(text)] or [_direction("", self.dimension)]
        total = np.sum(rows, axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)


def _words(text: str) -> list[str]:
    spaced = "".join(f" {char} " if "\u3400" <= char <= "\u9fff" else char for char in text.lower())
    return spaced.split()


def _direction(word: str, dimension: int) -> Vector:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
    return np.asarray(np.random.default_rng(seed).standard_normal(dimension), np.float32)


def copy_index(blank: Path, to: Path) -> Path:
    """A copy of an index folder (closed), holes kept: an empty one is .2 MB on disk in files of 350 MB.

    Making an empty index costs up to a second of fsync, so tests copy one instead.
    """

    def copy(source: str, target: str) -> str:
        with open(target, "wb") as file:
            file.truncate(os.path.getsize(source))
            for start, data in _written_parts(Path(source)):
                os.pwrite(file.fileno(), data, start)
        return target

    return shutil.copytree(blank, to, copy_function=copy)


def bytes_on_disk(folder: Path) -> bytes:
    """All that was ever written under a folder, without the holes."""
    return b"".join(data for path in folder.rglob("*") if path.is_file() for _, data in _written_parts(path))


def _written_parts(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        end = 0
        while True:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:  # only a hole is left
                return
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            yield start, os.pread(file.fileno(), end - start, start)


def tiny_cross_encoder(folder: Path) -> Path:
    """A cross-encoder with random weights, always the same, in a folder: 40 KB, some 2 ms a pair."""
    import torch  # here: a second to import, several when cold
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    folder.mkdir(parents=True)
    words = ["the", "red", "light", "hold", "button", "pay", "bill", "on", "monday", "is", "a", "hub"]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    config = BertConfig(
        vocab_size=5 + len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=512, num_labels=1, initializer_range=0.5,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertForSequenceClassification(config).eval().save_pretrained(folder)
    BertTokenizer(str(vocabulary)).save_pretrained(folder)
    return folder
