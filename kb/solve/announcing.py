"""What webhooks are told: a row for each that may hear of it, in the transaction of what happened.

Bodies say which and when. What a webhook's tier may not read does not exist for it: not now, and not when it is sent
or replayed later (`may_still_hear`). What is for groups is told to nobody.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from kb.article import Article, Confidence
from kb.case import TO_DO, RevisionCase, State
from kb.flag import Cause
from kb.passage import ItemRef, Kind
from kb.store import articles, cases, content, webhooks
from kb.store.database import Tx
from kb.webhook import Delivery, Event, Webhook

_WRONG = (Cause.WRONG_FACT, Cause.INTERNAL_SHOWN)


def article_changed(tx: Tx, before: Article | None, after: Article, at: datetime) -> None:
    """Tell those for whom another revision is shown now, or will be when the article begins.

    An article that is archived while a case says that it is wrong, or shows what it should not, is recalled.
    """
    hooks = webhooks.every(tx)
    if not hooks:
        return

    begins = max(at, after.valid_from or at)

    def is_new(hook: Webhook) -> bool:
        shown = hook.reader.may_read(after.access) and after.is_live(begins)
        was = before is not None and hook.reader.may_read(before.access) and before.is_live(begins)
        return shown and not (was and before is not None and before.published == after.published)

    # What is to begin must not hold up what is told of the article until then.
    key = f"article/{after.id}" if begins == at else f"begins/{after.id}"
    _tell(tx, hooks, Event.ARTICLE_PUBLISHED, is_new, lambda: _article(tx, after), key, at, begins)
    archived = after.confidence is Confidence.ARCHIVED and before and before.confidence is not Confidence.ARCHIVED
    if archived and after.published is not None:
        about = cases.of_item(tx, ItemRef(Kind.ARTICLE, after.id), [*TO_DO, State.FIXED])
        if any(each.cause in _WRONG for each in about):
            recalled(tx, after, at, "archived", after.published)


def recalled(tx: Tx, article: Article, at: datetime, reason: str, wrong: int | None) -> None:
    """Tell that what was sent of an article may be wrong: up to revision `wrong`. The `reason` is "archived", or
    "corrected" where a fix changes the meaning."""

    def data() -> dict[str, Any]:
        return _article(tx, article) | {"reason": reason, "wrong_revision": wrong}

    hooks, key = webhooks.every(tx), f"article/{article.id}"
    _tell(tx, hooks, Event.ARTICLE_RECALLED, lambda hook: hook.reader.may_read(article.access), data, key, at)


def case_moved(tx: Tx, event: Event, case: RevisionCase, at: datetime) -> None:
    """Tell those who may know of a case what became of it. What a customer asked, the title of a gap, stays here."""
    hooks = webhooks.every(tx)
    if not hooks:
        return
    standing = content.standings(tx, [case.item], at).get(case.item) if case.item else None
    accesses = [case.access, *([standing.access] if standing else [])]
    data = {
        "case_id": case.id,
        "cause": case.cause.value,
        "severity": case.severity.value,
        "state": case.state.value,
        "audience": case.audience.value,
        "article_id": case.item.id if case.item else None,
        "number": case.label or None,
        "title": case.title if case.item else None,
        "revision": case.fixed_revision or case.revision,
        "topic": case.topic,
        "opened_at": _written(case.opened_at),
        "due_at": _written(case.due_at),
    }
    key = f"{case.item.kind}/{case.item.id}" if case.item else f"case/{case.id}"
    _tell(tx, hooks, event, lambda hook: all(map(hook.reader.may_read, accesses)), lambda: data, key, at)


def may_still_hear(tx: Tx, hook: Webhook, each: Delivery, at: datetime) -> bool:
    """Whether a webhook may be told of something by now: it may be for others since. What is gone is for nobody."""
    if each.event not in hook.events:
        return False
    if case_id := each.payload.get("case_id"):
        case = cases.by_ids(tx, [case_id]).get(case_id)
        standing = content.standings(tx, [case.item], at).get(case.item) if case and case.item else None
        accesses = [case.access, *([standing.access] if standing else [])] if case else []
        return case is not None and all(map(hook.reader.may_read, accesses))
    article = articles.by_ids(tx, [each.payload["article_id"]]).get(each.payload["article_id"])
    if article is None or not hook.reader.may_read(article.access):
        return False
    return each.event is not Event.ARTICLE_PUBLISHED or article.is_live(at)


def _tell(
    tx: Tx,
    hooks: list[Webhook],
    event: Event,
    may_hear: Callable[[Webhook], bool],
    data: Callable[[], dict[str, Any]],
    key: str,
    at: datetime,
    due_at: datetime | None = None,
) -> None:
    due = due_at or at
    heard = [hook for hook in hooks if event in hook.events and may_hear(hook)]
    if heard:
        payload = data()
        new = [Delivery(0, hook.id, f"msg_{uuid.uuid4().hex}", key, event, payload, at, due, due) for hook in heard]
        webhooks.add(tx, new)


def _article(tx: Tx, article: Article) -> dict[str, Any]:
    shown = article.published or article.latest
    return {
        "article_id": article.id,
        "number": article.number,
        "title": articles.get_revision(tx, article.id, shown).title,
        "language": article.language.value,
        "audience": article.audience.value,
        "topic": article.topic,
        "revision": shown,
        "published_at": _written(article.published_at),
    }


def _written(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def address(number: str) -> str:
    """Where an article stands on our pages, from the root."""
    return f"/#article={number}"
