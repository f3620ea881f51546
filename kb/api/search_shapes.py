"""What a search is asked and answers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kb.api.shapes import QUERY_LIMIT, Id, Item, Name, NoNul, OpenCaseOut, Shape, Short, example
from kb.article import Confidence, Governance
from kb.audience import Audience
from kb.interaction import Channel
from kb.language import Language
from kb.passage import Kind
from kb.query import Context, Filters

Some = Field(max_length=50)


class FiltersIn(Shape):
    """Hard conditions: a hit meets all of them; within one field any of the values will do."""

    kinds: Annotated[tuple[Kind, ...], Some] = ()
    languages: Annotated[tuple[Language, ...], Some] = ()
    products: Annotated[tuple[Name, ...], Some] = ()
    topics: Annotated[tuple[Name, ...], Field(max_length=50, description="Each with all topics below it.")] = ()
    tags: Annotated[tuple[Name, ...], Some] = ()
    confidence: Annotated[tuple[Confidence, ...], Some] = ()
    sources: Annotated[tuple[Name, ...], Field(max_length=50, description='"kb" for what was written here.')] = ()

    @property
    def noun(self) -> Filters:
        """The same as a noun."""
        return Filters(
            kinds=self.kinds,
            languages=self.languages,
            products=self.products,
            topics=self.topics,
            tags=self.tags,
            confidence=self.confidence,
            sources=self.sources,
        )


class ContextIn(Shape):
    """The situation: it moves the ranking a bounded way and excludes nothing."""

    product: Short = ""
    channel: Channel | None = None
    language: Annotated[Language | None, Field(description="What the answer should be written in.")] = None
    tags: Annotated[tuple[Name, ...], Some] = ()
    already_read: Annotated[tuple[Item, ...], Field(max_length=50, description="What was tried: it sinks.")] = ()
    interaction_id: Annotated[Id | None, Field(description="The contact this search is part of.")] = None

    @property
    def noun(self) -> Context:
        """The same as a noun."""
        return Context(
            product=self.product,
            channel=self.channel or "",
            language=self.language,
            tags=self.tags,
            already_read=tuple(item.ref for item in self.already_read),
            interaction_id=self.interaction_id,
        )


class SearchIn(Shape):
    """A search. Who may read what comes from the key, never from here."""

    model_config = example(
        {
            "query": "red light on the hub after a power cut",
            "limit": 5,
            "filters": {"kinds": ["article"], "topics": ["broadband"]},
            "context": {"product": "hub-6", "channel": "phone", "language": "en"},
        }
    )

    query: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=QUERY_LIMIT),
        NoNul,
        Field(description="Words, a question, an error code, an article number, a pasted message."),
    ]
    limit: Annotated[int, Field(ge=1, le=50)] = 10
    exact: Annotated[bool, Field(strict=True, description="Search what was typed, whatever its spelling.")] = False
    filters: FiltersIn = FiltersIn()
    context: ContextIn = ContextIn()


class SentenceOut(Shape):
    """A sentence of a passage, in plain text."""

    text: str
    highlights: Annotated[
        list[tuple[int, int]],
        Field(description="[start, end) of the words asked for, counted in Unicode code points, in order."),
    ]


class PassageOut(Shape):
    """The passage that answers: part of one revision, cut to what you may read.

    `audience` is that of the passage, which may be narrower than its article's: only what its reader may read can go
    to them. `restricted` says that it is for named groups only.
    """

    ordinal: int
    heading: Annotated[list[str], Field(description="The headings above it, outermost first.")]
    field: Annotated[str, Field(description="issue, environment, resolution, cause, notes, or empty.")]
    text: Annotated[str, Field(description="Markdown, to be inserted into a reply.")]
    html: Annotated[str, Field(description="The same as safe HTML.")]
    highlights: Annotated[
        list[str],
        Field(
            description="The words that answer the query, exactly as they are written in the passage, longest first: "
            "mark each where it stands (Latin ones as whole words)."
        ),
    ]
    sentences: Annotated[
        list[SentenceOut], Field(description="Those that answer best, one to three in a row; none in an empty text.")
    ]
    audience: Audience
    restricted: bool


class ReasonOut(Shape):
    """One part of a score."""

    name: str
    value: float


class HitOut(Shape):
    """An item that was found. `score` and `why` are for staff and null for everybody else."""

    kind: Kind
    id: str
    number: Annotated[str | None, Field(description="An article's number, to be said aloud.")]
    title: str
    revision: int
    passage: PassageOut
    confidence: Confidence | None
    governance: Governance | None
    audience: Audience
    language: Language
    source: str
    author: Annotated[str, Field(description="Who wrote a post, to be credited; empty for articles.")]
    url: str
    changed_at: datetime
    superseded: bool
    resolved_count: Annotated[int, Field(description="Interactions it has resolved.")]
    open_case: Annotated[OpenCaseOut | None, Field(description="A severe case about it that is open; for staff.")]
    score: float | None
    why: list[ReasonOut] | None


class AnswerOut(Shape):
    """The sentences that answer, where that is all but certain: of the passage of the first hit.

    `confidence`, the probability that they do, is for staff and null for everybody else.
    """

    kind: Kind
    id: str
    number: str | None
    title: str
    revision: int
    ordinal: Annotated[int, Field(description="Of the passage they stand in.")]
    heading: list[str]
    language: Language
    text: Annotated[str, Field(description="The sentences, a line each.")]
    sentences: list[SentenceOut]
    confidence: float | None


class RerankedOut(Shape):
    """What became of the second look at the best hits (`KB_RERANK_MODEL`), which takes place only if there is time."""

    used: bool
    pairs: Annotated[int, Field(description="Passages that were looked at again.")]
    took_ms: float
    skipped: Annotated[
        Literal["", "loading", "failed", "busy", "budget", "timeout", "error"],
        Field(description="Why it was not used."),
    ]


class ExpandedOut(Shape):
    """What the dictionary added: because of `term`, the search also asked for `also`."""

    term: str
    also: list[str]


class CorrectedOut(Shape):
    """A query that looks misspelt, and what may have been meant.

    `applied`: the answers are for `to`, and `exact` searches for what was typed. Else they are for what was typed,
    and `to` can be offered ("did you mean").
    """

    from_: Annotated[str, Field(alias="from")]
    to: str
    applied: bool


class SearchOut(Shape):
    """What was found, best first. Send `search_id` and the 1-based position along with what happens next."""

    model_config = example(
        {
            "search_id": "0b8f5c1e7d4a4f0e9a4c7f1d2b3a6c55",
            "hits": [
                {
                    "kind": "article",
                    "id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b",
                    "number": "482-9175",
                    "title": "The hub's light is red",
                    "revision": 3,
                    "passage": {
                        "ordinal": 0,
                        "heading": ["After a power cut"],
                        "field": "resolution",
                        "text": "Hold **reset** for ten seconds.",
                        "html": "<p>Hold <strong>reset</strong> for ten seconds.</p>\n",
                        "highlights": ["power"],
                        "sentences": [{"text": "Hold reset for ten seconds.", "highlights": []}],
                        "audience": "public",
                        "restricted": False,
                    },
                    "confidence": "validated",
                    "governance": "experience",
                    "audience": "public",
                    "language": "en",
                    "source": "kb",
                    "author": "",
                    "url": "",
                    "changed_at": "2026-03-14T12:00:00Z",
                    "superseded": False,
                    "resolved_count": 12,
                    "open_case": None,
                    "score": 0.91,
                    "why": [{"name": "relevance", "value": 0.86}, {"name": "evidence", "value": 0.05}],
                }
            ],
            "answer": {
                "kind": "article",
                "id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b",
                "number": "482-9175",
                "title": "The hub's light is red",
                "revision": 3,
                "ordinal": 0,
                "heading": ["After a power cut"],
                "language": "en",
                "text": "Hold reset for ten seconds.",
                "sentences": [{"text": "Hold reset for ten seconds.", "highlights": []}],
                "confidence": 0.97,
            },
            "no_answer": None,
            "reranked": {"used": True, "pairs": 12, "took_ms": 141.0, "skipped": ""},
            "took_ms": {"analyze": 0.2, "encode": 4.1, "retrieve": 1.3, "fuse": 0.2, "confirm": 1.9, "total": 7.7},
            "degraded": [],
            "expanded": [{"term": "hub", "also": ["router"]}],
            "corrected": {"from": "red light on the hbu", "to": "red light on the hub", "applied": True},
        }
    )

    search_id: str
    hits: list[HitOut]
    answer: Annotated[AnswerOut | None, Field(description="Null unless the first hit all but certainly answers.")]
    no_answer: Annotated[
        Literal["nothing_certain"] | None, Field(description="Why there is no answer, though there may be hits.")
    ]
    took_ms: Annotated[dict[str, float], Field(description="Milliseconds by stage.")]
    reranked: Annotated[RerankedOut | None, Field(description="Null where no second look is set up.")]
    degraded: Annotated[
        list[str],
        Field(description='Parts that were missing: "encoder" (words only), "index" (titles and issues only).'),
    ]
    expanded: Annotated[list[ExpandedOut], Field(description="What else was asked for, after the dictionary.")]
    corrected: Annotated[CorrectedOut | None, Field(description="Null where nothing looks misspelt.")]


class SuggestIn(Shape):
    """What somebody has typed so far, and where to look."""

    q: Annotated[str, StringConstraints(min_length=1, max_length=QUERY_LIMIT), NoNul, Field(examples=["red li"])]
    limit: Annotated[int, Field(ge=1, le=20)] = 8
    kind: Annotated[tuple[Kind, ...], Field(max_length=10)] = ()
    language: Annotated[tuple[Language, ...], Field(max_length=10)] = ()
    product: Annotated[tuple[Name, ...], Some] = ()
    topic: Annotated[tuple[Name, ...], Some] = ()

    @property
    def filters(self) -> Filters:
        """The same as a noun."""
        return Filters(
            kinds=self.kind,
            languages=self.language,
            products=self.product,
            topics=self.topic,
        )


class SuggestionOut(Shape):
    """Something whose title fits what is being typed."""

    kind: Kind
    id: str
    number: str | None
    title: str
    language: Language
    open_case: Annotated[OpenCaseOut | None, Field(description="A severe case about it that is open; for staff.")]


class SuggestOut(Shape):
    """Suggestions, best first."""

    model_config = example(
        {
            "suggestions": [
                {
                    "kind": "article",
                    "id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b",
                    "number": "482-9175",
                    "title": "The hub's light is red",
                    "language": "en",
                    "open_case": None,
                }
            ]
        }
    )

    suggestions: list[SuggestionOut]
