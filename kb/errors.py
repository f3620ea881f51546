"""What can go wrong, in the domain's words.

    KbError
    ├── NotFound              no such thing, or not for this reader: the two look the same on purpose
    ├── NotAllowed            known person, missing right
    ├── NotSignedIn           a key that is unknown, expired or revoked
    ├── Invalid               the input cannot be accepted; says which field and what to do
    ├── Conflict              somebody else changed it first
    └── Unavailable           a part we depend on is away; trying again later may work
        ├── IndexUnavailable
        └── EncoderUnavailable

`kb.api.errors` is the one place that turns these into HTTP.
"""


class KbError(Exception):
    """Base of every error that kb raises on purpose."""


class NotFound(KbError):
    """The thing does not exist, or the reader may not know that it does."""


class NotAllowed(KbError):
    """The person is known and lacks the right."""


class NotSignedIn(KbError):
    """The key is unknown, expired or revoked."""


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


class Unavailable(KbError):
    """A part we depend on is away for now."""


class IndexUnavailable(Unavailable):
    """The passage index cannot be reached or opened."""


class EncoderUnavailable(Unavailable):
    """The encoder is still loading or failed to load."""
