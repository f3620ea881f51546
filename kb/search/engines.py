"""Where indexes live: a factory that makes, finds and drops generations.

A generation is one whole index. A rebuild fills a new one beside the old and then takes its place, so search never
stops. Which generation is live is recorded in SQL.
"""

import contextlib
import re
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kb.errors import Conflict, IndexBroken, IndexUnavailable, Invalid, NoRoom
from kb.search.edge import EdgeIndex
from kb.search.index import PassageIndex

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Engine(Protocol):
    """Makes and finds generations, which are named by letters, digits, "-" and "_".

    Every method may raise `kb.errors.IndexUnavailable`.
    """

    def create(self, generation: str, dimension: int) -> PassageIndex:
        """A new, empty generation for vectors of that dimension; Conflict where it exists."""

    def open(self, generation: str) -> PassageIndex:
        """A generation that exists; IndexBroken where it does not, or can be read by nobody."""

    def make_live(self, generation: str) -> None:
        """Tell the engine, where it wants to know, which generation is searched."""

    def drop(self, generation: str) -> None:
        """Close and delete a generation; nothing where there is none."""

    def generations(self) -> list[str]:
        """All generations, sorted."""

    def close(self) -> None:
        """Let go of everything."""


class EdgeEngine:
    """Generations as folders beside each other, opened by this process alone.

    An open generation is handed out again, since a folder can be opened once only. Nothing is written while fewer
    than `reserve` bytes, or a tenth of a small disk, are free.
    """

    def __init__(self, folder: Path, reserve: int = 0) -> None:
        self._folder = folder
        self._reserve = reserve
        self._open: dict[str, EdgeIndex] = {}
        self._lock = threading.Lock()

    def create(self, generation: str, dimension: int) -> EdgeIndex:
        """See `Engine`."""
        folder = self._path(generation)
        with self._lock:
            if folder.exists():
                raise Conflict(f"the index generation {generation} exists already; drop it first")
            self._folder.mkdir(parents=True, exist_ok=True)
            # A rebuild that runs out of room half way would begin again and again.
            self._need_room(max((_bytes(self._path(name)) for name in self._open), default=0))
            self._open[generation] = EdgeIndex.create(folder, dimension, self._need_room)
            return self._open[generation]

    def open(self, generation: str) -> EdgeIndex:
        """See `Engine`."""
        folder = self._path(generation)
        with self._lock:
            index = self._open.get(generation)
            if index is None or index.closed:
                index = self._open[generation] = EdgeIndex.open(folder, need_room=self._need_room)
            return index

    def make_live(self, generation: str) -> None:
        """Nothing: folders need not know."""

    def drop(self, generation: str) -> None:
        """See `Engine`."""
        folder = self._path(generation)
        with self._lock:
            index = self._open.pop(generation, None)
            if index is not None:
                with contextlib.suppress(IndexUnavailable):  # a broken one, which need not be whole to be deleted
                    index.close()
            try:
                if folder.exists():
                    shutil.rmtree(folder)
            except OSError as error:
                raise IndexUnavailable(f"cannot delete the index in {folder}: {error}") from error

    def generations(self) -> list[str]:
        """See `Engine`."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir())

    def close(self) -> None:
        """Close what is open: the live index, and one that was being built."""
        with self._lock:
            for index in self._open.values():
                with contextlib.suppress(IndexUnavailable):
                    index.close()
            self._open.clear()

    def _path(self, generation: str) -> Path:
        return self._folder / _checked(generation)

    def _need_room(self, more: int = 0) -> None:
        try:
            disk = shutil.disk_usage(self._folder)
        except OSError as error:
            raise IndexBroken(f"the index folder {self._folder} has been taken away: {error}") from error
        reserve = min(self._reserve, disk.total // 10)
        if disk.free < reserve + more:
            needed = f" and {more >> 20} MB are needed" if more else ""
            raise NoRoom(
                f"{disk.free >> 20} MB are free where the index lies, {reserve >> 20} MB of them are kept free "
                f"(KB_DISK_RESERVE_MB){needed}: indexing pauses until there is room"
            )


class ServerEngine:
    """Generations as collections "<alias>-<generation>" of a server, and an alias for the live one."""

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        alias: str = "kb",
        shards: int = 1,
        replicas: int = 1,
        timeout: float = 5.0,
    ) -> None:
        self._url, self._api_key, self._timeout = url, api_key, timeout
        self._alias, self._shards, self._replicas = alias, shards, replicas
        self._client: QdrantClient | None = None
        self._lock = threading.Lock()

    def create(self, generation: str, dimension: int) -> PassageIndex:
        """See `Engine`."""
        # Imported here and below: the client costs 1.1 s, which the embedded engine should not pay.
        from kb.search.server import ServerIndex

        if generation in self.generations():
            raise Conflict(f"the index generation {generation} exists already; drop it first")
        return ServerIndex.create(
            self._connected(), self._collection(generation), dimension, self._shards, self._replicas
        )

    def open(self, generation: str) -> PassageIndex:
        """See `Engine`."""
        from kb.search.server import ServerIndex

        return ServerIndex.open(self._connected(), self._collection(generation))

    def make_live(self, generation: str) -> None:
        """Point the alias at it, in one step."""
        from kb.search.server import swap_alias

        swap_alias(self._connected(), self._alias, self._collection(generation))

    def drop(self, generation: str) -> None:
        """See `Engine`."""
        from kb.search.server import drop_collection

        drop_collection(self._connected(), self._collection(generation))

    def generations(self) -> list[str]:
        """See `Engine`."""
        from kb.search.server import collections

        prefix = f"{self._alias}-"
        return [name.removeprefix(prefix) for name in collections(self._connected(), prefix)]

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _collection(self, generation: str) -> str:
        return f"{self._alias}-{_checked(generation)}"

    def _connected(self) -> "QdrantClient":
        from kb.search.server import connect

        with self._lock:
            if self._client is None:
                self._client = connect(self._url, self._api_key, self._timeout)
            return self._client


def _bytes(folder: Path) -> int:
    """What a folder takes on disk: files are mostly holes."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def _checked(generation: str) -> str:
    if not _NAME.fullmatch(generation):
        raise Invalid(f"{generation!r} is no name of an index generation", "generation")
    return generation
