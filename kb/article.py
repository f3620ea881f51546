"""Articles and their revisions.

Article state is three fields, never one status (KCS v6): confidence, audience and governance.
An article always has a *latest* revision and may have a *published* one; readers see the published one.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from kb.audience import Access, Audience
from kb.errors import Conflict, Invalid
from kb.file import Named
from kb.language import Language


class Confidence(StrEnum):
    """How sure we are of resolution and form (KCS v6)."""

    WORK_IN_PROGRESS = "work_in_progress"
    NOT_VALIDATED = "not_validated"
    VALIDATED = "validated"
    ARCHIVED = "archived"


class Governance(StrEnum):
    """Who may create and change it: many by experience, or few by rule (KCS v6)."""

    EXPERIENCE = "experience"
    COMPLIANCE = "compliance"


class Size(StrEnum):
    """How much an edit changes, as its author says: what follows from it for translations and for recent users."""

    TYPO = "typo"  # touches nothing else
    CONTENT = "content"  # leaves translations behind
    MEANING = "meaning"  # and they are no longer validated


@dataclass(frozen=True, slots=True)
class Revision:
    """One text of an article; never changed after it is written.

    `body` is Markdown. Blocks between `::: internal` and `:::` are narrowed to that audience. `size` is that of the
    edit that made it.
    """

    article_id: str
    number: int
    title: str
    body: str
    author_id: str
    created_at: datetime
    note: str = ""
    size: Size = Size.CONTENT

    @property
    def content_hash(self) -> str:
        """Hex SHA-256 of title and body: equal text, equal hash."""
        return hashlib.sha256(f"{self.title}\n\n{self.body}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Article:
    """What stays the same while revisions come and go, and the state that readers see.

    `version` counts every change and guards against lost edits. `source` and `source_key` say where an
    ingested article came from ("markdown", "faq/reset.md"); both are empty for one written here. `translates` is the
    revision of its original that a translation says, `confirmed_at` when somebody last said that all is still right,
    `template` the id of the template that it is written in, if it is in one.
    """

    id: str
    number: str
    language: Language
    audience: Audience
    created_at: datetime
    modified_at: datetime
    confidence: Confidence = Confidence.NOT_VALIDATED
    governance: Governance = Governance.EXPERIENCE
    groups: frozenset[str] = frozenset()
    topic: str = ""
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owner_id: str | None = None
    latest: int = 0
    published: int | None = None
    published_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    superseded_by: str | None = None
    translation_of: str | None = None
    source: str = ""
    source_key: str = ""
    source_hash: str = ""
    template: str = ""
    translates: int | None = None
    confirmed_at: datetime | None = None
    version: int = 1

    @property
    def access(self) -> Access:
        """What it takes to read the article as a whole."""
        return Access(self.audience, self.groups)

    def is_live(self, at: datetime) -> bool:
        """Whether readers may be shown it at that moment."""
        return shown_at(at, self.published, self.confidence, self.valid_from, self.valid_until)

    def expect(self, version: int | None) -> "Article":
        """This article, if it still has the version the caller read; raises Conflict otherwise."""
        if version is not None and version != self.version:
            raise Conflict(f"article {self.number} is now at version {self.version}, you changed {version}")
        return self

    def revise(self, at: datetime) -> "Article":
        """The article with one more revision, not yet published."""
        return self._changed(at, latest=self.latest + 1)

    def publish(self, number: int, at: datetime) -> "Article":
        """The article with that revision shown to readers. An archived article has to be reopened first."""
        if not 1 <= number <= self.latest:
            raise Invalid(f"there is no revision {number}; the latest is {self.latest}", "revision")
        if self.confidence is Confidence.ARCHIVED:
            raise Invalid("an archived article cannot be published; set another confidence first", "confidence")
        return self._changed(at, published=number, published_at=at)

    def unpublish(self, at: datetime) -> "Article":
        """The article of which readers are shown nothing: a draft again."""
        if self.published is None:
            raise Conflict(f"article {self.number} is not published")
        return self._changed(at, published=None, published_at=None)

    def archive(self, at: datetime, superseded_by: str | None = None) -> "Article":
        """The article taken out of use; its history stays."""
        return self._changed(at, confidence=Confidence.ARCHIVED, superseded_by=superseded_by or self.superseded_by)

    def confirm(self, at: datetime, until: datetime | None = None) -> "Article":
        """The article, still right. Where it has an end, that moves: to `until`, or by as long as it held before.

        Raises Invalid for an end that has passed.
        """
        if until is not None and until <= at:
            raise Invalid("an article that is still right ends later than now", "valid_until")
        if until is None and self.valid_until is not None:
            since = self.confirmed_at or self.valid_from or self.published_at or self.created_at
            until = at + max(self.valid_until - since, timedelta(days=1))
        return self._changed(at, confirmed_at=at, valid_until=until or self.valid_until)

    def with_state(self, at: datetime, **fields: object) -> "Article":
        """The article with other state or metadata (confidence, audience, groups, topic, ...)."""
        return self._changed(at, **fields)

    def _changed(self, at: datetime, **fields: object) -> "Article":
        return replace(self, modified_at=at, version=self.version + 1, **fields)  # type: ignore[arg-type]


def shown_at(
    at: datetime, published: int | None, confidence: str, valid_from: datetime | None, valid_until: datetime | None
) -> bool:
    """Whether readers are shown an article that stands so: published, not archived, inside its dates."""
    return (
        published is not None
        and confidence != Confidence.ARCHIVED
        and (valid_from is None or valid_from <= at)
        and (valid_until is None or at < valid_until)
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """What a writer or an importer hands over: a text with the state and metadata it should have.

    `files` are those that the text names and that come with it.
    """

    title: str
    body: str
    language: Language
    audience: Audience
    confidence: Confidence = Confidence.NOT_VALIDATED
    governance: Governance = Governance.EXPERIENCE
    groups: frozenset[str] = frozenset()
    topic: str = ""
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owner_id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    superseded_by: str | None = None
    translation_of: str | None = None
    template: str = ""
    note: str = ""
    files: tuple[Named, ...] = ()
