"""BM25 as sparse vectors: term frequencies here, document frequencies in the engine.

A passage's vector holds BM25's term-frequency part, a query's vector how often each term is asked for; their dot
product times the IDF that Qdrant adds (`Modifier.IDF`: ln((N - df + .5) / (df + .5) + 1), Lucene's) is BM25.

N and df are counted over the unrestricted text that the reader's tier may read (Qdrant counts over a filter), and the
average length is that of the widest circle (`kb.solve.generations`). So text that somebody may not read moves none of
the scores they see, and text restricted to groups moves nobody's.
"""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

K1 = 1.5  # rank_bm25's default, so that it can be the oracle; Robertson and Zaragoza (2009) give 1.2 to 2
B = 0.75

LEXICAL = "lexical"

PAIR = 0.1
"""What two neighbouring Han characters weigh beside a word. A word may be cut one way in the question and another way
in the text; characters side by side are the same either way. Mean nDCG@10 of four Chinese sets .684 without, .690
with; .2 is the same, and loses where questions and answers share few words (docs/relevance.md)."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """A sparse vector: distinct u32 `indices` and as many `values`. Empty stands for no terms."""

    indices: tuple[int, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.indices)


def token_index(token: str) -> int:
    """The dimension of a token: a stable 32-bit hash, in [0, 2**32).

    CRC-32 of the UTF-8 bytes: .07 us a token, and no more collisions than a random function (30 among 500,000
    Chinese words, 21 for BLAKE2 and 29 expected; 0 among 600,000 identifiers).
    """
    return zlib.crc32(token.encode())


def pair_term(pair: str) -> str:
    """Two neighbouring Han characters as a term of its own, apart from the word that they may be."""
    return "\x1f".join(pair)


def document_vector(
    tokens: Sequence[str] | Mapping[str, float],
    average_length: float,
    k1: float = K1,
    b: float = B,
    pairs: Sequence[str] = (),
) -> Sparse:
    """BM25's term-frequency part, tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average)).

    `tokens` with weighted frequencies, where fields count differently, make it BM25F in its simple form (Robertson,
    Zaragoza and Taylor, CIKM 2004): frequencies are weighted before they saturate, the length is theirs. `pairs` of
    Han characters are terms beside them and add nothing to the length.

    `average_length` is in tokens; where it is unknown (0), every passage counts as average. Tokens that share a
    hash are one term: their frequencies are summed, since the engine mis-scores a repeated index.
    """
    frequencies: Mapping[int, float] = _frequencies(tokens)
    length = sum(frequencies.values())
    if pairs:
        frequencies = {**_frequencies([pair_term(pair) for pair in pairs]), **frequencies}
    return Sparse(tuple(frequencies), _weights(frequencies, length, average_length, k1, b))


def query_vector(tokens: Sequence[str], also: Mapping[str, float] = MappingProxyType({})) -> Sparse:
    """The query side: each term weighs as often as it is asked for, and those that are `also` asked for as given."""
    weights = {index: float(count) for index, count in _frequencies(tokens).items()}
    for token, weight in also.items():
        weights.setdefault(token_index(token), weight)
    return Sparse(tuple(weights), tuple(weights.values()))


def _frequencies(tokens: Sequence[str] | Mapping[str, float]) -> Mapping[int, float]:
    if not isinstance(tokens, Mapping):
        return Counter(token_index(token) for token in tokens)
    found: dict[int, float] = {}
    for token, frequency in tokens.items():
        index = token_index(token)
        found[index] = found.get(index, 0.0) + frequency
    return found


def _weights(frequencies: Mapping[int, float], length: float, average: float, k1: float, b: float) -> tuple[float, ...]:
    norm = k1 * (1 - b + b * (length / average if average > 0 else 1.0))
    top = k1 + 1
    return tuple(tf * top / (tf + norm) for tf in frequencies.values())
