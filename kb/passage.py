"""Passages: what is indexed, found and shown. Index and searcher know nothing else.

Every kind of content becomes passages: articles, community posts, products. A new kind of content
brings a noun, a store module and an ingest source; nothing below changes.
"""

import hashlib
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kb.audience import Access
from kb.language import Language

_POINTS = uuid.UUID("6f1f1b7e-3a52-5c7b-9d54-0d6b1c0f7a11")


class Kind(StrEnum):
    """The kinds of content that can be found."""

    ARTICLE = "article"
    POST = "post"
    PRODUCT = "product"


class ItemRef(NamedTuple):
    """One piece of content: an article, a post, a product."""

    kind: Kind
    id: str


class PassageRef(NamedTuple):
    """One passage of one revision of one item.

    A tuple, like `ItemRef`: a search makes 200 of them and asks for their hashes 2,000 times, which costs a frozen
    dataclass a millisecond.
    """

    kind: Kind
    item_id: str
    revision: int
    ordinal: int

    @property
    def item(self) -> ItemRef:
        """The item it belongs to."""
        return ItemRef(self.kind, self.item_id)

    @property
    def point_id(self) -> str:
        """Its id in the index, computed and never stored: uuid5(kind, item, revision, ordinal)."""
        return str(uuid.uuid5(_POINTS, f"{self.kind}/{self.item_id}/{self.revision}/{self.ordinal}"))


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text small enough to answer with, carrying what it needs to be found and trimmed.

    `heading` is the path of headings above it; `field` the template field it stands in ("resolution", or "");
    `text` is Markdown; `environment` a short line of where it applies. `access` is the item's access,
    narrowed by the section the passage stands in.
    """

    ref: PassageRef
    title: str
    heading: tuple[str, ...]
    text: str
    language: Language
    access: Access
    field: str = ""
    environment: str = ""
    topic: str = ""
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    confidence: str = ""
    source: str = ""

    @property
    def hash(self) -> str:
        """Hex SHA-256 over everything that is analysed or encoded, the key under which vectors are kept."""
        parts = (self.title, " > ".join(self.heading), self.environment, self.text)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topic and all topics above it: "a/b" gives ("a", "a/b")."""
        parts = self.topic.split("/") if self.topic else []
        return tuple("/".join(parts[: n + 1]) for n in range(len(parts)))
