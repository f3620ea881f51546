"""The dictionary in memory: what else a search asks for, because of the words in it.

One table for each tier of readers, made of the entries that hold for it and of nothing else: what somebody may not
know of cannot act on their search. A table is never changed, a change replaces all of them at once.

Phrases in quotes mean what they say and are left alone. Where terms overlap the longest one counts ("dsl modem", not
"modem" in it); what was added is not looked up again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb.audience import Audience, Reader
from kb.dictionary import Expanded, Meaning
from kb.language import family_of
from kb.text.analyzer import analyze
from kb.text.forms import BREAK, Reading, forms, readings
from kb.text.script import HAN_RUN
from kb.text.words import QUOTED

WEIGHT = 0.7
"""What a word that was added weighs beside one that was typed.

Measured by splitting a vocabulary (docs/relevance.md): with one other form 1 would win back a little more, with one
good and three useless ones .6 to .7 is best, for words and phrases alike.
"""

MOST_TERMS = 10
"""Terms of a search that are looked after: a pasted chat has more, and is found by what it says."""

MOST_TOKENS = 100
"""Tokens that are added to a search: each costs time in the index."""

_ACRONYM = 6  # characters of the longest one that is taken for an acronym


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the dictionary makes of a search.

    `tokens` are to be added, with their weights; `text` is what the encoder should read; `expanded` says why;
    `variants` are the search with a term replaced by another form, best first.
    """

    text: str
    tokens: Mapping[str, float]
    expanded: tuple[Expanded, ...] = ()
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Term:
    """A term as it stands in an entry, with the other forms and their tokens."""

    written: str
    also: tuple[tuple[str, tuple[str, ...]], ...]
    one_way: bool


class _Table:
    """All terms for one tier, by form."""

    def __init__(self, meanings: Iterable[Meaning]) -> None:
        found: dict[str, list[_Term]] = {}
        for meaning in meanings:
            tokens = {each: tuple(dict.fromkeys(analyze(each))) for each in (*meaning.terms, *meaning.means)}
            for written in meaning.terms:
                also = tuple((each, tokens[each]) for each in meaning.also(written))
                for form in forms(written):
                    found.setdefault(form, []).append(_Term(written, also, not meaning.both_ways))
        self.terms = {form: tuple(terms) for form, terms in found.items()}
        lengths: dict[str, set[int]] = {}
        for form in self.terms:
            lengths.setdefault(form[:1], set()).add(len(form))
        self.lengths = {first: tuple(sorted(each, reverse=True)) for first, each in lengths.items()}

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, reading: Reading, is_word: Callable[[str], bool]) -> Iterator[tuple[str, int, int]]:
        """The forms that stand in a text with their places, from left to right, of overlapping ones the longest."""
        free = 0
        for start in reading.starts:
            for length in self.lengths.get(reading.form[start : start + 1], ()) if start >= free else ():
                form = reading.form[start : start + length]
                if form in self.terms and start + length in reading.ends and is_word(form):
                    free = start + length
                    yield form, start, free
                    break


class Dictionary:
    """What the entries in force add to searches, for any number of threads."""

    def __init__(self, meanings: Iterable[Meaning] = ()) -> None:
        self._tables: Mapping[Audience, _Table] = {}
        self.marker: object = None
        """What the record said of its state when these entries were read (`kb.store.dictionary.marker`)."""
        self.replace(meanings)

    def replace(self, meanings: Iterable[Meaning], marker: object = None) -> None:
        """Make exactly these the entries; those that are switched off count for nothing."""
        active = [each for each in meanings if each.active]
        self._tables = {
            tier: _Table(each for each in active if Reader(tier).may_read(each.access)) for tier in Audience
        }
        self.marker = marker

    def expand(self, text: str, tokens: Sequence[str], reader: Reader) -> Expansion:
        """What a search asks for besides its `tokens` (`analyze(text)`), with the entries that hold for that reader."""
        table = self._tables[reader.tier]
        return _expanded(table, text, frozenset(tokens)) if table else Expansion(text, {})


def _expanded(table: _Table, text: str, typed: frozenset[str]) -> Expansion:
    also: dict[str, dict[str, None]] = {}
    added: dict[str, float] = {}
    replaced: list[tuple[int, int, str]] = []
    variants: list[str] = []
    meant = text
    for form, start, end in _found(table, text, typed):
        for term in table.terms[form]:
            new = [(each, tokens) for each, tokens in term.also if not typed.issuperset(tokens)]
            for each, its in new:
                also.setdefault(term.written, {})[each] = None
                added.update((token, WEIGHT) for token in its if token not in typed)
            if start is None or end is None:
                continue
            variants += [f"{text[:start]}{each}{text[end:]}" for each, _ in new]
            if (meaning := _for_the_encoder(term)) and not (replaced and replaced[-1][0] == start):
                replaced.append((start, end, meaning))
    for start, end, meaning in sorted(replaced, reverse=True):
        meant = f"{meant[:start]}{meaning}{meant[end:]}"
    tokens = dict(list(added.items())[:MOST_TOKENS])
    return Expansion(meant, tokens, tuple(Expanded(term, tuple(each)) for term, each in also.items()), tuple(variants))


def _found(table: _Table, text: str, typed: frozenset[str]) -> Iterator[tuple[str, int | None, int | None]]:
    """The terms in a text, each once, with their places in it where these are known."""
    plain = QUOTED.sub(lambda quoted: BREAK * len(quoted[0]), text)
    seen: set[str] = set()
    for reading in readings(plain):
        for form, start, end in table.matches(reading, lambda form: _is_word(form, typed)):
            if form not in seen and len(seen) < MOST_TERMS:
                seen.add(form)
                yield form, reading.starts[start], reading.ends[end]


def _is_word(form: str, typed: frozenset[str]) -> bool:
    """A single Han character is part of many words: it counts where it stands for itself."""
    return len(form) > 1 or not HAN_RUN.match(form) or form in typed


def _for_the_encoder(term: _Term) -> str:
    """What an encoder should read instead of a term, or "" where it knows better.

    It knows ordinary words, and reads acronyms and words of the house as something else: nDCG@10 of the dense leg on
    se-ai .659 with a phrase in full, .434 with letters for it, .603 with the phrase appended, .623 in brackets behind
    them. So what has a meaning of its own, one way, and an acronym is replaced; letters beside a phrase only harm.
    """
    others = [each for each, _ in term.also if family_of(each) == family_of(term.written)]
    if not others or not (term.one_way or _is_acronym(term.written)):
        return ""
    return next((each for each in others if not _is_acronym(each)), "")


def _is_acronym(written: str) -> bool:
    """NBN, VoIP and IPv6; not Hub or Wi-Fi."""
    capitals, small = sum(map(str.isupper, written)), sum(map(str.islower, written))
    return len(written) <= _ACRONYM and written.isascii() and written.isalnum() and capitals >= max(2, small + 1)
