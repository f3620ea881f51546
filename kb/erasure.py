"""Whose traces can be erased, and how that is remembered without remembering them."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PSEUDONYM = "erased-"
"""How every pseudonym begins."""


class SubjectKind(StrEnum):
    """As what somebody stands in the record."""

    CUSTOMER = "customer"  # the reference that interactions carry
    PERSON = "person"  # somebody with an account: staff, partners, customers who sign in
    AUTHOR = "author"  # of posts


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Somebody in one place of the record. `key` is a customer's reference, a person's id or an author's name.

    `source` is where an author writes, "" for the others.
    """

    kind: SubjectKind
    key: str
    source: str = ""

    def __str__(self) -> str:
        """The name that leaves no doubt: "customer:C-1009", "person:5b1e...", "author:forum/sam"."""
        return f"{self.kind}:{self.source}/{self.key}" if self.source else f"{self.kind}:{self.key}"

    def hashed(self, key: bytes) -> str:
        """What the ledger keeps: HMAC-SHA256 (RFC 2104) in hex. Who has no key learns nothing from it, not even
        by trying all references there can be."""
        return hmac.new(key, "\x1f".join((self.kind, self.source, self.key)).encode(), hashlib.sha256).hexdigest()

    def pseudonym(self, key: bytes) -> str:
        """What stands in place of a person's id, the same each time: who did what stays readable, not who it was."""
        return f"{PSEUDONYM}{self.hashed(key)[:16]}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What has been erased, and when: hashes of subjects under a key. A ledger from a file has the key's name only."""

    key_id: str
    erased: dict[str, datetime]
    key: bytes | None = None


def key_id(key: bytes) -> str:
    """A name for a key, from which it cannot be found."""
    return hashlib.sha256(b"kb erasure " + key).hexdigest()[:16]
