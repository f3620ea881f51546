"""One process at a time: the embedded index folder is held by a lock from before it is opened until after it closes.

The engine locks each index by itself, but a second process would first touch the record (give up leases, forget
builds) and delete index folders it does not know. So the whole folder has a lock of its own.
"""

import contextlib
import os
from pathlib import Path
from typing import IO

from kb.errors import IndexUnavailable

try:
    import fcntl
except ImportError:  # Windows: the engine's own lock has to do
    fcntl = None  # type: ignore[assignment]


class Hold:
    """The right to open the indexes of a folder. The operating system takes it back when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take it; taking it twice is fine. Raises IndexUnavailable where another process has it."""
        if self._file is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        if fcntl is not None and not _locked(file):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise IndexUnavailable(
                f"another process (pid {holder}) serves {self._path.parent} already. Only one may with the embedded "
                "engine: stop it first, use another KB_DATA_DIR, or set KB_QDRANT_URL to share an index"
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give it back, if it was taken."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def free(self) -> bool:
        """Whether nobody has it."""
        with contextlib.suppress(IndexUnavailable):
            self.take()
            self.release()
            return True
        return False


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
