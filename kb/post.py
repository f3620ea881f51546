"""Community and super-user posts: often the best answer there is, and the least trusted."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from kb.audience import Access, Audience
from kb.language import Language


@dataclass(frozen=True, slots=True)
class Post:
    """One answer in a community thread. `title` is the thread's question, `body` Markdown.

    `source` and `source_key` say where it came from; `url` leads back there. The audience is internal unless the
    centre decides otherwise: what nobody here has checked is for agents first.
    """

    id: str
    source: str
    source_key: str
    title: str
    body: str
    language: Language
    author: str
    created_at: datetime
    audience: Audience = Audience.INTERNAL
    url: str = ""
    votes: int = 0
    accepted: bool = False
    thread: str = ""
    topic: str = ""
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    revision: int = 1

    @property
    def access(self) -> Access:
        """What it takes to read it."""
        return Access(self.audience)

    @property
    def content_hash(self) -> str:
        """Hex SHA-256 of everything an importer can change."""
        parts = (
            self.title, self.body, self.language, self.author, self.audience, self.url, str(self.votes),
            str(self.accepted), self.thread, self.topic, ",".join(self.products), ",".join(self.tags),
        )  # fmt: skip
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
