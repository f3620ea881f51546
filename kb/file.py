"""Pictures and files of articles: what is kept of one, what it is called, and how a text refers to it.

A text names a file by what is in it, `files/<SHA-256>.png`, wherever Markdown takes an address: the reference means
the same in every revision and in every copy of the text. Behind a picture's may stand its size in pixels
(`#640x480`), so that a page leaves room for it before it has come.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

PICTURES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
"""Media types that are shown where they stand, by extension."""

DOWNLOADS = {"svg": "image/svg+xml", "pdf": "application/pdf"}
"""Media types that are only ever downloaded: a browser runs what is inside them."""

_EXTENSIONS = {media_type: extension for extension, media_type in (PICTURES | DOWNLOADS).items()}
_NAME_LENGTH = 100
_REFERENCE = re.compile(r"files/(?P<hash>[0-9a-f]{64})\.(?P<extension>[a-z]{3,4})(?:#(\d{1,5})x(\d{1,5}))?")
_UNWRITABLE = re.compile(r'[<>:"|?*]')


@dataclass(frozen=True, slots=True)
class File:
    """What may be kept: bytes of a known type, without what they say about people.

    `width` and `height` are in pixels, as they are shown; 0 for what is no picture.
    """

    media_type: str
    content: bytes
    width: int = 0
    height: int = 0

    @property
    def hash(self) -> str:
        """Hex SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def reference(self) -> str:
        """How a text names it."""
        pixels = f"#{self.width}x{self.height}" if self.width else ""
        return f"files/{self.hash}.{_EXTENSIONS[self.media_type]}{pixels}"


@dataclass(frozen=True, slots=True)
class Named:
    """A file with the name that it came under."""

    name: str
    file: File


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of an article, without its bytes, of which `size` is the number."""

    hash: str
    media_type: str
    size: int
    name: str
    added_by: str
    added_at: datetime

    @property
    def is_picture(self) -> bool:
        """Whether it is shown where it stands."""
        return self.media_type in PICTURES.values()


@dataclass(frozen=True, slots=True)
class Reference:
    """An address in a text that names a file. `width` and `height` are 0 where it does not say."""

    hash: str
    is_picture: bool
    width: int
    height: int


def reference(address: str) -> Reference | None:
    """The file that an address in a text names; None for any other address."""
    found = _REFERENCE.fullmatch(address)
    if found is None or found["extension"] not in PICTURES | DOWNLOADS:
        return None
    return Reference(found["hash"], found["extension"] in PICTURES, int(found[3] or 0), int(found[4] or 0))


def references(markdown: str) -> set[str]:
    """The hashes of all files that a text names, wherever: who may read the text may have them."""
    return {found["hash"] for found in _REFERENCE.finditer(markdown)}


def clean_name(name: str, media_type: str) -> str:
    """A name to show and to save under: no folders, nothing unprintable, and the extension of what is inside.

    >>> clean_name("C:\\\\temp\\\\ring.exe", "image/png")
    'ring.png'
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    stem = last.rpartition(".")[0] or last
    printable = "".join(char if char.isprintable() else " " for char in _UNWRITABLE.sub("_", stem))
    words = " ".join(printable.split()).strip(". ")[:_NAME_LENGTH].strip()
    return f"{words or 'file'}.{_EXTENSIONS[media_type]}"


def markdown_for(named: Named) -> str:
    """What to paste into a text: the picture, or a link that says what is behind it and how large that is."""
    words = re.sub(r"([\\\[\]*_`<>&!|~])", r"\\\1", named.name)
    if named.file.width:
        return f"![{words.rpartition('.')[0]}]({named.file.reference})"
    return f"[{words} ({size_in_words(len(named.file.content))})]({named.file.reference})"


def size_in_words(size: int) -> str:
    """A number of bytes as people read it: "12 KB", "3.4 MB"."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} KB"
