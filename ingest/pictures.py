"""Pictures and files that the Markdown files of a folder name by relative paths: they come along."""

import os
import posixpath
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ingest.contract import Problem
from kb.errors import Invalid
from kb.file import DOWNLOADS, PICTURES, Named, clean_name
from kb.media import read_file
from kb.text.addresses import addresses, places, readdressed

_TAKEN = {f".{extension}" for extension in (*PICTURES, *DOWNLOADS, "jpeg")}


class Pictures:
    """What stands beside the texts of a folder. Nothing outside it is ever read, nor what is hidden in it."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit

    def taken_along(self, file: str, key: str, body: str, line: int) -> tuple[str, tuple[Named, ...], list[Problem]]:
        """A body with its pictures and files named by what is in them, these files, and what could not be taken.

        `line` is the one in the file on which the body begins.
        """
        wanted = {address for address, is_picture in addresses(body).items() if _is_local(address, is_picture)}
        if not wanted:
            return body, (), []
        found: dict[str, Named] = {}
        problems: dict[str, Problem] = {}
        for address, start, _ in places(body):
            if address in wanted and address not in found and address not in problems:
                try:
                    found[address] = self._read(file, address)
                except Invalid as error:
                    at = line + body.count("\n", 0, start)
                    problems[address] = Problem(file, f"'{address}' {error}", at, key)
        new = {address: each.file.reference for address, each in found.items()}
        return readdressed(body, new), tuple(found.values()), list(problems.values())

    def _read(self, file: str, address: str) -> Named:
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(file), _path_of(address)))
        path = self._path(inside)
        if path is None:
            raise Invalid("leads out of the folder, or to something hidden")
        if not path.is_file():
            raise Invalid("is not there")
        try:
            size = path.stat().st_size
            if size > self._limit:
                raise Invalid(f"has {size / 1e6:.1f} MB; at most {self._limit / 1e6:g} MB are possible")
            made = read_file(path.read_bytes())
        except OSError as error:
            raise Invalid(f"cannot be read: {error.strerror}") from None
        except ValueError:
            raise Invalid("cannot be a path") from None
        return Named(clean_name(PurePosixPath(inside).name, made.media_type), made)

    def _path(self, inside: str) -> Path | None:
        """The path, on disk composed or not, unless it leads elsewhere: by dots, by a link, into what is hidden."""
        parts = PurePosixPath(inside).parts
        if not parts or "\0" in inside or any(part.startswith(".") or part == "/" for part in parts):
            return None
        for written in (inside, unicodedata.normalize("NFC", inside), unicodedata.normalize("NFD", inside)):
            if os.path.lexists(self._folder / written):
                break
        steps = list(_steps(self._folder, PurePosixPath(written).parts))
        return None if any(step.is_symlink() for step in steps) else steps[-1]


def _steps(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    path = folder
    for part in parts:
        path = path / part
        yield path


def _is_local(address: str, is_picture: bool) -> bool:
    """Whether an address names something of the folder that should come along: any picture, and files we know."""
    path = _path_of(address)
    relative = bool(path) and not path.startswith(("/", "\\")) and ":" not in path.partition("/")[0]
    return relative and (is_picture or PurePosixPath(path).suffix.lower() in _TAKEN)


def _path_of(address: str) -> str:
    return address.partition("#")[0].partition("?")[0]
