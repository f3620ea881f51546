"""Which words of a text answer a query, as they are written there."""

import re
from collections.abc import Collection, Iterator

from kb.text.analyzer import analyze
from kb.text.script import HAN_RUN, mainland, simplified

_WORD = re.compile(r"[^\W_]+(?:[-_.'’][^\W_]+)*")
_LONGEST_WORD = 64  # longer ones are pasted blobs, not words somebody reads


def highlights(query: str, text: str) -> list[str]:
    """The words of a plain text that share a token with the query, each once, longest first.

    They are spelt as in the text, so that a caller marks them by plain comparison: "routers" for a query with
    "router", 路由器 in the script of the text whatever the script of the query.
    """
    wanted = set(analyze(query))
    latin = set(_WORD.findall(HAN_RUN.sub(" ", text)))
    found = {word for word in latin if len(word) <= _LONGEST_WORD and wanted & set(analyze(word))}
    han = [token for token in wanted if HAN_RUN.fullmatch(token)]
    for run in set(HAN_RUN.findall(text)) if han else ():
        found.update(_in_run(run, han))
    return sorted(found, key=lambda word: (-len(word), word))


def _in_run(run: str, tokens: Collection[str]) -> Iterator[str]:
    for folded in {simplified(run), mainland(run)}:
        if len(folded) != len(run):
            continue  # a word was replaced by a longer or shorter one: places no longer correspond
        for token in tokens:
            at = folded.find(token)
            while at >= 0:
                yield run[at : at + len(token)]
                at = folded.find(token, at + 1)
