"""Believable examples of the nouns; a test names only the fields it is about."""

import zlib
from datetime import UTC, datetime
from typing import Any

from kb.article import Article, Revision
from kb.audience import Access, Audience
from kb.interaction import Channel, Event, EventKind, Interaction
from kb.language import Language
from kb.passage import Kind, Passage, PassageRef
from kb.person import Person
from kb.post import Post

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def _number(id: str) -> str:
    digits = f"{zlib.crc32(id.encode()) % 10**7:07d}"
    return f"{digits[:3]}-{digits[3:]}"


def an_article(id: str = "a1", **fields: Any) -> Article:
    return Article(
        **{
            "id": id,
            "number": _number(id),
            "language": Language.ENGLISH,
            "audience": Audience.PUBLIC,
            "created_at": NOON,
            "modified_at": NOON,
            **fields,
        }
    )


def a_revision(article_id: str = "a1", number: int = 1, **fields: Any) -> Revision:
    return Revision(
        **{
            "article_id": article_id,
            "number": number,
            "title": "The router's light blinks red",
            "body": "## Resolution\nHold the button for ten seconds. 按住按钮十秒钟。",
            "author_id": "ada",
            "created_at": NOON,
            **fields,
        }
    )


def a_post(id: str = "p1", **fields: Any) -> Post:
    return Post(
        **{
            "id": id,
            "source": "forum",
            "source_key": f"t/{id}",
            "title": "Why does my router blink red?",
            "body": "Mine did that until I updated it.",
            "language": Language.ENGLISH,
            "author": "superuser_sam",
            "created_at": NOON,
            **fields,
        }
    )


def a_passage(item_id: str = "a1", ordinal: int = 0, *, kind: Kind = Kind.ARTICLE, revision: int = 1,
              **fields: Any) -> Passage:  # fmt: skip
    return Passage(
        **{
            "ref": PassageRef(kind, item_id, revision, ordinal),
            "title": "The router's light blinks red",
            "heading": ("Resolution", "By hand"),
            "text": f"Step {ordinal} for {item_id}: hold the button.",
            "language": Language.ENGLISH,
            "access": Access(Audience.PUBLIC),
            **fields,
        }
    )


def a_person(id: str = "ada", **fields: Any) -> Person:
    return Person(**{"id": id, "name": id.title(), "tier": Audience.INTERNAL, **fields})


def an_interaction(id: str = "i1", **fields: Any) -> Interaction:
    return Interaction(**{"id": id, "channel": Channel.PHONE, "opened_at": NOON, "opened_by": "ada", **fields})


def an_event(kind: EventKind, interaction_id: str | None = "i1", **fields: Any) -> Event:
    return Event(**{"kind": kind, "at": NOON, "person_id": "ada", "interaction_id": interaction_id, **fields})
