"""Flags, what people are told, and who looks after which domain. For staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from kb import clock
from kb.api.bodies import Route
from kb.api.case_shapes import CaseOut, ChangedOut
from kb.api.errors import refusals
from kb.api.flag_shapes import (
    DomainIn,
    DomainOut,
    DomainsOut,
    FlaggedOut,
    FlagIn,
    NotificationOut,
    NotificationsIn,
    NotificationsOut,
    ReadIn,
    ReadNotificationOut,
    ReadOut,
)
from kb.api.parts import Parts, Running
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.errors import Invalid
from kb.passage import ItemRef, Kind
from kb.person import Person, Right, Scope
from kb.solve import domains, flagging, reading, telling
from kb.solve.flagging import Said

router = APIRouter(prefix="/api/v1", tags=["cases"], dependencies=[opens(Scope.INTERACT)], route_class=Route)

_ALONE = [Depends(no_query)]


@router.post("/flags", status_code=201, summary="Flag", responses=refusals(403, 404, 409, 413), dependencies=_ALONE)
def flag(asked: FlagIn, me: Me, parts: Parts) -> FlaggedOut:
    """Say what is wrong, in one call. What others flagged in the same sentence for the same cause is the same case;
    you count in it once, and are told once when it is fixed. Needs the right to flag, which all of staff have."""
    me.require(Right.FLAG)  # before an article is looked for
    fields = asked.model_dump(exclude={"number", "item_kind", "item_id"})
    done = flagging.flag(parts.db, me, Said(**fields, item=_item(parts, me, asked)), parts.case_rules)
    return FlaggedOut(id=done.flag.id, again=done.again, case=CaseOut.of(done.case, clock.now()))


@router.get(
    "/notifications",
    summary="Your notifications",
    responses=refusals(),
    dependencies=[Depends(once("unread", "before", "limit"))],
)
def list_notifications(asked: Annotated[NotificationsIn, Query()], me: Me, parts: Parts) -> NotificationsOut:
    """What you were told about cases, the latest first; each thing once."""
    found = telling.listing(parts.db, me, unread=asked.unread, before=asked.before, limit=asked.limit + 1)
    page, at = found[: asked.limit], clock.now()
    more = len(found) > asked.limit
    shown = [NotificationOut.of(each, at) for each in page]
    return NotificationsOut(notifications=shown, next=page[-1].notification.id if more else None)


@router.post("/notifications/read", summary="Mark as read", responses=refusals(403, 413), dependencies=_ALONE)
def mark_notifications(asked: ReadIn, me: Me, parts: Parts) -> ReadOut:
    """Say which of your notifications you have read."""
    return ReadOut(read=telling.mark_read(parts.db, me, asked.ids))


@router.get("/notifications/{notification_id:int}", summary="Read one", responses=refusals(404), dependencies=_ALONE)
def read_notification(
    notification_id: Annotated[int, Path(ge=1, le=2**53, examples=[17])], me: Me, parts: Parts
) -> ReadNotificationOut:
    """One notification; of a fix with what it changed since the revision that you flagged."""
    message = telling.read(parts.db, me, notification_id)
    shown = NotificationOut.of(message, clock.now())
    return ReadNotificationOut(**dict(shown), changed=ChangedOut.of(message.changed))


@router.get("/domains", summary="Owners of domains", responses=refusals(), dependencies=_ALONE)
def list_domains(me: Me, parts: Parts) -> DomainsOut:
    """Who looks after which topic. Needs the right to lead."""
    found = domains.listing(parts.db, me)
    return DomainsOut(domains=[DomainOut(topic=topic, owner_id=owner) for topic, owner in found.items()])


@router.put("/domains", summary="Give a domain an owner", responses=refusals(403, 413), dependencies=_ALONE)
def put_domain(asked: DomainIn, me: Me, parts: Parts) -> DomainOut:
    """Say who looks after a topic: cases about articles there without an owner come to them. Needs the right to
    lead."""
    owner_id = me.id if asked.owner_id == "me" else asked.owner_id
    domains.put(parts.db, me, asked.topic, owner_id)
    return DomainOut(topic=asked.topic, owner_id=owner_id)


def _item(parts: Running, me: Person, asked: FlagIn) -> ItemRef | None:
    if asked.number is not None and (asked.item_kind or asked.item_id):
        raise Invalid("name it by number, or by item_kind and item_id, not by both", "number")
    if (asked.item_kind is None) != (asked.item_id is None):
        raise Invalid("item_kind and item_id go together", "item_id")
    if asked.number is not None:
        return ItemRef(Kind.ARTICLE, reading.find(parts.db, me, asked.number).id)
    return ItemRef(asked.item_kind, asked.item_id) if asked.item_kind and asked.item_id else None
