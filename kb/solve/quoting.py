"""What a flagged passage said when it was flagged, and what stands in its place today."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kb import clock
from kb.case import RevisionCase
from kb.passage import ItemRef, Passage
from kb.person import Person
from kb.solve import seeing
from kb.solve.flagging import passages_of
from kb.store.database import Database, Tx
from kb.text.difference import Step, difference
from kb.text.markdown import plain
from kb.text.script import fold

_ALIKE = 0.4
"""Share of letters in common from which on a passage may have become another one; two of one article about different
steps have about a third."""

_LONGEST = 4_000  # characters that are compared, some milliseconds for each passage


@dataclass(frozen=True, slots=True)
class Quoted:
    """The passage of a case: in the revision that was flagged, and in the one that is shown now.

    None for what was not flagged by passage or quote, is there no more, or was written for others. `changes` are those
    between both, in words without markup.
    """

    then: Passage | None
    now: Passage | None
    changes: list[Step]


def quoted(db: Database, by: Person, case: RevisionCase) -> Quoted:
    """The passage of a case that is there for `by`, as it was and as it is."""
    then = now = None
    with db.read() as tx:
        if case.item is not None and case.revision is not None:
            then = flagged(case.ordinal, case.quote, _readable(tx, by, case.item, case.revision))
            standing = seeing.standings(tx, by, [case.item], clock.now()).get(case.item)
            if then is not None and standing is not None:
                now = _today(case.quote, then, _readable(tx, by, case.item, standing.revision))
    changes = difference(plain(then.text), plain(now.text)) if then and now else []
    return Quoted(then, now, changes)


def _readable(tx: Tx, by: Person, item: ItemRef, revision: int) -> list[Passage]:
    return [each for each in passages_of(tx, item, revision, by)[1] or () if by.reader.may_read(each.access)]


def flagged(ordinal: int | None, quote: str, found: Sequence[Passage]) -> Passage | None:
    """The passage of a revision that was flagged: by its place, else the first that says what was quoted."""
    if ordinal is not None:
        return next((each for each in found if each.ref.ordinal == ordinal), None)
    return next((each for each in found if _says(each, quote)), None)


def _today(quote: str, then: Passage, found: Sequence[Passage]) -> Passage | None:
    """The passage that says it, else the one most like the flagged one, best below the same headings."""
    for each in found:
        if _says(each, quote):
            return each
    old = plain(then.text)[:_LONGEST]
    likeness = [(SequenceMatcher(None, old, plain(each.text)[:_LONGEST]).ratio(), each) for each in found]
    alike = [(each.heading == then.heading, ratio, each) for ratio, each in likeness if ratio >= _ALIKE]
    return max(alike, key=lambda each: each[:2])[2] if alike else None


def _says(passage: Passage, quote: str) -> bool:
    return bool(quote) and _folded(quote) in _folded(plain(passage.text))


def _folded(text: str) -> str:
    return " ".join(fold(text).split())
