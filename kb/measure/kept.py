"""Vectors kept between measurements, so that a second run encodes nothing and need not load the encoder at all."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from kb.errors import EncoderUnavailable
from kb.search.encoder import Encoder, EncoderIdentity, Identified
from kb.search.index import Vector
from kb.search.loading import BackgroundEncoder

PASSAGE, QUERY = "passage", "query"

_AT_ONCE = 400  # keys in one statement
_QUERIES_AT_ONCE = 32


class VectorFile:
    """Vectors in one SQLite file of their own, by encoder digest, side and key. May be used from any thread.

    `key` is a passage's hash (`Passage.hash`) or the SHA-256 of a query.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS vector (encoder TEXT, side TEXT, key TEXT, vector BLOB NOT NULL,"
            " PRIMARY KEY (encoder, side, key)) WITHOUT ROWID"
        )

    def get(self, encoder: str, side: str, keys: Iterable[str]) -> dict[str, Vector]:
        """The vectors that are kept, float32, by key."""
        found: dict[str, Vector] = {}
        wanted = sorted(set(keys))
        with self._lock:
            for start in range(0, len(wanted), _AT_ONCE):
                batch = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(batch))
                rows = self._connection.execute(
                    f"SELECT key, vector FROM vector WHERE encoder = ? AND side = ? AND key IN ({marks})",
                    (encoder, side, *batch),
                )
                found.update({key: np.frombuffer(data, dtype="<f4") for key, data in rows})
        return found

    def put(self, encoder: str, side: str, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors."""
        rows = [(encoder, side, key, np.asarray(row, dtype="<f4").tobytes()) for key, row in vectors.items()]
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class KeptEncoder(Identified):
    """The encoder of the settings, with query vectors from a file, loaded only when something new is to be encoded.

    Raises EncoderUnavailable where it has to be loaded and cannot be.
    """

    def __init__(self, behind: BackgroundEncoder, file: VectorFile) -> None:
        self._behind, self._file = behind, file
        self._queries: dict[str, Vector] = {}
        self.identity: EncoderIdentity = behind.identity or self._loaded().identity

    def learn_queries(self, texts: Sequence[str]) -> int:
        """Have the vectors of these queries at hand; returns how many had to be encoded."""
        keys = {hashlib.sha256(text.encode()).hexdigest(): text for text in texts}
        found = self._file.get(self.digest, QUERY, keys)
        missing = sorted(keys.keys() - found.keys(), key=lambda key: len(keys[key]))
        for start in range(0, len(missing), _QUERIES_AT_ONCE):
            batch = missing[start : start + _QUERIES_AT_ONCE]
            vectors = self._loaded().encode_queries([keys[key] for key in batch])
            fresh = dict(zip(batch, vectors, strict=True))
            self._file.put(self.digest, QUERY, fresh)
            found |= fresh
        self._queries |= {keys[key]: vector for key, vector in found.items()}
        return len(missing)

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`."""
        if not all(text in self._queries for text in texts):
            self.learn_queries(texts)
        return np.stack([self._queries[text] for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`; passages are kept by the indexer, which asks only for what is new."""
        return self._loaded().encode_passages(texts)

    def _loaded(self) -> Encoder:
        encoder = self._behind.ready() or self._behind.start().wait()
        if encoder is None:
            raise EncoderUnavailable(f"the encoder cannot be loaded: {self._behind.state}")
        return encoder
