"""Is there such a thing already? The nearest articles and posts to a text that is being written (KCS IM-04).

Asked while writing and before saving; nothing is ever refused because of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz

from kb import clock
from kb.audience import Audience
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.query import Query
from kb.solve import seeing
from kb.solve.reuse import Finder
from kb.standing import Standing
from kb.store import passages
from kb.store.database import Database
from kb.text import bounds
from kb.text.markdown import narrow, plain
from kb.text.narrowing import blocks
from kb.text.script import fold
from kb.text.sections import units

NEAR = 80.0
"""Per cent of equal text (normalised edit distance) from which two texts are near-equal: one word in five differs."""

FAR = 0.5
"""Share of the best score below which what a search finds is about something else: it always finds something."""

_ASKED = 500  # characters of a question to the index: what says what a text is about stands first
_READ = 5_000  # characters that are compared
_WEIGHTS = {"same_title": 3, "near_text": 2, "near_title": 1, "same_question": 0}


@dataclass(frozen=True, slots=True)
class Near:
    """Something that may be the same. `reason` is same_title, near_text, near_title or same_question (the search that
    a customer with this issue would make finds it); `likeness` in [0, 1] is that of the texts."""

    standing: Standing
    reason: str
    likeness: float
    score: float


def nearest(
    finder: Finder, by: Person, title: str, body: str, number: str | None = None, limit: int = 5
) -> tuple[list[Near], tuple[str, ...]]:
    """What `by` may read that is nearest to a text, the likeliest duplicate first, and what was `degraded`.

    `number` is the article that is being written, if it has one already. Raises NotAllowed, Invalid, NotFound.
    """
    by.require(Right.DRAFT)
    bounds.check(body)
    at = clock.now()
    own = None
    if number is not None:
        with finder.db.read() as tx:
            own = ItemRef(Kind.ARTICLE, seeing.article(tx, by, number, at).id)
    text, issue = plain(narrow(body, by.tier)), _issue(title, body, by.tier)
    scores: dict[ItemRef, float] = {}
    standings: dict[ItemRef, Standing] = {}
    degraded: dict[str, None] = {}
    for asked in dict.fromkeys(each.strip()[:_ASKED] for each in (f"{title} {issue}", text)):
        if asked:
            answer = finder.find(by, Query(asked, limit=2 * limit), at, exact=True)
            degraded |= dict.fromkeys(answer.degraded)
            for hit in answer.hits:
                scores[hit.item] = max(scores.get(hit.item, 0.0), hit.score)
                standings[hit.item] = answer.standings[hit.item]
    if own is not None:
        scores.pop(own, None)
    texts = _texts(finder.db, by, list(scores))
    found = [_compared(title, text, standings[item], texts.get(item, ""), score) for item, score in scores.items()]
    least = FAR * max(scores.values(), default=0.0)
    found = [each for each in found if each.reason != "same_question" or each.score >= least]
    found.sort(key=lambda each: (-_WEIGHTS[each.reason], -each.score))
    return found[:limit], tuple(degraded)


def _issue(title: str, body: str, tier: Audience) -> str:
    """The issue statement of a text, as that tier may read it."""
    found, _ = units(blocks(narrow(body, tier))[0], title, Audience.PUBLIC)
    return " ".join(each.plain for each in found if each.field == "issue" and not each.is_heading)


def _texts(db: Database, by: Person, items: list[ItemRef]) -> Mapping[ItemRef, str]:
    """What `by` may read of these."""
    with db.read() as tx:
        found = passages.of_items(tx, items)
    return {
        item: plain("\n\n".join(each.text for each in cut if by.reader.may_read(each.access)))
        for item, cut in found.items()
    }


def _compared(title: str, text: str, standing: Standing, theirs: str, score: float) -> Near:
    likeness = fuzz.ratio(_bare(text), _bare(theirs)) if text and theirs else 0.0
    titles = fuzz.ratio(_bare(title), _bare(standing.title)) if title else 0.0
    if title and fold(title).split() == fold(standing.title).split():
        reason = "same_title"
    elif likeness >= NEAR:
        reason = "near_text"
    else:
        reason = "near_title" if titles >= NEAR else "same_question"
    return Near(standing, reason, round(likeness / 100, 3), score)


def _bare(text: str) -> str:
    return " ".join(fold(text[:_READ]).split())
