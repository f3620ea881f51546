"""Webhooks: who is told what happens here. For administrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.shapes import Id
from kb.api.webhook_shapes import (
    DeliveriesIn,
    DeliveriesOut,
    DeliveryOut,
    ReplayIn,
    ReplayOut,
    WebhookChangeIn,
    WebhookIn,
    WebhookOut,
    WebhookSecretOut,
    WebhooksOut,
)
from kb.person import Scope
from kb.solve import webhooks

router = APIRouter(
    prefix="/api/v1/webhooks", tags=["webhooks"], dependencies=[opens(Scope.ADMINISTER)], route_class=Route
)

WebhookPath = Annotated[Id, Path(examples=["9f8e7d6c5b4a39281706f5e4d3c2b1a0"])]
_ALONE = [Depends(no_query)]


@router.get("", summary="List", responses=refusals(), dependencies=_ALONE)
def list_webhooks(me: Me, parts: Parts) -> WebhooksOut:
    """Who is told what, for readers like you. Needs the right to administer."""
    return WebhooksOut(webhooks=[WebhookOut.of(each) for each in webhooks.listing(parts.db, me)])


@router.post("", status_code=201, summary="Create", responses=refusals(403, 413), dependencies=_ALONE)
def create_webhook(asked: WebhookIn, me: Me, parts: Parts, response: Response) -> WebhookSecretOut:
    """Tell an address what happens from now on, as far as its audience may know. The secret is shown this once."""
    made = webhooks.create(parts.db, me, asked.wanted, parts.webhook_allow)
    response.headers["Location"] = f"{router.prefix}/{made.id}"
    return WebhookSecretOut.of(made)


@router.get("/{webhook_id}", summary="Read", responses=refusals(404), dependencies=_ALONE)
def read_webhook(webhook_id: WebhookPath, me: Me, parts: Parts) -> WebhookOut:
    """One webhook."""
    return WebhookOut.of(webhooks.read(parts.db, me, webhook_id))


@router.put("/{webhook_id}", summary="Change", responses=refusals(403, 404, 409, 413), dependencies=_ALONE)
def change_webhook(webhook_id: WebhookPath, asked: WebhookChangeIn, me: Me, parts: Parts) -> WebhookOut:
    """Make a webhook what is sent; `active` pauses it or goes on. 409 if somebody has changed it since you read it."""
    changed = webhooks.change(parts.db, me, webhook_id, asked.wanted, parts.webhook_allow, asked.version)
    return WebhookOut.of(changed)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    summary="Delete",
    responses=refusals(404, 409),
    dependencies=[Depends(once("version"))],
)
def delete_webhook(
    webhook_id: WebhookPath,
    me: Me,
    parts: Parts,
    version: Annotated[int, Query(ge=1, le=2**31 - 1, description="As you read it.", examples=[1])],
) -> None:
    """Tell it nothing more; what waits for it is dropped."""
    webhooks.delete(parts.db, me, webhook_id, version)


@router.post("/{webhook_id}/secret", summary="Rotate the secret", responses=refusals(404, 409), dependencies=_ALONE)
def rotate_secret(webhook_id: WebhookPath, me: Me, parts: Parts) -> WebhookSecretOut:
    """A new secret, shown this once. For a day the old one signs as well, so that nothing is refused meanwhile."""
    return WebhookSecretOut.of(webhooks.rotate(parts.db, me, webhook_id))


@router.get(
    "/{webhook_id}/deliveries",
    summary="Deliveries",
    responses=refusals(404),
    dependencies=[Depends(once("outcome", "before", "limit"))],
)
def list_deliveries(
    webhook_id: WebhookPath, asked: Annotated[DeliveriesIn, Query()], me: Me, parts: Parts
) -> DeliveriesOut:
    """What it was told or will be, the latest first; kept for 30 days after they ended."""
    found = webhooks.deliveries(parts.db, me, webhook_id, asked.outcome, asked.before, asked.limit + 1)
    page = found[: asked.limit]
    more = page[-1].id if len(found) > asked.limit else None
    return DeliveriesOut(deliveries=[DeliveryOut.of(each) for each in page], next=more)


@router.post("/{webhook_id}/replay", summary="Send again", responses=refusals(404, 413), dependencies=_ALONE)
def replay_deliveries(webhook_id: WebhookPath, asked: ReplayIn, me: Me, parts: Parts) -> ReplayOut:
    """Send deliveries again, in their order: some by id, or all since a time. Their ids stay, so that whoever has
    heard of them knows. What is not for the webhook's audience any more is not sent."""
    return ReplayOut(replayed=webhooks.replay(parts.db, me, webhook_id, asked.ids, asked.since))
