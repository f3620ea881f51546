"""What can go wrong, in the domain's words.

    KbError
    ├── NotFound              no such thing, or not for this reader: the two look the same on purpose
    ├── NotAllowed            known person, missing right
    │   └── Foreign           a browser sends it for a page that is not ours
    ├── NotSignedIn           a key, session or token that is unknown, expired or revoked
    ├── TooSoon               too many attempts; trying again later may work
    ├── Invalid               the input cannot be accepted; says which field and what to do
    ├── Conflict              somebody else changed it first
    │   └── Unacknowledged    a severe case about it is open, and nobody has said that they know
    └── Unavailable           a part we depend on is away; trying again later may work
        ├── RecordUnavailable     the database is away, locked, full or read-only
        ├── IndexUnavailable
        │   ├── IndexBroken       unreadable or gone: only building it anew helps
        │   └── NoRoom            the disk is almost full: writing to the index waits
        └── EncoderUnavailable

`kb.api.errors` is the one place that turns these into HTTP.
"""

from datetime import timedelta


class KbError(Exception):
    """Base of every error that kb raises on purpose."""


class NotFound(KbError):
    """The thing does not exist, or the reader may not know that it does."""


class NotAllowed(KbError):
    """The person is known and lacks the right."""


class Foreign(NotAllowed):
    """A browser sent it with a cookie of ours, but not for a page of ours, or for somebody who has left."""


class NotSignedIn(KbError):
    """The key, session or token is unknown, expired or revoked."""


class TooSoon(KbError):
    """Too many attempts; `wait` says when the next one may be made."""

    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait


class Invalid(KbError):
    """The input cannot be accepted.

    `field` names what to change (a dotted path, or "" for the whole);
    the message says what is wrong and what would be right.
    """

    def __init__(self, message: str, field: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.line = line


class Conflict(KbError):
    """Somebody else changed it first: read it again and repeat the change."""


class Unacknowledged(Conflict):
    """A severe case about an item is open: whoever uses it meanwhile says that they know."""


class Unavailable(KbError):
    """A part we depend on is away for now.

    `public` is what anybody may be told: no host, no file.
    """

    public = "a part we depend on is away for now; try again in a few seconds"


class RecordUnavailable(Unavailable):
    """The database is away, locked, full or read-only."""

    def __init__(self, message: str, public: str = "the database cannot be used right now") -> None:
        super().__init__(message)
        self.public = f"{public}; try again in a few seconds"


class IndexUnavailable(Unavailable):
    """The passage index cannot be reached or opened."""


class IndexBroken(IndexUnavailable):
    """The passage index is unreadable or gone: waiting does not help, building it anew does."""


class NoRoom(IndexUnavailable):
    """The disk is almost full. Writing to the index waits until there is room again."""


class EncoderUnavailable(Unavailable):
    """The encoder is still loading or failed to load."""
