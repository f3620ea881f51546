"""What a source of content promises, and what takes it in. A new source is one class that keeps to `Source`.

A source reads: files, an export, somebody's API. It streams items with stable keys and content hashes and knows
nothing of kb's record. A destination writes one kind of content: it tells what is new, changed or unchanged.
`ingest.run` brings the two together and is the same for all.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Outcome(StrEnum):
    """What became of an item."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """One thing of a source.

    `key` names it for ever within the source; `hash` covers everything about it that can be written, so that an
    equal hash means nothing to do. `former_key` is a key it may have been taken in under before. `file` and `line`
    say where it stands, `lines` on which line each of its fields does. `problems` are of parts that could not be taken
    in while the rest can. `row` is how it was written, where it came in columns.
    """

    key: str
    hash: str
    content: T
    file: str
    line: int = 1
    former_key: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence["Problem"] = ()
    row: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be taken in: where it stands and why. The rest goes on.

    `key` is that of the item, None where not even that could be read. `row` is what was said, where it came in columns.
    """

    file: str
    reason: str
    line: int | None = None
    key: str | None = None
    row: Mapping[str, str] | None = field(default=None, compare=False)

    @property
    def where(self) -> str:
        """File and line, as editors and terminals link them."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class Source(Protocol[T]):
    """Reads content from outside.

    `total` is how much there is to read and `done` how much has been, in whatever unit the source counts by:
    the estimate of the time left is made of the two. Order is the same in every run.
    """

    name: str
    total: int
    done: int

    def items(self) -> Iterator[Item[T] | Problem]:
        """Everything there is, one after the other, without holding it all."""
        ...

    def again(self, keys: Collection[str]) -> Iterator[Item[T] | Problem]:
        """The items with these keys once more, after `items` has ended."""
        ...


class Destination(Protocol[T]):
    """Writes one kind of content to kb's record. On a dry run it only says what it would do.

    `batch` is how many items it takes at once; each batch is one transaction.
    """

    batch: int

    def keep(self, items: Sequence[Item[T]]) -> Sequence[tuple[str, Outcome] | Problem]:
        """Write what is new or changed; an answer for each item. Calling it again with the same items is harmless."""
        ...

    def unsettled(self) -> Collection[str]:
        """Keys to be kept once more now that everything has been seen: they name items that came later."""
        ...

    def is_unsettled(self, key: str) -> bool:
        """Whether an item names others that have not been seen so far."""
        ...

    def last_problems(self, is_present: Callable[[str], bool]) -> Iterable[Problem]:
        """What turns out to be wrong only at the end, when it is known what is present in the source."""
        ...

    def stored(self) -> Iterator[str]:
        """The keys of everything this source has brought in and not taken away."""
        ...

    def remove(self, keys: Sequence[str]) -> int:
        """Take away what the source no longer has. Returns how many."""
        ...
