"""People, their roles and what these allow, and the keys they sign in with.

Role names and their rights follow KCS v6. Knowledge people rarely do too much: rights are few, generous and
configurable, and every change is logged (enabling, not policing).
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kb.audience import Audience, Reader
from kb.errors import NotAllowed


class Role(StrEnum):
    """What somebody is licensed for (KCS v6). Customers and partners have none: they read and give feedback."""

    CANDIDATE = "candidate"
    CONTRIBUTOR = "contributor"
    PUBLISHER = "publisher"
    COACH = "coach"
    ADMIN = "admin"


class Right(StrEnum):
    """What can be allowed."""

    DRAFT = "draft"  # write articles up to Not Validated, revise one's own
    VALIDATE = "validate"  # validate, revise any article, publish to staff and partners
    PUBLISH = "publish"  # publish to customers and the public
    GOVERN = "govern"  # change articles under compliance governance
    TUNE = "tune"  # the dictionary, the workbench, judgements
    FLAG = "flag"  # say what is wrong, see the cases that come of it and what became of them
    FIX = "fix"  # work on cases: take, assign, comment, weigh, decline, close
    LEAD = "lead"  # say who looks after a domain, list who received what was wrong
    TRAIL = "trail"  # read the trail of any interaction
    COACH = "coach"  # see how others keep to the content standard, and tick what no program can check
    OBSERVE = "observe"  # metrics: they count what some may not know of
    ADMINISTER = "administer"  # people, keys, index


class Scope(StrEnum):
    """What a key or a session opens of what its person may do: never more, often less."""

    READ = "read"  # search, suggest, read
    INTERACT = "interact"  # interactions and their trails
    WRITE = "write"  # articles and their files
    OBSERVE = "observe"
    ADMINISTER = "administer"


SCOPE: dict[Right, Scope] = {
    Right.DRAFT: Scope.WRITE,
    Right.VALIDATE: Scope.WRITE,
    Right.PUBLISH: Scope.WRITE,
    Right.GOVERN: Scope.WRITE,
    Right.TUNE: Scope.WRITE,
    Right.FLAG: Scope.INTERACT,
    Right.FIX: Scope.WRITE,
    Right.LEAD: Scope.WRITE,
    Right.TRAIL: Scope.INTERACT,
    Right.COACH: Scope.WRITE,
    Right.OBSERVE: Scope.OBSERVE,
    Right.ADMINISTER: Scope.ADMINISTER,
}
EVERYTHING = frozenset(Scope)
EVERYDAY = frozenset({Scope.READ, Scope.INTERACT, Scope.WRITE})
"""What a key opens unless told otherwise: a program that searches and writes has no business with people and keys."""


_CANDIDATE = frozenset({Right.DRAFT, Right.FLAG, Right.TRAIL})
_CONTRIBUTOR = _CANDIDATE | {Right.VALIDATE, Right.FIX}
_PUBLISHER = _CONTRIBUTOR | {Right.PUBLISH, Right.GOVERN, Right.TUNE, Right.LEAD}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.CANDIDATE: _CANDIDATE,
    Role.CONTRIBUTOR: _CONTRIBUTOR,
    Role.PUBLISHER: _PUBLISHER,
    Role.COACH: (_PUBLISHER - {Right.GOVERN}) | {Right.COACH},
    Role.ADMIN: frozenset(Right),
}
"""What each role may do unless an administrator has set something else (`Licence`)."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What a role may do and what people here call it, by language. `version` 0 is what KCS suggests, never changed."""

    role: Role
    rights: frozenset[Right]
    names: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who reads, writes or both. `tier` defaults to the public: who is not told more sees least.

    `scopes` is what the key or session they came with opens of it, `allowed` what their roles allow here; None for
    what KCS suggests.
    """

    id: str
    name: str
    tier: Audience = Audience.PUBLIC
    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()
    disabled: bool = False
    scopes: frozenset[Scope] = EVERYTHING
    allowed: frozenset[Right] | None = None

    @property
    def reader(self) -> Reader:
        """What this person may read."""
        return Reader(self.tier, self.groups)

    @property
    def is_staff(self) -> bool:
        """Whether they have a role, whatever their tier: staff see drafts, scores and state; everybody else reads."""
        return bool(self.roles)

    def may(self, right: Right) -> bool:
        """Whether any of the roles carries the right, and the key or session its scope."""
        if self.allowed is None:
            return SCOPE[right] in self.scopes and any(right in RIGHTS[role] for role in self.roles)
        return SCOPE[right] in self.scopes and right in self.allowed

    def require(self, right: Right) -> None:
        """Nothing, or NotAllowed."""
        if not self.may(right):
            raise NotAllowed(f"this needs the right to {right}; your roles: {', '.join(sorted(self.roles)) or 'none'}")


ANONYMOUS = Person(id="anonymous", name="Anonymous", scopes=frozenset({Scope.READ, Scope.INTERACT}))
SYSTEM = Person(id="system", name="kb", tier=Audience.INTERNAL, roles=frozenset({Role.ADMIN}))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A secret that stands for a person. Only its hash is kept; the secret is shown once.

    The secret has 160 random bits, so a plain SHA-256 is enough: there is nothing to guess
    (unlike a password, which needs a slow hash).
    """

    id: str
    person_id: str
    label: str
    secret_hash: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether it opens anything at that moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def new_secret() -> str:
    """A fresh API key, such as "kb_4f..."."""
    return f"kb_{secrets.token_hex(20)}"


def hash_secret(secret: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()
