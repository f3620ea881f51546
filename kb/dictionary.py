"""The managed dictionary: which words mean the same, or also ask for others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kb.audience import Access, Audience
from kb.errors import Conflict, Invalid

MOST_FORMS = 20
"""Words and phrases on either side of an entry: a group of more is a topic, not a word."""

LONGEST_FORM = 100  # characters
LONGEST_NOTE = 500

SEPARATOR = "|"
"""Between the terms in a cell of a CSV file; in none of them."""

MOST_ENTRIES = 2_000
"""Entries for one audience. Counted one by one, so that none of them shows what others are full of."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an entry says: whoever searches for one of `terms` also asks for `means`; for all other terms, if empty.

    It holds for readers who may read what `audience` may. Nobody else sees it, or is answered otherwise because of it.
    """

    terms: tuple[str, ...]
    means: tuple[str, ...] = ()
    audience: Audience = Audience.INTERNAL
    active: bool = True
    note: str = ""

    def __post_init__(self) -> None:
        """Raises Invalid, naming the field, for what cannot be an entry."""
        _check(self.terms, "terms")
        _check(self.means, "means")
        if not self.terms:
            raise Invalid("an entry needs a term: what people type", "terms")
        if not self.means and len(self.terms) == 1:
            raise Invalid("one term alone says nothing: add another one, or say what it means", "terms")
        if both := {_folded(each) for each in self.terms} & {_folded(each) for each in self.means}:
            raise Invalid(f"{min(both)} stands on both sides", "means")
        if len(self.note) > LONGEST_NOTE or "\0" in self.note:
            raise Invalid(f"a note has at most {LONGEST_NOTE} characters", "note")

    @property
    def access(self) -> Access:
        """What it takes to see it."""
        return Access(self.audience)

    @property
    def both_ways(self) -> bool:
        """Whether each term also asks for all others."""
        return not self.means

    def also(self, term: str) -> tuple[str, ...]:
        """What else somebody asks for who types that term."""
        return self.means or tuple(each for each in self.terms if each != term)

    @property
    def sides(self) -> tuple[frozenset[str], frozenset[str], Audience]:
        """What makes two entries the same one: order and letter case aside."""
        return frozenset(map(_folded, self.terms)), frozenset(map(_folded, self.means)), self.audience


@dataclass(frozen=True, slots=True)
class Entry:
    """A meaning in the dictionary, with who wrote and changed it."""

    id: str
    meaning: Meaning
    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime

    def change(self, meaning: Meaning, by: str, at: datetime) -> "Entry":
        """The entry with another meaning; `changed_at` always moves on, whatever the clock says."""
        at = max(at, self.changed_at + timedelta(microseconds=1))
        return replace(self, meaning=meaning, changed_by=by, changed_at=at)

    def expect(self, changed_at: datetime | None) -> "Entry":
        """This entry, if nobody has changed it since the caller read it; raises Conflict otherwise."""
        if changed_at is not None and changed_at != self.changed_at:
            raise Conflict("somebody else has changed this entry since you read it: read it again")
        return self


@dataclass(frozen=True, slots=True)
class Expanded:
    """What the dictionary added to a search: because of `term`, it also asked for `also`."""

    term: str
    also: tuple[str, ...]


def written(forms: Sequence[str]) -> tuple[str, ...]:
    """Words and phrases as they are kept: without outer and double spaces."""
    return tuple(" ".join(each.split()) for each in forms)


def _check(forms: Sequence[str], field: str) -> None:
    if len(forms) > MOST_FORMS:
        raise Invalid(f"an entry has at most {MOST_FORMS} words or phrases on a side", field)
    for place, form in enumerate(forms):
        if not form or form != " ".join(form.split()):
            raise Invalid("a term is a word or a phrase, with single spaces", f"{field}.{place}")
        if len(form) > LONGEST_FORM or not form.isprintable() or SEPARATOR in form:
            wanted = f"a term has at most {LONGEST_FORM} printable characters, none of them {SEPARATOR}"
            raise Invalid(wanted, f"{field}.{place}")
        if _folded(form) in map(_folded, forms[:place]):
            raise Invalid(f"{form} is there twice", f"{field}.{place}")


def _folded(form: str) -> str:
    return form.casefold()
