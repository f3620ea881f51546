"""Editing a text of which one sees a part: what the editor gets, and how the rest finds its place again.

A partner who corrects an article must neither lose nor learn of its internal blocks. So the source they get lacks
these blocks, looking as if nobody had ever written them, and what they send back has them put in again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.audience import Audience
from kb.errors import Invalid
from kb.text.markdown import narrow
from kb.text.narrowing import blocks, lines_of, spans


@dataclass(frozen=True, slots=True)
class _Withheld:
    """A block with its markers, and the lines that its reader sees before it."""

    text: str
    before: tuple[str, ...]


def source_for(markdown: str, tier: Audience) -> str:
    """The Markdown as it was written, markers included, without the blocks for narrower circles than `tier`."""
    if tier is Audience.INTERNAL:
        return markdown
    return "\n\n".join(_parted(markdown, tier)[0])


def put_back(edited: str, whole: str, tier: Audience) -> str:
    """An edited `source_for(whole, tier)` with the blocks that it lacked: each after the line that it followed.

    Where that line is gone, or a block there would change what others see, all come first. `edited` is as it will be
    kept: what is done to it afterwards could open a block. A text in which markers are wrong comes back as it is, for
    `kb.text.markdown.check` to refuse it in the same words as any other.
    """
    withheld = _parted(whole, tier)[1]
    if not withheld or blocks(edited)[1] is not None:
        return edited
    lines = lines_of(edited)
    at_top = "\n\n".join([*(each.text for each in withheld), edited])
    for merged in (_inserted(lines, withheld), at_top):
        if _is_safe(merged, edited, withheld, tier):
            return merged
    raise Invalid("a block between ':::' is not well formed", "body")


def _parted(markdown: str, tier: Audience) -> tuple[list[str], list[_Withheld]]:
    """The runs of text for that tier, and the blocks between them for others."""
    lines = lines_of(markdown)
    closed, readable, _ = spans(lines)
    cuts = [(opening, closing + 1) for audience, opening, closing in closed if audience.rank > tier.rank]
    if readable < len(lines) and tier is not Audience.INTERNAL:
        cuts.append((readable, len(lines)))
    visible: list[str] = []
    withheld: list[_Withheld] = []
    at = 0
    for start, end in [*cuts, (len(lines), len(lines))]:
        if run := "\n".join(lines[at:start]).strip("\n"):
            visible.append(run)
        if start < end:
            withheld.append(_Withheld("\n".join(lines[start:end]), tuple("\n".join(visible).split("\n"))))
        at = end
    return visible, withheld


def _inserted(edited: Sequence[str], withheld: Sequence[_Withheld]) -> str:
    merged: list[str] = []
    at = 0
    for each in withheld:
        place = max(at, _place(edited, each.before))
        merged += [*edited[at:place], "", *each.text.split("\n"), ""]
        at = place
    return "\n".join([*merged, *edited[at:]]).strip("\n")


def _place(edited: Sequence[str], before: Sequence[str]) -> int:
    """How many of the edited lines come before what followed these: up to the last one that has words."""
    last = next((line for line in reversed(before) if line.strip()), None)
    places = [number for number, line in enumerate(edited, 1) if line == last]
    return places[min(before.count(last or ""), len(places)) - 1] if places else 0


def _is_safe(merged: str, edited: str, withheld: Sequence[_Withheld], tier: Audience) -> bool:
    """Whether readers of that tier see the edited text and nothing else, and the blocks are whole."""
    expected = [block for text in (edited, *(each.text for each in withheld)) for block in blocks(text)[0]]
    found = blocks(merged)[0]
    hidden = [sorted((each.audience, each.text) for each in side if each.audience.rank > tier.rank)
              for side in (expected, found)]  # fmt: skip
    return hidden[0] == hidden[1] and narrow(merged, tier) == narrow(edited, tier)
