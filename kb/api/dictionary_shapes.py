"""What the dictionary is asked and answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from kb.api.shapes import Id, Moment, NoNul, Shape, Short, Text, example
from kb.audience import Audience
from kb.dictionary import LONGEST_FORM, LONGEST_NOTE, MOST_FORMS, Entry, Meaning, written
from kb.passage import Kind
from kb.solve.replaying import Difference, Preview
from kb.standing import Standing
from kb.text.hygiene import tidy

Form = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_FORM), NoNul]
_ID = "3d1f0c9e7a5b4c2d8e6f0a1b2c3d4e5f"
_MEANING = {"terms": ["NBN"], "means": ["national broadband network"], "audience": "public", "active": True, "note": ""}
_TIMES = {"created_at": "2026-03-14T12:00:00Z", "changed_at": "2026-03-14T12:00:00.000001Z"}
_ENTRY = _MEANING | _TIMES | {"id": _ID, "created_by": "5b1e6a0c9d2f4f7b", "changed_by": "5b1e6a0c9d2f4f7b"}


class MeaningIn(Shape):
    """What an entry says: whoever searches for one of `terms` also asks for `means`; for all other terms, if empty."""

    model_config = example(_MEANING)

    terms: Annotated[
        tuple[Form, ...], Field(min_length=1, max_length=MOST_FORMS, description="Words and phrases people type.")
    ]
    means: Annotated[tuple[Form, ...], Field(max_length=MOST_FORMS, description="Empty: all terms mean the same.")] = ()
    audience: Annotated[Audience, Field(description="It holds for these readers and those who read more.")]
    active: Annotated[bool, Field(strict=True)] = True
    note: Annotated[Text, Field(max_length=LONGEST_NOTE, description="Why it is there; for editors.")] = ""

    @property
    def noun(self) -> Meaning:
        """The same as a noun; raises Invalid."""
        return Meaning(written(self.terms), written(self.means), self.audience, self.active, tidy(self.note.strip()))


class ChangeIn(MeaningIn):
    """The entry as it should be, whole; `changed_at` as you read it, so that nobody's edit is lost."""

    model_config = example({"terms": ["hub", "router"], "audience": "public", "changed_at": _TIMES["changed_at"]})

    changed_at: Moment


class PreviewIn(MeaningIn):
    """An entry that is not saved yet; `id` says which one it would change."""

    model_config = example(_MEANING)

    id: Annotated[Id | None, Field(description="Of the entry that would be changed; none for a new one.")] = None


class EntryOut(Shape):
    """An entry of the dictionary."""

    model_config = example(_ENTRY)

    id: str
    terms: list[str]
    means: list[str]
    audience: Audience
    active: bool
    note: str
    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        """An entry as it is shown."""
        meaning = entry.meaning
        return cls(
            id=entry.id,
            terms=list(meaning.terms),
            means=list(meaning.means),
            audience=meaning.audience,
            active=meaning.active,
            note=meaning.note,
            created_by=entry.created_by,
            created_at=entry.created_at,
            changed_by=entry.changed_by,
            changed_at=entry.changed_at,
        )


class EntriesIn(Shape):
    """Which entries."""

    q: Annotated[Short, Field(description="In a term, a meaning or the note.")] = ""
    audience: Audience | None = None
    active: bool | None = None
    after: Annotated[Id | None, Field(description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class EntriesOut(Shape):
    """Entries, the one changed last first; `total` counts those on all pages."""

    model_config = example({"entries": [_ENTRY], "total": 1, "next": None})

    entries: list[EntryOut]
    total: int
    next: Annotated[str | None, Field(description="Send as `after` for the next page; null on the last.")]


class ImportIn(Shape):
    """A CSV file: columns terms and means (values separated by |), audience, active (yes or no), note."""

    model_config = example({"csv": "terms,means,audience\nNBN,national broadband network,public\n", "dry_run": True})

    csv: Annotated[str, Field(max_length=1_900_000), NoNul]
    dry_run: Annotated[bool, Field(strict=True, description="Only say what would be done.")] = False


class ImportOut(Shape):
    """How many entries were new, changed (switched, or another note), and there already."""

    model_config = example({"created": 12, "changed": 1, "unchanged": 3})

    created: int
    changed: int
    unchanged: int


class MovedOut(Shape):
    """A hit among the first five: its place without the change and with it; null where it is not among them."""

    kind: Kind
    id: str
    number: str | None
    title: str
    language: str
    before: int | None
    after: int | None


class DifferenceOut(Shape):
    """A search that finds something else, asked as a reader of that tier."""

    query: str
    tier: Audience
    hits: Annotated[list[MovedOut], Field(description="As they are with the change; then what is gone.")]


class PreviewOut(Shape):
    """What an entry would change among the last searches: `touched` of them ask for something else with it.

    `played` of these were asked again before the time was up.
    """

    model_config = example(
        {
            "searches": 200,
            "touched": 3,
            "played": 3,
            "differences": [
                {
                    "query": "nbn down",
                    "tier": "public",
                    "hits": [
                        {
                            "kind": "article",
                            "id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b",
                            "number": "482-9175",
                            "title": "The national broadband network is down",
                            "language": "en",
                            "before": None,
                            "after": 1,
                        }
                    ],
                }
            ],
            "degraded": [],
        }
    )

    searches: int
    touched: int
    played: int
    differences: list[DifferenceOut]
    degraded: Annotated[list[str], Field(description="Parts of the search that were missing, as in a search.")]

    @classmethod
    def of(cls, preview: Preview) -> "PreviewOut":
        """A preview as it is shown."""
        return cls(
            searches=preview.searches,
            touched=preview.touched,
            played=preview.played,
            differences=[_difference(each) for each in preview.differences],
            degraded=list(preview.degraded),
        )


def _difference(each: Difference) -> DifferenceOut:
    before, after = _places(each.before), _places(each.after)
    shown = {one.item: one for one in (*each.after, *each.before)}
    hits = [
        MovedOut(
            kind=item.kind,
            id=item.id,
            number=one.label or None,
            title=one.title,
            language=one.language,
            before=before.get(item),
            after=after.get(item),
        )
        for item, one in shown.items()
    ]
    return DifferenceOut(query=each.past.text, tier=each.past.tier, hits=hits)


def _places(hits: Sequence[Standing]) -> dict[object, int]:
    return {each.item: place for place, each in enumerate(hits, 1)}
