"""Test collections: documents, queries and who answers what, read from a folder.

Two layouts: BEIR's (`corpus.jsonl`, `queries.jsonl`, `qrels.tsv`) and that of our own `content/` (`articles/`,
`queries*.tsv`, `qrels*.txt`, see content/README.md).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kb.errors import Invalid
from kb.language import Language, family_of

_DEV = "01234567"
"""First hex digits of sha1(query id) that make a query part of the dev split; the others are test."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a BEIR corpus, in plain text."""

    id: str
    title: str
    text: str
    language: Language


@dataclass(frozen=True, slots=True)
class Collection:
    """Queries with their judgements: `qrels[query id][document id]` is a grade, 0 or more.

    Only queries with a judgement above 0 are kept, in the order of their file.
    """

    folder: Path
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def articles(self) -> Path | None:
        """The folder of Markdown articles; None for a collection in BEIR's layout."""
        folder = self.folder / "articles"
        return folder if folder.is_dir() else None

    def documents(self) -> Iterator[Document]:
        """The documents of a collection in BEIR's layout. Raises Invalid with the line of a bad one."""
        for line in _lines(self.folder / "corpus.jsonl"):
            yield Document(line["_id"], line.get("title") or "", line.get("text") or "", _language(line))

    def part(self, split: str | None = None, limit: int | None = None) -> "Collection":
        """Fewer queries: those of one split ("dev" or "test"), then a sample of `limit` that is always the same."""
        ids = [each for each in self.queries if split is None or split_of(each) == split]
        if limit is not None and limit < len(ids):
            ids = _sample(ids, limit)
        return replace(
            self,
            queries={each: self.queries[each] for each in ids},
            qrels={each: self.qrels[each] for each in ids},
        )


def read_collection(folder: Path) -> Collection:
    """The collection in that folder; raises Invalid where there is none or a line cannot be read."""
    if not folder.is_dir():
        raise Invalid(f"there is no folder {folder}")
    if (folder / "corpus.jsonl").is_file():
        queries = {line["_id"]: str(line["text"]) for line in _lines(folder / "queries.jsonl")}
        qrels = _judgements([folder / "qrels.tsv"], header=True)
    elif (folder / "articles").is_dir():
        queries = _typed_queries(sorted(folder.glob("queries*.tsv")))
        qrels = _judgements(sorted(folder.glob("qrels*.txt")))
    else:
        raise Invalid(f"{folder} has neither corpus.jsonl (BEIR) nor articles/ (our own layout): no test collection")
    judged = [each for each in queries if any(grade > 0 for grade in qrels.get(each, {}).values())]
    if not judged:
        raise Invalid(f"no query in {folder} has a judgement")
    return Collection(folder, {each: queries[each] for each in judged}, {each: qrels[each] for each in judged})


def split_of(query_id: str) -> str:
    """ "dev" or "test", by the first hex digit of sha1(query id)."""
    return "dev" if hashlib.sha1(query_id.encode()).hexdigest()[0] in _DEV else "test"


def _sample(ids: list[str], limit: int) -> list[str]:
    """Queries drawn by numpy's default generator with seed 0, so that anybody can draw the same."""
    import numpy as np  # here: reading a collection needs nothing else of it

    return [ids[place] for place in np.random.default_rng(0).permutation(len(ids))[:limit]]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, text in _text_lines(path):
        try:
            line = json.loads(text)
            if not isinstance(line, dict) or not isinstance(line.get("_id"), str):
                raise ValueError('an object with a string "_id" is expected')
        except ValueError as error:
            raise Invalid(f"{path}:{number}: {error}", line=number) from error
        yield line


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                if text.strip():
                    yield number, text.rstrip("\n")
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error


def _typed_queries(paths: list[Path]) -> dict[str, str]:
    queries = {}
    for path in paths:
        for number, text in _text_lines(path):
            fields = text.split("\t")
            if len(fields) != 3:
                raise Invalid(f"{path}:{number}: three fields are expected: id, language, text", line=number)
            queries[fields[0]] = fields[2]
    return queries


def _judgements(paths: list[Path], header: bool = False) -> dict[str, dict[str, int]]:
    """Grades by query and document: of BEIR (query, document, grade) or of TREC (query, 0, document, grade)."""
    qrels: dict[str, dict[str, int]] = {}
    for path in paths:
        for number, text in _text_lines(path):
            fields = text.split("\t") if header else text.split()
            if header and number == 1:
                continue
            try:
                query, document, grade = fields[0], fields[-2], int(float(fields[-1]))
            except (IndexError, ValueError) as error:
                raise Invalid(f"{path}:{number}: this is no judgement: {text}", line=number) from error
            qrels.setdefault(query, {})[document] = grade
    return qrels


def _language(line: Mapping[str, Any]) -> Language:
    """The language a document names; without one, what its characters say."""
    named = line.get("lang")
    if named in set(Language):
        return Language(named)
    chinese = family_of(f"{line.get('title', '')} {line.get('text', '')}") == "zh"
    return Language.SIMPLIFIED if chinese else Language.ENGLISH
