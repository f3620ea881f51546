"""The content standard as a checklist (KCS PA-05): what a program can check of a text, and what a coach ticks.

Kept for each revision that somebody wrote, so that who coaches sees how it develops; for the author, coaches and
administrators only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from kb.errors import Conflict


class Check(StrEnum):
    """What can be computed."""

    TITLE_LENGTH = "title_length"
    ISSUE = "issue"  # the customer's words are there
    ENVIRONMENT = "environment"
    ONE_QUESTION = "one_question"
    STEPS = "steps"
    LINKS = "links"  # those to articles of ours lead somewhere
    READABLE = "readable"


class Tick(StrEnum):
    """What a coach says."""

    CUSTOMERS_WORDS = "customers_words"
    CORRECT = "correct"
    FINDABLE = "findable"
    NO_DUPLICATE = "no_duplicate"
    RIGHT_AUDIENCE = "right_audience"


@dataclass(frozen=True, slots=True)
class Checklist:
    """The results of one revision: which checks passed, and what a coach ticked (or denied), with a remark.

    `version` counts what coaches changed.
    """

    article_id: str
    revision: int
    computed: Mapping[Check, bool]
    ticked: Mapping[Tick, bool] = field(default_factory=dict)
    remark: str = ""
    version: int = 0
    checked_by: str | None = None
    checked_at: datetime | None = None

    def tick(self, ticked: Mapping[Tick, bool], remark: str, version: int, by: str, at: datetime) -> "Checklist":
        """The checklist with what a coach says now; raises Conflict if another has been faster."""
        if version != self.version:
            raise Conflict(f"this checklist is now at version {self.version}, you changed {version}")
        return replace(self, ticked=dict(ticked), remark=remark, version=version + 1, checked_by=by, checked_at=at)
