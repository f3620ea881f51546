"""Webhooks: other systems are told what happened here, signed, at least once, in order for each article.

Format and signature follow the Standard Webhooks specification (https://www.standardwebhooks.com): `webhook-id`,
`webhook-timestamp`, `webhook-signature`. Bodies say which, never what an article says.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from kb.audience import Audience, Reader
from kb.errors import Conflict, Invalid

OVERLAP = timedelta(days=1)
"""How long a secret that was replaced still signs beside the new one."""

PATIENCE = timedelta(days=3)
"""After how long a delivery that never succeeds is given up until somebody asks for it again."""

LEASE = timedelta(seconds=120)
"""How long a delivery stays with the process that took it up."""

KEPT = timedelta(days=30)
"""How long what was delivered, or given up, can be replayed."""

_FIRST_S = 5.0
_LONGEST_S = 6 * 3600.0
_PREFIX = "whsec_"


class Event(StrEnum):
    """What can be told."""

    CASE_OPENED = "case.opened"
    CASE_FIXED = "case.fixed"
    CASE_ACCEPTED = "case.accepted"
    ARTICLE_PUBLISHED = "article.published"
    ARTICLE_RECALLED = "article.recalled"  # what was sent may be wrong


CASES = frozenset({Event.CASE_OPENED, Event.CASE_FIXED, Event.CASE_ACCEPTED})
"""Cases are for staff, and for partners' staff."""


class State(StrEnum):
    """Whether a webhook is told anything. What happens while it is paused waits."""

    ACTIVE = "active"
    PAUSED = "paused"
    GONE = "gone"  # its endpoint answered 410


class Outcome(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to tell what. `audience` is whose eyes it has: it hears of nothing that this tier may not read, and of
    nothing that is for groups. `old_secret` signs as well until `old_until`."""

    id: str
    name: str
    url: str
    audience: Audience
    events: frozenset[Event]
    secret: str
    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime
    state: State = State.ACTIVE
    old_secret: str = ""
    old_until: datetime | None = None
    version: int = 1

    @property
    def reader(self) -> Reader:
        """What it may be told of."""
        return Reader(self.audience)

    def checked(self) -> "Webhook":
        """This webhook; raises Invalid, naming the field, for what cannot be."""
        if not self.events:
            raise Invalid("say what it is to be told of", "events")
        if self.events & CASES and self.audience not in (Audience.INTERNAL, Audience.PARTNER):
            raise Invalid("cases are for staff: such a webhook is internal or a partner's", "events")
        return self

    def change(self, by: str, at: datetime, version: int | None, **fields: object) -> "Webhook":
        """The webhook with other particulars; raises Conflict on a stale version, Invalid."""
        if version is not None and version != self.version:
            raise Conflict(f"the webhook is now at version {self.version}, you changed {version}: read it again")
        changed = replace(self, **fields, changed_by=by, changed_at=at, version=self.version + 1)  # type: ignore[arg-type]
        return changed.checked()

    def rotate(self, by: str, at: datetime) -> "Webhook":
        """The webhook with a new secret; the present one signs beside it for `OVERLAP`."""
        return self.change(by, at, None, secret=new_secret(), old_secret=self.secret, old_until=at + OVERLAP)

    def headers(self, message_id: str, body: bytes, at: datetime) -> dict[str, str]:
        """The headers of a message sent at that moment, signed with every secret that is good then."""
        seconds = str(int(at.timestamp()))
        good = [self.secret, *([self.old_secret] if self.old_until is not None and at < self.old_until else [])]
        signed = " ".join(f"v1,{sign(each, message_id, seconds, body)}" for each in good)
        return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": signed}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one webhook. `message_id` stays the same however often it is sent, `key` is what it is in order
    with; `asked_at` is when it was asked for, first or again."""

    id: int
    webhook_id: str
    message_id: str
    key: str
    event: Event
    payload: Mapping[str, Any]
    created_at: datetime
    asked_at: datetime
    due_at: datetime
    outcome: Outcome = Outcome.WAITING
    attempts: int = 0
    status: int | None = None
    error: str = ""
    done_at: datetime | None = None

    def is_given_up(self, at: datetime) -> bool:
        """Whether it is not worth another attempt."""
        return at >= self.asked_at + PATIENCE


def new_secret() -> str:
    """A fresh secret, such as "whsec_C2FV..."."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def sign(secret: str, message_id: str, seconds: str, body: bytes) -> str:
    """HMAC-SHA256 over id, time and body, in base64. Raises Invalid for a secret that is none."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise Invalid("that is no secret of a webhook", "secret") from None
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def wait_s(attempts: int, chance: float) -> float:
    """Seconds until the next attempt: 5, 10, 20, ... up to six hours, less up to a third by `chance` in [0, 1), so that
    what failed together does not come back together."""
    return min(_FIRST_S * 2.0 ** min(attempts, 20), _LONGEST_S) * (1 - chance / 3)
