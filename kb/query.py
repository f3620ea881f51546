"""What somebody asks, in which situation, and what came back."""

from dataclasses import dataclass, field
from typing import NamedTuple

from kb.audience import ANYONE, Reader
from kb.dictionary import Expanded
from kb.language import Language, family_of
from kb.passage import ItemRef, Kind, Passage, PassageRef


@dataclass(frozen=True, slots=True)
class Filters:
    """Hard conditions: a hit meets all of them. Within one field any of the values will do; empty means all."""

    kinds: tuple[Kind, ...] = ()
    languages: tuple[Language, ...] = ()
    products: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    confidence: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """The situation, which moves the ranking a bounded way and never excludes anything.

    `already_read` are items the customer has tried: they sink. `interaction_id` ties the search to its trail.
    """

    product: str = ""
    channel: str = ""
    language: Language | None = None
    tags: tuple[str, ...] = ()
    already_read: tuple[ItemRef, ...] = ()
    interaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """One search. `reader` comes from the person who asks, never from the request."""

    text: str
    reader: Reader = ANYONE
    filters: Filters = field(default_factory=Filters)
    context: Context = field(default_factory=Context)
    limit: int = 10

    @property
    def family(self) -> str:
        """ "en" or "zh": the language the query is written in."""
        return family_of(self.text)


class Reason(NamedTuple):
    """One named part of a score: what moved a hit, and by how much."""

    name: str
    value: float


class Candidate(NamedTuple):
    """A passage as the index returned it, before anything was confirmed.

    `lexical` and `dense` are the raw scores of the two legs (BM25, cosine), None where a leg did not return it;
    `score` is their fusion in [0, 1]; `bonus` what its text is worth besides.
    """

    ref: PassageRef
    score: float
    language: str = ""
    lexical: float | None = None
    dense: float | None = None
    bonus: tuple[Reason, ...] = ()

    @property
    def total(self) -> float:
        """What it is ordered by."""
        return self.score + sum(reason.value for reason in self.bonus)


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found, with its best passage and the reasons for its place."""

    item: ItemRef
    passage: Passage
    score: float
    why: tuple[Reason, ...]
    others: tuple[PassageRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the searcher found: fused candidates, best first, with milliseconds per stage.

    `degraded` names the parts that were missing ("index", "encoder"); empty when all answered. `legs` names what was
    asked ("lexical", "dense", or "titles" where the index is away). `weight` is that of the dense leg, in [0, 1];
    None where nothing was fused. `expanded` is what the dictionary added.
    """

    candidates: tuple[Candidate, ...]
    took_ms: dict[str, float]
    degraded: tuple[str, ...] = ()
    legs: tuple[str, ...] = ()
    weight: float | None = None
    expanded: tuple[Expanded, ...] = ()
