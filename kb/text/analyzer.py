"""The analyzer: text to tokens, the same for documents and queries."""

import functools
import re
import threading
import unicodedata
from collections import Counter

import rjieba
import Stemmer

from kb.text.identifiers import is_spelling, parts
from kb.text.script import HAN_RUN, mainland, normalise, simplified
from kb.text.stopwords import STOP_WORDS

ANALYZER = "kb-2"
"""Name and version, recorded with the index: any change of output needs a new one and a rebuild."""

# A dot binds numbers only (8.0.0, 192.168.1.1): domains, paths and file names are found by their parts.
WORD = re.compile(
    r"c\+\+|[cf]#"  # names that end in a sign
    r"|[^\W_]+(?:'[^\W_]+|(?:-|_+|(?<=\d)\.|\.(?=\d))[^\W_]+)*"
)
_CACHED_WORDS = 1 << 16
_LONGEST_CACHED = 64  # a pasted blob would fill the cache with itself

_stemmer = Stemmer.Stemmer("english")
_stemmer.maxCacheSize = 0  # `_word_tokens` keeps finished words
_stemmer_lock = threading.Lock()  # a Snowball stemmer works in one buffer of its own


def analyze(text: str) -> list[str]:
    """The tokens of a text, with repetitions; their order means nothing.

    Normalised (`kb.text.script`), Chinese folded to Simplified and cut in search mode, English stemmed with Porter2,
    identifiers whole and in parts (`kb.text.identifiers`), stop words of both languages dropped unless the text has
    nothing else. Safe to call from any number of threads.
    """
    text = normalise(text)
    tokens = _tokens(text, STOP_WORDS)
    return tokens or _tokens(text, frozenset())


def says_nothing(text: str) -> bool:
    """Whether it has no words at all, or none but stop words."""
    return not _tokens(normalise(text), STOP_WORDS)


def _tokens(text: str, stop_words: frozenset[str]) -> list[str]:
    tokens: list[str] = []
    for word in WORD.findall(text if text.isascii() else HAN_RUN.sub(" ", text)):
        tokens += _word_tokens(word, stop_words) if len(word) <= _LONGEST_CACHED else _split(word, stop_words)
    if not text.isascii():
        tokens += _chinese_tokens(" ".join(HAN_RUN.findall(text)), stop_words)
    return tokens


@functools.lru_cache(maxsize=_CACHED_WORDS)
def _word_tokens(word: str, stop_words: frozenset[str]) -> tuple[str, ...]:
    return _split(word, stop_words)


def _split(word: str, stop_words: frozenset[str]) -> tuple[str, ...]:
    if word in stop_words:
        return ()
    plain = _without_accents(word)
    if plain.isalpha() or "'" in plain:
        return (_stem(plain),)
    found = tuple(_stem(part) for part in parts(plain) if part not in stop_words)
    return found if is_spelling(plain) else (plain, *found)


def _chinese_tokens(han: str, stop_words: frozenset[str]) -> list[str]:
    """Search-mode words, and where Taiwan says it with another word, that of the mainland too.

    滑鼠 and 鼠标 meet because a text with 滑鼠 has both, whichever side it is on.
    """
    if not han:
        return []
    words, mainland_words = simplified(han), mainland(han)
    tokens = rjieba.cut_for_search(words)
    if mainland_words != words:
        also = Counter(rjieba.cut_for_search(mainland_words)) - Counter(tokens)
        tokens += also.elements()
    return [token for token in tokens if token != " " and token not in stop_words]


def _stem(word: str) -> str:
    with _stemmer_lock:
        return str(_stemmer.stemWord(word))


def _without_accents(word: str) -> str:
    """ "café" as "cafe"; other scripts than Latin keep their marks."""
    if word.isascii():
        return word
    bare = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
    return bare if bare.isascii() else word
