"""A foreign page that signs short-lived tokens for its agents or customers, such as a shop or an agent desktop."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kb.audience import Audience

AUDIENCE = "kb"
"""What a token names as its audience (`aud`)."""

LONGEST = timedelta(minutes=10)
"""How long a token may be good: one that leaks is soon worth nothing, since it cannot be taken back."""

LEEWAY = timedelta(seconds=30)
"""How far the clocks of two machines may differ."""


class Algorithm(StrEnum):
    """How a host signs. The first two keep the signing key with the host alone."""

    EDDSA = "EdDSA"
    RS256 = "RS256"
    HS256 = "HS256"


@dataclass(frozen=True, slots=True)
class Host:
    """Who may sign what. `key` is a public key in PEM, or the shared secret of HS256; `tier` the most it may vouch for.

    `origins` are the addresses of its pages: where any are named, a browser's request from elsewhere is refused.
    """

    id: str
    name: str
    algorithm: Algorithm
    key: str
    tier: Audience
    created_at: datetime
    origins: frozenset[str] = frozenset()
    revoked_at: datetime | None = None

    @property
    def issuer(self) -> str:
        """What its subjects are kept under; no name, which another host may bear later."""
        return f"host:{self.id}"

    def person_id(self, subject: str, key: bytes) -> str:
        """The id of its customer of that name, always the same and in no table.

        Keyed, so that who reads an id in a trail cannot try out which customer it is.
        """
        return hmac.new(key, f"{self.id}:{subject}".encode(), hashlib.sha256).hexdigest()[:32]
