"""Flags, notifications and owners of domains, as they go over the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from kb.api.case_shapes import AN_EDITOR, CASE, CHANGED, FIXED, CaseOut, ChangedOut
from kb.api.shapes import MANY, Id, Number, Shape, Short, Text, example
from kb.case import News
from kb.flag import LONGEST_NOTE, LONGEST_QUERY, LONGEST_QUOTE, Cause
from kb.passage import Kind
from kb.solve.telling import Message

_TOLD = {"id": 17, "news": "fixed", "at": "2026-03-15T09:00:00Z", "read_at": None, "case": FIXED, "article": None}


class FlagIn(Shape):
    """What is wrong. The item is named by `number`, or by `item_kind` and `item_id`; for `nothing_answers` by none."""

    model_config = example(
        {
            "cause": "wrong_fact", "number": "482-9175", "revision": 1, "ordinal": 0,
            "quote": "Hold reset for ten seconds", "note": "Since firmware 4 it takes fifteen",
            "query": "red light on the hub",
        }
    )  # fmt: skip

    cause: Annotated[Cause, Field(description="Any but `not_helpful`, which many customers make by events.")]
    number: Number | None = None
    item_kind: Kind | None = None
    item_id: Id | None = None
    revision: Annotated[int | None, Field(ge=1, le=MANY, description="The revision that you saw.")] = None
    ordinal: Annotated[int | None, Field(ge=0, le=MANY, description="The passage of it.")] = None
    quote: Annotated[Text, Field(max_length=LONGEST_QUOTE, description="The text it is about, as it was shown.")] = ""
    note: Annotated[Text, Field(max_length=LONGEST_NOTE, description="Why; needed with `better_way`.")] = ""
    query: Annotated[
        Text, Field(max_length=LONGEST_QUERY, description="What was asked; needed with `nothing_answers`.")
    ] = ""
    search_id: Annotated[Id | None, Field(description="The search that led here.")] = None
    interaction_id: Annotated[Id | None, Field(description="The contact it came up in.")] = None
    severe: Annotated[bool, Field(strict=True, description="Somebody comes to harm by it.")] = False


class FlaggedOut(Shape):
    """Your flag, and the case it belongs to. `again`: you had flagged that before, and now said it anew."""

    model_config = example({"id": "2b3c4d5e6f708192a3b4c5d6e7f80912", "again": False, "case": CASE})

    id: str
    again: bool
    case: CaseOut


class EndingOut(Shape):
    """An article that you look after, or used lately. `due`: when readers stop seeing it, as it was when you were told;
    of a change, when it was."""

    number: str
    title: str
    due: datetime | None


class NotificationOut(Shape):
    """What you are told, once: about a case, an article of yours that ends, one that says something else."""

    id: int
    news: News
    at: datetime
    read_at: datetime | None
    case: CaseOut | None
    article: EndingOut | None

    @classmethod
    def of(cls, message: Message, at: datetime) -> "NotificationOut":
        """A notification as it is shown."""
        told, about = message.notification, message.article
        return cls(
            id=told.id,
            news=told.news,
            at=told.at,
            read_at=told.read_at,
            case=CaseOut.of(message.case, at) if message.case else None,
            article=EndingOut(number=about.number, title=message.title, due=told.due) if about else None,
        )


class ReadNotificationOut(NotificationOut):
    """A notification with what the fix changed since the revision that you flagged."""

    model_config = example(_TOLD | {"changed": CHANGED})

    changed: ChangedOut | None


class NotificationsIn(Shape):
    """Which notifications."""

    unread: Annotated[
        bool | None, Field(description="true: only those that you have not read; false: only those that you have.")
    ] = None
    before: Annotated[int | None, Field(ge=1, le=2**53, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class NotificationsOut(Shape):
    """What you were told, the latest first."""

    model_config = example({"notifications": [_TOLD], "next": None})

    notifications: list[NotificationOut]
    next: Annotated[int | None, Field(description="Send as `before` for the next page; null on the last.")]


class ReadIn(Shape):
    """The notifications that you have read."""

    model_config = example({"ids": [17]})

    ids: Annotated[tuple[Annotated[int, Field(ge=1, le=2**53)], ...], Field(min_length=1, max_length=200)]


class ReadOut(Shape):
    """How many of them were new to you."""

    model_config = example({"read": 1})

    read: int


class DomainOut(Shape):
    """Who looks after a topic, with all topics below it that have no owner of their own."""

    model_config = example({"topic": "broadband/faults", "owner_id": AN_EDITOR})

    topic: str
    owner_id: str | None


class DomainIn(Shape):
    """Who is to look after a topic: an id, "me", or null for nobody."""

    model_config = example({"topic": "broadband/faults", "owner_id": "me"})

    topic: Annotated[Short, StringConstraints(min_length=1)]
    owner_id: Id | None


class DomainsOut(Shape):
    """The domains that have an owner, by topic."""

    model_config = example({"domains": [{"topic": "broadband/faults", "owner_id": AN_EDITOR}]})

    domains: list[DomainOut]
