"""The part of the content standard that a program can check.

The thresholds are the Consortium's advice in numbers (KCS v6 Practices Guide, technique 5.1: short titles, one issue
an article, steps instead of prose, short sentences); a coach ticks what takes judgement.
"""

import re

from kb.audience import Audience
from kb.checklist import Check
from kb.number import parse_number
from kb.template import STANDARD
from kb.text.addresses import addresses
from kb.text.narrowing import blocks
from kb.text.outline import parts
from kb.text.sections import Unit, units, weight
from kb.text.sentences import sentences

TITLE = (10.0, 120.0)
"""Weighted characters of a title: a word or two say too little, two lines are an issue statement."""

ISSUE = 10.0
"""Weighted characters of an issue: less is no sentence of a customer."""

SENTENCE = 150.0
"""Weighted characters of a sentence on average: 25 words of English, 56 Han characters."""

SHORT = 2
"""Sentences that need no list of steps."""

_OURS = re.compile(r"(?:/api/v1)?/?articles/(?P<path>[^/?#]+)/?|(?P<bare>[^/?#:.]+)")
_QUESTION = re.compile("[?？]")


def checked(title: str, markdown: str, links_alive: bool) -> dict[Check, bool]:
    """Which checks a text passes. `links_alive` says whether what `linked_numbers` names is there."""
    found, _ = units(blocks(markdown)[0], title, Audience.PUBLIC)
    by_field = {key: [each for each in found if each.field == key and not each.is_heading] for key in _FIELDS}
    issue = "\n".join(each.plain for each in by_field["issue"])
    keys = [part.key for part in parts(STANDARD, markdown)]
    return {
        Check.TITLE_LENGTH: TITLE[0] <= weight(title) <= TITLE[1],
        Check.ISSUE: weight(issue) >= ISSUE,
        Check.ENVIRONMENT: any(each.plain.strip() for each in by_field["environment"]),
        Check.ONE_QUESTION: keys.count("issue") == 1 and len(_QUESTION.findall(f"{title}\n{issue}")) <= 1,
        Check.STEPS: _is_steps(by_field["resolution"]),
        Check.LINKS: links_alive,
        Check.READABLE: _is_readable(found),
    }


def linked_numbers(markdown: str) -> set[str]:
    """The numbers of the articles that a text links to: by their address, or by the number alone."""
    matches = (_OURS.fullmatch(address) for address in addresses(markdown))
    found = {parse_number(match["path"] or match["bare"]) for match in matches if match}
    return {number for number in found if number}


_FIELDS = tuple(each.key for each in STANDARD.fields)


def _is_steps(resolution: list[Unit]) -> bool:
    """Whether a resolution is a list of steps, or so short that it needs none."""
    text = "\n".join(each.plain for each in resolution)
    return bool(text.strip()) and (any(each.kind == "list" for each in resolution) or len(sentences(text)) <= SHORT)


def _is_readable(found: list[Unit]) -> bool:
    """Whether the sentences are short on average; code and tables are not read as sentences."""
    text = "\n".join(each.plain for each in found if each.kind in ("paragraph", "list", "quote"))
    lengths = [weight(text[start:end]) for start, end in sentences(text)]
    return sum(lengths) <= SENTENCE * len(lengths)
