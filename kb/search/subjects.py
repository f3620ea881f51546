"""What somebody talks about, where it has a name of its own.

A name is a title that several items share: those of one hotel, one product, one command. A message that mentions one
("... the Lensfield Hotel ... is there parking?") asks about that one, and what it asks is in its last question; the
words of all that was said before only lead elsewhere. On live dialogues (dstc11-assist, dev) that is worth .526
nDCG@10 instead of .390; messages that mention no such name are searched as they are.
"""

from collections.abc import Collection, Mapping, Sequence

from kb.passage import ItemRef
from kb.query import Candidate, Reason
from kb.search.typed import rows
from kb.text.sentences import sentences

LONGEST = 8
"""Tokens of a name."""

SHARED = 3
"""Items that have to stand under a title: fewer, and it is no name but what one article is about."""

COMMON = 0.1
"""Share of all items above which a title tells nothing ("FAQ")."""

NAMED = 0.25
"""What it is worth to stand under the name: two standard deviations of a leg (`kb.search.fusion`)."""

_LOOKED_AT = 400  # tokens from the end
_SENTENCES = 3  # a message of fewer is its own question


def key(tokens: Sequence[str]) -> int:
    """A number that stands for a title within this process. Two titles in 2**63 share one."""
    return hash(tuple(tokens))


def mentions(text: str) -> list[int]:
    """The keys of all that a text may name, the latest first and of those that end together the longest."""
    tokens = rows(text)[0][-_LOOKED_AT:] if text.strip() else []
    return [
        key(tokens[start:end])
        for end in range(len(tokens), 0, -1)
        for start in range(max(0, end - LONGEST), end)
        if _can_name(tokens[start:end])
    ]


def chosen(keys: Sequence[int], found: Mapping[int, Sequence[ItemRef]], among: int) -> frozenset[ItemRef]:
    """The items of the first key that is a name, where there are so many items in all."""
    for each in keys:
        items = frozenset(found.get(each, ()))
        if SHARED <= len(items) <= max(SHARED, COMMON * among):
            return items
    return frozenset()


def about(subject: Collection[ItemRef], candidates: list[Candidate]) -> list[Candidate]:
    """The candidates in their new order, where those of the subject count for more."""
    if not subject:
        return candidates
    reason = (Reason("subject", NAMED),)
    found = [each._replace(bonus=each.bonus + reason) if each.ref.item in subject else each for each in candidates]
    return sorted(found, key=lambda each: (-each.total, each.ref))


def question(text: str) -> str:
    """The last question of a message of several sentences, or its last sentence; "" for a shorter one."""
    found = [text[start:end] for start, end in sentences(text)]
    if len(found) < _SENTENCES:
        return ""
    return next((each for each in reversed(found) if each.rstrip("\"'”’」』)）").endswith(("?", "？"))), found[-1])


def _can_name(tokens: Sequence[str]) -> bool:
    """Two Han characters are a word, not a name."""
    return len(tokens) >= 3 or any(len(token) > 1 for token in tokens)
