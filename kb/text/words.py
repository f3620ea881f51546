"""Words as people write them, not as they are indexed: what a spelling can be compared with.

English words are lower case without accents; Chinese ones are Simplified, cut as the analyzer cuts them.
"""

import re
import unicodedata
from collections.abc import Iterator

import rjieba

from kb.text.identifiers import identifiers
from kb.text.script import HAN_RUN, mainland, simplified

LONGEST = 32
"""Letters or characters of the longest word worth knowing."""

_SHORTEST = 3  # letters
_ADDRESS = re.compile(r"\w+://\S+|www\.\S+|\S+@\S+")
# Letters that touch no digit and no underscore; "customer" of "customer's" and both halves of "log-in" count.
_LETTERS = re.compile(r"(?<!\w)[^\W\d_]+(?!\w)")
QUOTED = re.compile(r"\"[^\"]{2,}\"|“[^”]{2,}”|「[^」]{2,}」|『[^』]{2,}』")
"""A phrase in quotes, Western or Chinese: it means what it says."""
_CHUNK = re.compile(r"\S+")
_INSIDE = re.compile(r"\w[@/\\:.=_]+\w|[\d_@\\=<>{}$%]")  # user.name, a/b, C:\x, x=1: not prose


def words(text: str) -> set[str]:
    """The words of a text: English ones from three letters on, Chinese ones of any length.

    Where Taiwan says it with another word, that of the mainland counts too. 30 us for a passage in English, 150 us
    for one in Chinese.
    """
    found = set()
    if not text.isascii():
        han = "\n".join(HAN_RUN.findall(text))
        for written in dict.fromkeys((simplified(han), mainland(han))) if han else ():
            found.update(rjieba.cut_for_search(written))
        found.discard("\n")
        text = HAN_RUN.sub(" ", text)
    found.update(plain_word(each) for each in _LETTERS.findall(_ADDRESS.sub(" ", text)) if len(each) >= _SHORTEST)
    return {each for each in found if len(each) <= LONGEST}


def plain_word(word: str) -> str:
    """A word in lower case without accents."""
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def prose_words(query: str, shortest: int) -> Iterator[tuple[int, str]]:
    """The English words of a query that may hold a slip, each with its place: as typed, of `shortest` letters or more.

    Not identifiers, numbers, addresses, paths, what stands in quotes, or capitals among small letters (VPN).
    """
    spared = [match.span() for match in QUOTED.finditer(query)]
    named = set(identifiers(query))
    flat = HAN_RUN.sub(lambda run: " " * len(run[0]), query)
    for chunk in _CHUNK.finditer(flat):
        bare = chunk[0].strip("\"'()[]{}<>.,;:!?*`~…")
        if bare in named or _INSIDE.search(bare):
            spared.append(chunk.span())
    shouted = query.upper() == query
    for match in _LETTERS.finditer(flat):
        word = match[0]
        if len(word) < shortest or len(word) > LONGEST or (word.isupper() and not shouted):
            continue
        if not any(start < match.end() and match.start() < end for start, end in spared):
            yield match.start(), word


def han_runs(query: str) -> Iterator[tuple[int, str]]:
    """The runs of Han characters of a query, each with its place, without what stands in quotes."""
    quoted = [match.span() for match in QUOTED.finditer(query)]
    for match in HAN_RUN.finditer(query):
        if not any(start < match.end() and match.start() < end for start, end in quoted):
            yield match.start(), match[0]
