"""Webhooks and their deliveries, as they go over the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from kb.api.shapes import Moment, Shape, Short, example
from kb.audience import Audience
from kb.solve.webhooks import Wanted
from kb.webhook import Delivery, Event, Outcome, State, Webhook

_ID = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
_WANTED = {
    "name": "CRM", "url": "https://crm.example/hooks/kb", "audience": "internal",
    "events": ["article.published", "article.recalled", "case.opened"], "active": True,
}  # fmt: skip
_HOOK = {name: value for name, value in _WANTED.items() if name != "active"} | {
    "id": _ID, "state": "active", "created_at": "2026-03-14T12:00:00Z", "changed_at": "2026-03-14T12:00:00Z",
    "old_secret_until": None, "version": 1,
}  # fmt: skip
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _written(value: object) -> object:
    """A time as it is described: no number of seconds, which would be read as well."""
    if value is not None and not isinstance(value, str):
        raise ValueError("a time is written out, such as 2026-03-14T12:00:00Z")
    return value


class WebhookIn(Shape):
    """Where to tell what."""

    model_config = example(_WANTED)

    name: Annotated[Short, StringConstraints(min_length=1, max_length=100)]
    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000), Field(description="Begins with https://.")]
    audience: Annotated[Audience, Field(description="Whose eyes it has; cases need `internal` or `partner`.")]
    events: Annotated[tuple[Event, ...], Field(min_length=1, max_length=20)]
    active: Annotated[bool, Field(strict=True, description="False: what happens waits until it is true.")] = True

    @property
    def wanted(self) -> Wanted:
        """As the service takes it."""
        return Wanted(self.name, self.url, self.audience, frozenset(self.events), self.active)


class WebhookChangeIn(WebhookIn):
    """What a webhook is to be."""

    model_config = example(_WANTED | {"version": 1})

    version: Annotated[int, Field(ge=1, le=2**31 - 1, description="As you read it.")]


class WebhookOut(Shape):
    """A webhook. `state` gone: its address answered 410, and it is told nothing until it is made active again."""

    model_config = example(_HOOK)

    id: str
    name: str
    url: str
    audience: Audience
    events: list[Event]
    state: State
    created_at: datetime
    changed_at: datetime
    old_secret_until: Annotated[datetime | None, Field(description="Until then the secret before signs as well.")]
    version: int

    @classmethod
    def of(cls, each: Webhook) -> "WebhookOut":
        """A webhook as it is shown."""
        names = ("id", "name", "url", "audience", "state", "created_at", "changed_at", "version")
        shown = {name: getattr(each, name) for name in names}
        return cls(**shown, events=sorted(each.events), old_secret_until=each.old_until)


class WebhookSecretOut(Shape):
    """A webhook with its secret, which is shown once."""

    model_config = example({"webhook": _HOOK, "secret": _SECRET})

    webhook: WebhookOut
    secret: str

    @classmethod
    def of(cls, each: Webhook) -> "WebhookSecretOut":
        """As it is shown once."""
        return cls(webhook=WebhookOut.of(each), secret=each.secret)


class WebhooksOut(Shape):
    """All webhooks, the oldest first."""

    model_config = example({"webhooks": [_HOOK]})

    webhooks: list[WebhookOut]


class DeliveryOut(Shape):
    """A message, and how it fared. `message_id` is its `webhook-id`, the same however often it is sent."""

    id: int
    message_id: str
    event: Event
    outcome: Outcome
    attempts: int
    status: Annotated[int | None, Field(description="What the address answered last.")]
    error: str
    created_at: datetime
    due_at: datetime
    done_at: datetime | None

    @classmethod
    def of(cls, each: Delivery) -> "DeliveryOut":
        """A delivery as it is shown."""
        return cls(**{name: getattr(each, name) for name in cls.model_fields})


class DeliveriesIn(Shape):
    """Which deliveries."""

    outcome: Outcome | None = None
    before: Annotated[int | None, Field(ge=1, le=2**53, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class DeliveriesOut(Shape):
    """What a webhook was told or will be, the latest first."""

    model_config = example(
        {
            "deliveries": [{
                "id": 17, "message_id": "msg_3d1f0c9e7a5b4c2d8e6f0a1b2c3d4e5f", "event": "article.published",
                "outcome": "delivered", "attempts": 1, "status": 204, "error": "", "created_at": "2026-03-14T12:00:00Z",
                "due_at": "2026-03-14T12:00:00Z", "done_at": "2026-03-14T12:00:01Z",
            }],
            "next": None,
        }
    )  # fmt: skip

    deliveries: list[DeliveryOut]
    next: Annotated[int | None, Field(description="Send as `before` for the next page; null on the last.")]


class ReplayIn(Shape):
    """What to send again: `ids` of deliveries, or everything that happened `since`."""

    model_config = example({"since": "2026-03-14T12:00:00Z"})

    ids: Annotated[tuple[Annotated[int, Field(ge=1, le=2**53)], ...], Field(max_length=200)] = ()
    since: Annotated[Moment | None, BeforeValidator(_written)] = None


class ReplayOut(Shape):
    """How many will be sent again; what waits anyway is not counted."""

    model_config = example({"replayed": 3})

    replayed: int
