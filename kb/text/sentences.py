"""Where the sentences of a plain text stand. Pure; English and Chinese, mixed as people mix them."""

import re

LONGEST = 400
"""Characters; what goes on longer (a pasted log, a text without full stops) is cut where a word ends."""

_CLOSING = "\"'”’»」』）)】》〉\\]"  # as a regular expression writes a set
_END = re.compile(rf"[。！？；…]+[{_CLOSING}]*|[.!?]+[{_CLOSING}]*(?=\s|$|[\u3400-\u9fff])")
_MARKER = re.compile(r"\s*(?:[-*•]|\(?\d{1,3}[.)、])\s+|\s+")
_WORD_BEFORE = re.compile(r"[^\W_]+(?:\.[^\W_]+)*$")
_BREAKS = re.compile(r"[，、,;:：]|\s")

# After these a full stop ends nothing, whatever follows; after the second only before a number ("No. 5").
_TITLES = frozenset({"dr", "mr", "mrs", "ms", "prof", "st", "jr", "sr", "vs", "eg", "ie", "e.g", "i.e", "approx", "cf"})
_NUMBERED = frozenset({"no", "nos", "fig", "ext", "tel", "p", "pp", "art", "sec"})
# After these it does where a sentence begins: "at 5 p.m. Call us", "cables etc. They are".
_MAYBE = frozenset({"etc", "inc", "ltd", "co", "corp", "dept", "a.m", "p.m", "u.s", "u.k"})


def sentences(text: str) -> list[tuple[int, int]]:
    """The [start, end) of each sentence of a plain text, in order, counted in code points.

    A line is never joined with the next: it is a list item, a row of a table or a line of code (`markdown.plain`);
    the marker of a list item belongs to no sentence. Full stops of numbers, versions and abbreviations end nothing;
    a closing quote or bracket belongs to the sentence it closes.
    """
    found: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        found += _of_line(text, start, start + len(line))
        start += len(line) + 1
    return found


def _of_line(text: str, start: int, end: int) -> list[tuple[int, int]]:
    found = []
    marker = _MARKER.match(text, start, end)
    start = marker.end() if marker else start
    for each in _END.finditer(text, start, end):
        if _ends(text, start, each, end):
            found += _cut(text, start, each.end())
            start = each.end()
    return found + _cut(text, start, end)


def _ends(text: str, start: int, stop: re.Match[str], end: int) -> bool:
    """Whether what looks like the end of a sentence is one."""
    mark = stop[0][0]
    if mark not in ".!":
        return True
    rest = text[stop.end() : min(end, stop.end() + 40)].lstrip()
    if not rest:
        return True
    following = rest.lstrip("\"'“‘([「『")[:1]
    if mark == "!":
        return not following.islower()  # "Yahoo! is"
    # The last word, and no more than a word's length of text: this is asked for each full stop.
    before = _WORD_BEFORE.search(text, max(start, stop.start() - 12), stop.start())
    word = before[0].lower() if before else ""
    if word in _MAYBE:
        return not following.islower()
    if word in _NUMBERED:
        return not following.isdigit()
    initial = len(word) == 1 and word.isascii() and word.isalpha() and word != "i"  # "J. Smith"
    return not (word in _TITLES or initial)


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """One sentence without the white space around it, in pieces where it is too long; none where nothing is left."""
    found: list[tuple[int, int]] = []
    while True:
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if end - start <= LONGEST:
            return [*found, (start, end)] if end > start else found
        breaks = [each.end() for each in _BREAKS.finditer(text, start + LONGEST // 2, start + LONGEST)]
        stop = breaks[-1] if breaks else start + LONGEST
        found.append((start, stop))
        start = stop
