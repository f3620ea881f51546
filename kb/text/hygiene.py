"""Characters that are never meant, and addresses that may be followed."""

import re
from urllib.parse import urlsplit

from kb.text.narrowing import ODD_BREAK

# Control characters; what turns the direction of text (it shows "exe.jpg" for "gpj.exe"); a zero-width space or a byte
# order mark inside words, which comes with copying and keeps commands from working and words from being found; and
# letters that nobody can see, except in the flags of emoji. Joiners stay: Arabic, Hindi and emoji need them.
_NEVER_MEANT = re.compile(
    "[\0-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
    "|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+"
)
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+")
_NO_ADDRESS = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")


def tidy(text: str) -> str:
    """The text without characters that are never meant. Line breaks that Markdown does not know become ones it does."""
    return _NEVER_MEANT.sub("", ODD_BREAK.sub("\n", text))


def web_address(text: str) -> str:
    """The address, if it is one of the web that a reader may be led to, and else "".

    >>> web_address("https://forum.example/t/1"), web_address("javascript:alert(1)")
    ('https://forum.example/t/1', '')
    """
    if _NO_ADDRESS.search(text):
        return ""
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "") and parts.port != 0
    except ValueError:  # brackets or a port that are none
        return ""
    # A name before the host is there to be taken for the host.
    return text if is_good and "@" not in parts.netloc else ""
