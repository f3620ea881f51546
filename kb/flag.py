"""Flags: somebody on staff says what is wrong with a passage, or that nothing answers (KCS: flag it or fix it)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kb.errors import Invalid
from kb.passage import ItemRef

LONGEST_QUOTE = 1_000  # characters: a sentence or two, not a passage
LONGEST_NOTE = 2_000
LONGEST_QUERY = 2_000


class Cause(StrEnum):
    """What is wrong. It decides who looks at it (`ROADS`)."""

    WRONG_ARTICLE = "wrong_article"  # it does not answer what was asked
    WRONG_FACT = "wrong_fact"  # wrong or outdated
    HARD_TO_USE = "hard_to_use"
    DUPLICATE = "duplicate"  # another article says the same; which one stands in the note
    INTERNAL_SHOWN = "internal_shown"  # internal text that readers outside are shown
    NOTHING_ANSWERS = "nothing_answers"
    BETTER_WAY = "better_way"  # one line that the next revision takes up, with credit
    NOT_HELPFUL = "not_helpful"  # many customers said so; kb opens it, nobody flags it


class Road(StrEnum):
    """Whose work a cause is."""

    SEARCH = "search"  # who tunes search
    OWNER = "owner"
    EDITOR = "editor"
    COMPLIANCE = "compliance"
    GAPS = "gaps"
    CREDIT = "credit"


ROADS: dict[Cause, Road] = {
    Cause.WRONG_ARTICLE: Road.SEARCH,
    Cause.WRONG_FACT: Road.OWNER,
    Cause.HARD_TO_USE: Road.EDITOR,
    Cause.DUPLICATE: Road.EDITOR,
    Cause.INTERNAL_SHOWN: Road.COMPLIANCE,
    Cause.NOTHING_ANSWERS: Road.GAPS,
    Cause.BETTER_WAY: Road.CREDIT,
    Cause.NOT_HELPFUL: Road.EDITOR,
}


@dataclass(frozen=True, slots=True)
class Flag:
    """What one person says about a passage of a revision, and the search and interaction that led there.

    `quote` is the text it is about, as it was shown. `severe` says that somebody comes to harm by it. `said_by` and
    `said_in` are how a source that was brought in calls somebody and a contact that kb does not know.
    """

    id: str
    case_id: str
    cause: Cause
    person_id: str
    created_at: datetime
    changed_at: datetime
    item: ItemRef | None = None
    revision: int | None = None
    ordinal: int | None = None
    quote: str = ""
    note: str = ""
    query: str = ""
    search_id: str | None = None
    interaction_id: str | None = None
    severe: bool = False
    said_by: str = ""
    said_in: str = ""

    def checked(self) -> "Flag":
        """This flag; raises Invalid, naming the field, for what nobody can say."""
        if self.cause is Cause.NOT_HELPFUL:
            raise Invalid("say what is wrong; that something does not help is an event of the trail", "cause")
        if self.cause is Cause.NOTHING_ANSWERS:
            if self.item is not None:
                raise Invalid("nothing answers: then there is no article to name", "item_id")
            if not self.query.strip():
                raise Invalid("say what was asked that nothing answers", "query")
        elif self.item is None or self.revision is None:
            raise Invalid("name the article or post, and the revision that you saw", "revision")
        if self.cause is Cause.BETTER_WAY and not self.note.strip():
            raise Invalid("say in a line what is better", "note")
        for field, most in (("quote", LONGEST_QUOTE), ("note", LONGEST_NOTE), ("query", LONGEST_QUERY)):
            if len(getattr(self, field)) > most:
                raise Invalid(f"a {field} has at most {most} characters", field)
        return self
