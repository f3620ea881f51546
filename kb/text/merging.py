"""Two people changed the same text: what both of them meant, and where they contradict each other.

A three-way merge (diff3: S. Khanna, K. Kunal, B. C. Pierce, *A Formal Investigation of Diff3*, 2007), first by lines,
then inside what both changed by words, which in Chinese are characters. Who did what does not depend on who is called
"theirs": swapping the two swaps the names in the result and nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from kb.text.difference import LIMIT, Cut, Effort, lines, words


class Side(StrEnum):
    """Whose a stretch of text is."""

    SAME = "same"
    THEIRS = "theirs"
    YOURS = "yours"
    BOTH = "both"  # changed by both to the same
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: as it was, and what each made of it."""

    side: Side
    base: str
    theirs: str
    yours: str

    @property
    def text(self) -> str | None:
        """What it becomes; None where somebody has to decide."""
        if self.side is Side.CONFLICT:
            return None
        return self.theirs if self.side is Side.THEIRS else self.yours


@dataclass(frozen=True, slots=True)
class Merged:
    """The pieces in order: their `base`, `theirs` and `yours` joined are the three texts."""

    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str | None:
        """The merged text; None while there is a conflict in it."""
        texts = [piece.text for piece in self.pieces]
        return None if None in texts else "".join(text or "" for text in texts)


def merge(base: str, theirs: str, yours: str) -> Merged:
    """What became of `base` when two people changed it at once.

    Where one changed nothing the other's text stands. Changes of both in one line stand side by side if an unchanged
    word parts them; "10 seconds" made "15 seconds" and "10 minutes" is a conflict.
    """
    pieces: list[Piece] = []
    for piece in _merge(base, theirs, yours, (lines, words), Effort(LIMIT)):
        if pieces and pieces[-1].side is piece.side:
            last = pieces.pop()
            piece = Piece(last.side, last.base + piece.base, last.theirs + piece.theirs, last.yours + piece.yours)
        pieces.append(piece)
    return Merged(tuple(pieces))


def _merge(base: str, theirs: str, yours: str, cuts: Sequence[Cut], effort: Effort) -> Iterator[Piece]:
    if (side := _settled(base, theirs, yours)) is not None:
        if base or theirs or yours:
            yield Piece(side, base, theirs, yours)
        return
    if not cuts:
        yield Piece(Side.CONFLICT, base, theirs, yours)
        return
    cut, *finer = cuts
    sides = [cut(base), cut(theirs), cut(yours)]
    head = _common(*sides)
    tail = _common(*(each[: head - 1 if head else None : -1] for each in sides))
    start, end = "".join(sides[0][:head]), "".join(sides[0][len(sides[0]) - tail :])
    old, first, second = (each[head : len(each) - tail] for each in sides)
    if start:
        yield Piece(Side.SAME, start, start, start)
    if effort.take(len(old) * (len(first) + len(second))):
        yield from _aligned(old, first, second, finer, effort)
    else:
        yield Piece(Side.CONFLICT, "".join(old), "".join(first), "".join(second))
    if end:
        yield Piece(Side.SAME, end, end, end)


def _settled(base: str, theirs: str, yours: str) -> Side | None:
    """Whose text stands, if that can be said without looking inside."""
    if theirs == yours:
        return Side.SAME if base == yours else Side.BOTH
    if theirs == base:
        return Side.YOURS
    return Side.THEIRS if yours == base else None


def _aligned(
    old: Sequence[str], first: Sequence[str], second: Sequence[str], finer: Sequence[Cut], effort: Effort
) -> Iterator[Piece]:
    """What stands between the pieces that both have kept, and those pieces."""
    theirs, yours = _kept(old, first), _kept(old, second)
    i = j = k = 0
    for at, piece in enumerate(old):
        if at in theirs and at in yours and _parts(piece):
            between = ("".join(old[i:at]), "".join(first[j : theirs[at]]), "".join(second[k : yours[at]]))
            yield from _merge(*between, finer, effort)
            yield Piece(Side.SAME, piece, piece, piece)
            i, j, k = at + 1, theirs[at] + 1, yours[at] + 1
    yield from _merge("".join(old[i:]), "".join(first[j:]), "".join(second[k:]), finer, effort)


def _kept(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Where the pieces that stayed stand in the new text, by where they stood."""
    blocks = SequenceMatcher(str.isspace, old, new).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def _parts(piece: str) -> bool:
    """Whether it parts two changes: a line or a word does, a space or a comma does not."""
    return "\n" in piece or any(map(str.isalnum, piece))


def _common(*sides: Sequence[str]) -> int:
    """How many pieces all begin with."""
    count = 0
    for pieces in zip(*sides, strict=False):
        if len(set(pieces)) > 1:
            break
        count += 1
    return count
