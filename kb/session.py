"""Somebody signed in to our pages: a cookie stands for them until they leave, are idle too long, or the day is over.

The cookie holds a token of 256 random bits; what is kept is its hash. The token changes every quarter of an hour of
use. A browser that types on drops answers, and with them the new token: so the old one stays good until the new one
has been used, and a moment longer for requests under way. Used after that it is a copy, and ends the session for both
holders (RFC 9700, section 4.14.2, says the same of refresh tokens).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from kb.person import Scope

ROTATED_EVERY = timedelta(minutes=15)
OVERLAP = timedelta(seconds=60)
"""How long the token before is good after the new one was first used."""

SEEN_EVERY = timedelta(seconds=60)
"""How exactly we know when somebody was last here: a write a minute, not one a request."""

JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long somebody stays signed in: without doing anything, and at most."""

    idle: timedelta = timedelta(hours=8)
    longest: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `scopes` is what it opens of what the person may do.

    `seen_at` before `rotated_at` means that nobody has used the present token yet: `rotated_at` is then when it was
    made, and later when it was first used.
    """

    id: str
    person_id: str
    scopes: frozenset[Scope]
    token_hash: str
    created_at: datetime
    rotated_at: datetime
    seen_at: datetime
    expires_at: datetime
    previous_hash: str | None = None

    def is_over(self, at: datetime, idle: timedelta) -> bool:
        """Whether it has ended by itself."""
        return at >= self.expires_at or at >= self.seen_at + idle

    @property
    def is_taken_up(self) -> bool:
        """Whether the present token has been used."""
        return self.seen_at >= self.rotated_at

    def is_copied(self, token_hash: str, at: datetime) -> bool:
        """Whether that token was replaced too long ago to be still under way."""
        return token_hash == self.previous_hash and self.is_taken_up and at > self.rotated_at + OVERLAP


def new_token() -> str:
    """256 random bits in URL-safe characters."""
    return secrets.token_urlsafe(32)


def derived(key: bytes, purpose: str, text: str) -> str:
    """256 bits that nobody can compute without the key: the next token after a token, the CSRF token of a session.

    The next token follows from the one before, so that requests at the same moment all get the same one.
    """
    mac = hmac.new(key, f"{purpose}:{text}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
