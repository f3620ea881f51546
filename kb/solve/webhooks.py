"""Who is told: webhooks made, changed, paused and taken out, and deliveries asked for again. For administrators.

Somebody sees and makes webhooks with eyes like their own, or lesser ones; all others are not there for them.
"""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from kb import clock
from kb.audience import Audience
from kb.errors import Invalid, NotAllowed, NotFound
from kb.outside import Allowed
from kb.person import Person, Right
from kb.store import audit, webhooks
from kb.store.database import Database, Tx
from kb.text.hygiene import tidy, web_address
from kb.webhook import Delivery, Event, Outcome, State, Webhook, new_secret

MOST = 50
"""Webhooks there can be: each change asks all of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants a webhook to be."""

    name: str
    url: str
    audience: Audience
    events: frozenset[Event]
    active: bool = True


def listing(db: Database, by: Person) -> list[Webhook]:
    """The webhooks that are there for `by`, the oldest first; raises NotAllowed."""
    by.require(Right.ADMINISTER)
    with db.read() as tx:
        return [each for each in webhooks.every(tx) if _sees(by, each.audience)]


def read(db: Database, by: Person, webhook_id: str) -> Webhook:
    """One webhook; raises NotFound, NotAllowed."""
    by.require(Right.ADMINISTER)
    with db.read() as tx:
        return _there(tx, by, webhook_id)


def create(db: Database, by: Person, wanted: Wanted, allowed: Allowed) -> Webhook:
    """A new webhook, whose secret is shown now and never again. Raises Invalid, NotAllowed."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    fields = _fields(by, wanted, allowed)
    new = Webhook(uuid.uuid4().hex, secret=new_secret(), created_by=by.id, created_at=at, changed_by=by.id,
                  changed_at=at, **fields).checked()  # type: ignore[arg-type]  # fmt: skip
    with db.write() as tx:
        if len(webhooks.every(tx)) >= MOST:
            raise Invalid(f"there are {MOST} webhooks, more are not possible", "name")
        webhooks.insert(tx, new)
        audit.write(tx, [_change(by, "create", None, new, at)])
    return new


def change(
    db: Database, by: Person, webhook_id: str, wanted: Wanted, allowed: Allowed, version: int | None = None
) -> Webhook:
    """Make a webhook what is wanted; a pause keeps what happens for later. Raises Conflict, Invalid, NotFound."""
    return _changed(db, by, webhook_id, "change", lambda before, at: before.change(
        by.id, at, version, **_fields(by, wanted, allowed)
    ))  # fmt: skip


def rotate(db: Database, by: Person, webhook_id: str) -> Webhook:
    """A new secret, which is shown now and never again; the old one signs beside it for a day."""
    return _changed(db, by, webhook_id, "rotate", lambda before, at: before.rotate(by.id, at))


def delete(db: Database, by: Person, webhook_id: str, version: int | None = None) -> None:
    """Take a webhook out, with what waits for it. Raises Conflict, NotFound, NotAllowed."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        before = _there(tx, by, webhook_id)
        before.change(by.id, at, version)
        webhooks.delete(tx, webhook_id)
        audit.write(tx, [_change(by, "delete", before, None, at)])


def deliveries(
    db: Database, by: Person, webhook_id: str, outcome: Outcome | None, before: int | None, limit: int
) -> list[Delivery]:
    """What a webhook was told or will be, the latest first; raises NotFound, NotAllowed."""
    by.require(Right.ADMINISTER)
    with db.read() as tx:
        return webhooks.deliveries(tx, _there(tx, by, webhook_id).id, outcome, before, limit)


def replay(db: Database, by: Person, webhook_id: str, ids: Collection[int] = (), since: datetime | None = None) -> int:
    """Send again what was delivered or given up: these, or all that happened since. Returns how many."""
    by.require(Right.ADMINISTER)
    if bool(ids) == (since is not None):
        raise Invalid("say which deliveries, or since when", "since")
    at = clock.now()
    with db.write() as tx:
        hook = _there(tx, by, webhook_id)
        count = webhooks.replay(tx, hook.id, at, ids, since)
        audit.write(tx, [audit.Change(by.id, "replay", webhooks.SUBJECT, hook.id, {}, {"deliveries": count}, at)])
    return count


def _changed(
    db: Database, by: Person, webhook_id: str, action: str, step: Callable[[Webhook, datetime], Webhook]
) -> Webhook:
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        before = _there(tx, by, webhook_id)
        after = step(before, at)
        webhooks.update(tx, before, after)
        audit.write(tx, [_change(by, action, before, after, at)])
    return after


def _there(tx: Tx, by: Person, webhook_id: str) -> Webhook:
    found = webhooks.get(tx, webhook_id)
    if not _sees(by, found.audience):
        raise NotFound(f"no webhook {webhook_id}")
    return found


def _sees(by: Person, audience: Audience) -> bool:
    return audience.rank <= by.tier.rank


def _fields(by: Person, wanted: Wanted, allowed: Allowed) -> dict[str, object]:
    name = " ".join(tidy(wanted.name).split())
    if not name:
        raise Invalid("a webhook needs a name", "name")
    if not _sees(by, wanted.audience):
        raise NotAllowed("you cannot tell others what you may not read yourself")
    url = web_address(wanted.url)
    if not url or not url.isascii():
        raise Invalid("an address begins with https:// and names a host, no user and no password", "url")
    parts = urlsplit(url)
    if parts.scheme != "https" and not allowed.names(parts.hostname or ""):
        raise Invalid("an address begins with https://, or names a host of KB_WEBHOOK_ALLOW", "url")
    state = State.ACTIVE if wanted.active else State.PAUSED
    return {"name": name, "url": url, "audience": wanted.audience, "events": wanted.events, "state": state}


def _change(by: Person, action: str, before: Webhook | None, after: Webhook | None, at: datetime) -> audit.Change:
    """The audit entry; it holds no secret, and of the address, which may hold one, the host only."""
    old, new = audit.difference(_facts(before) if before else {}, _facts(after) if after else {})
    subject = after or before
    return audit.Change(by.id, action, webhooks.SUBJECT, subject.id if subject else "", old, new, at)


def _facts(each: Webhook) -> dict[str, object]:
    return {"name": each.name, "host": urlsplit(each.url).hostname, "audience": each.audience.value,
            "events": sorted(each.events), "state": each.state.value, "version": each.version}  # fmt: skip
