"""A text that is being written, as its readers will see it; nothing is saved."""

from dataclasses import dataclass

from kb.audience import Audience
from kb.person import Person, Right
from kb.text import bounds
from kb.text.hygiene import tidy
from kb.text.markdown import narrow, render
from kb.text.narrowing import Mistake, blocks


@dataclass(frozen=True, slots=True)
class Preview:
    """What one audience would read, as safe HTML, how many blocks are kept from it, and what is wrong with markers."""

    html: str
    hidden: int
    mistake: Mistake | None


def preview(by: Person, body: str, audience: Audience, files: str) -> Preview:
    """A text as that audience would read it; `files` is the address of its pictures ("" for none), each of which is
    asked for by itself and given to those who may have it. Raises NotAllowed, and Invalid for a text that would take
    long to parse."""
    by.require(Right.DRAFT)
    body = tidy(body)
    bounds.check(body)
    found, mistake = blocks(body)
    hidden = sum(each.audience.rank > audience.rank for each in found)
    return Preview(render(narrow(body, audience), files), hidden, mistake)
