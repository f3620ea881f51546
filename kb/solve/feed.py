"""What has changed, for a feed: the articles that somebody is shown, the one published last first, and what is new.

What an article said before never comes back this way: a change is told by what it says now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb import clock
from kb.article import Article
from kb.errors import Invalid
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import Person
from kb.solve import history, seeing
from kb.store import articles
from kb.store.database import Database, Tx
from kb.text.difference import Change, difference
from kb.text.markdown import narrow, plain
from kb.text.sentences import sentences

PAGE = 50
LONGEST = 500
"""Characters of a summary."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as it is listed: `at` is when it began to be shown as it is."""

    article: Article
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries; `next` asks for those behind them."""

    entries: tuple[Entry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class News:
    """What is new in an article: the whole of it (`is_new`), or the sentences in which anything changed; none where
    something was only taken out."""

    is_new: bool
    text: str


def page(db: Database, by: Person, topic: str, language: Language | None, after: str) -> Page:
    """Up to `PAGE` entries below a topic, behind `after`. Raises Invalid for an `after` that is none of ours.

    An article that another has replaced is left out for whoever is shown the other one.
    """
    at, behind = clock.now(), _place(after)
    with db.read() as tx:
        found = articles.latest(tx, by.reader, at, topic=topic, language=language, behind=behind, limit=PAGE + 1)
        items = {ItemRef(Kind.ARTICLE, each.id): each for each in found[:PAGE]}
        standings = seeing.standings(tx, by, items, at)
    shown = [
        Entry(each, standings[item].title, _shown_since(each))
        for item, each in items.items()
        if item in standings and standings[item].superseded_by is None
    ]
    last = found[PAGE - 1] if len(found) > PAGE else None
    return Page(tuple(shown), _cursor(last) if last else None)


def news(db: Database, by: Person, entries: Sequence[Entry]) -> list[News]:
    """What is new in each of these, as this reader may see it."""
    with db.read() as tx:
        return [_news(tx, by, each.article) for each in entries]


def _news(tx: Tx, by: Person, article: Article) -> News:
    number = article.published or article.latest
    text = plain(narrow(articles.get_revision(tx, article.id, number).body, by.tier))
    before = history.shown_before(tx, by, article)
    if before is None:
        return News(True, _first(text))
    return News(False, _new_sentences(plain(narrow(before.body, by.tier)), text))


def _first(text: str) -> str:
    return _limited([text[start:end] for start, end in sentences(text)])


def _new_sentences(old: str, new: str) -> str:
    """The sentences of a text in which anything was put in."""
    touched, place = [], 0
    for step in difference(old, new):
        if step.change is Change.INSERT and step.text.strip():
            touched.append((place, place + len(step.text)))
        if step.change is not Change.DELETE:
            place += len(step.text)
    return _limited([new[start:end] for start, end in sentences(new) if any(a < end and b > start for a, b in touched)])


def _limited(said: Sequence[str]) -> str:
    text = " ".join(" ".join(said).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _shown_since(article: Article) -> datetime:
    return max(article.published_at or article.created_at, article.valid_from or _EPOCH)


def _cursor(last: Article) -> str:
    micros = (_shown_since(last) - _EPOCH) // timedelta(microseconds=1)
    return f"{micros}.{last.number}"


def _place(after: str) -> tuple[datetime, str] | None:
    if not after:
        return None
    micros, _, number = after.partition(".")
    if not (micros.isascii() and micros.isdigit() and len(micros) <= 17 and number):
        raise Invalid("that is no `next` of this feed: begin again", "after")
    return _EPOCH + timedelta(microseconds=int(micros)), number
