"""The second look at the best hits, where there is a cross-encoder."""

from collections.abc import Sequence
from dataclasses import replace

from kb.query import Hit, Query, Reason
from kb.search.reranking import PAIRS, Reranked, Reranker, shifts
from kb.text.passages import indexed_text


def rerank(reranker: Reranker, query: Query, hits: Sequence[Hit]) -> tuple[list[Hit], Reranked]:
    """The hits, the best of them in the order of a second look, and what became of it.

    An item whose number was typed stays first; hits that were not looked at stay behind those that were.
    """
    fixed = 1 if hits and hits[0].why and hits[0].why[0].name == "article_number" else 0
    looked = hits[fixed : fixed + PAIRS]
    scores, report = reranker.scores(query.text, [indexed_text(hit.passage) for hit in looked])
    moved = [_moved(hit, by) for hit, by in zip(looked, shifts(scores), strict=False)]
    moved.sort(key=lambda hit: (-hit.score, hit.item))
    return [*hits[:fixed], *moved, *hits[fixed + len(moved) :]], report


def _moved(hit: Hit, by: float) -> Hit:
    return replace(hit, score=round(hit.score + by, 6), why=(*hit.why, Reason("cross_encoder", round(by, 4))))
