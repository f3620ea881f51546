"""Who may read what: four nested audiences, and groups that narrow further.

The tiers nest: what the public may read, a customer may read, and so on up to internal.
A restriction to groups cuts across: only members of one of the groups may read, whatever their tier.
"""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """The widest circle that may read something (KCS: audience)."""

    PUBLIC = "public"
    CUSTOMER = "customer"
    PARTNER = "partner"
    INTERNAL = "internal"

    @property
    def rank(self) -> int:
        """0 for public up to 3 for internal."""
        return _RANK[self]

    def narrowest(self, other: "Audience") -> "Audience":
        """The more private of the two."""
        return self if self.rank >= other.rank else other


_RANK = {audience: rank for rank, audience in enumerate(Audience)}


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to read something: at least this tier and, if groups are named, one of them."""

    audience: Audience
    groups: frozenset[str] = frozenset()

    @property
    def reader_keys(self) -> tuple[str, ...]:
        """The keys that open it: a reader holding any one of them may read.

        Stored with each passage in the index, so that one exact match filters
        (`MatchValue` costs half of `MatchAny` in Qdrant Edge, see docs/architecture.md).
        """
        tiers = [tier for tier in Audience if tier.rank >= self.audience.rank]
        if not self.groups:
            return tuple(tiers)
        return tuple(f"{tier}:{group}" for tier in tiers for group in sorted(self.groups))


@dataclass(frozen=True, slots=True)
class Reader:
    """The reading side of a person: a tier and the groups they belong to. The default sees least."""

    tier: Audience = Audience.PUBLIC
    groups: frozenset[str] = frozenset()

    def may_read(self, access: Access) -> bool:
        """Whether this reader may see something with that access."""
        if self.tier.rank < access.audience.rank:
            return False
        return not access.groups or bool(access.groups & self.groups)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys this reader holds; see `Access.reader_keys`."""
        return (self.tier, *(f"{self.tier}:{group}" for group in sorted(self.groups)))


ANYONE = Reader()
