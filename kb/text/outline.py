"""Texts and the templates they are written in: an empty one to begin with, the fields of one, and what is wrong.

A field is a heading of the first or second level with what follows it; deeper headings belong to the writer. Headings
are recognised in all languages of the template, those of the standard fields by their synonyms as well
(`kb.text.template`).
"""

from dataclasses import dataclass, replace

from kb.audience import Audience
from kb.language import Language
from kb.template import Field, Problem, Template
from kb.text.markdown import elements
from kb.text.narrowing import blocks
from kb.text.script import fold
from kb.text.template import field_of

_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A field where it stands: `key` "" for a heading that is no field, `content` whether it says anything.

    `audience` is the widest circle that is shown what it says.
    """

    key: str
    heading: str
    audience: Audience
    content: bool


def begun(template: Template, language: Language) -> str:
    """The Markdown of an article that has every field and nothing in it yet."""
    return "\n\n".join(_empty(each, language) for each in template.fields) + "\n"


def parts(template: Template, markdown: str) -> list[Part]:
    """The fields of a text in the order in which they stand, and the other headings of their level."""
    names = {fold(name): each.key for each in template.fields for name in each.names.values()}
    found: list[Part] = []
    outer = -1
    for block in blocks(markdown)[0]:
        here = outer
        for element in elements(block.text)[0]:
            if element.kind == "heading" and element.level <= _DEEPEST:
                here = len(found)
                found.append(Part(_key(template, names, element.plain), element.plain, block.audience, False))
            elif here >= 0 and element.kind != "heading" and element.plain.strip():
                part = found[here]
                widest = min(part.audience, block.audience, key=lambda each: each.rank)
                found[here] = replace(part, audience=widest if part.content else block.audience, content=True)
        if block.audience is Audience.PUBLIC:
            outer = here
    return found


def problems(template: Template, markdown: str, tier: Audience) -> list[Problem]:
    """What keeps a text from being one of the template; fields for narrower circles than `tier` are not looked at."""
    known = [each for each in template.fields if each.audience.rank <= tier.rank]
    order = [each.key for each in known]
    found = parts(template, markdown)
    keys = [each.key for each in found if each.key in order]
    wrong = [
        Problem("missing", each.key, f"{each.names['en']} is required and says nothing yet")
        for each in known
        if each.required and not any(part.key == each.key and part.content for part in found)
    ]
    for part in found:
        if not part.key:
            message = f"“{part.heading}” is no field of this template; use a heading of the third level"
            wrong.append(Problem("unknown", part.heading, message))
    wrong += [
        Problem("twice", key, f"there are {keys.count(key)} sections for it, one will do")
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]
    once = list(dict.fromkeys(keys))
    if once != sorted(once, key=order.index):
        wrong.append(Problem("order", "", f"the fields stand in the order {', '.join(order)}"))
    return wrong + [
        Problem("too_wide", each.key, f"it is for {each.audience} readers: put '::: {each.audience}' above its heading")
        for each in known
        if any(part.key == each.key and part.content and part.audience.rank < each.audience.rank for part in found)
    ]


def _key(template: Template, names: dict[str, str], heading: str) -> str:
    """The field that a heading stands for, or ""."""
    standard = field_of(heading)
    by_synonym = standard if any(each.key == standard for each in template.fields) else ""
    return names.get(fold(heading).strip(" :"), by_synonym)


def _empty(field: Field, language: Language) -> str:
    heading = f"## {field.names[language]}\n"
    return heading if field.audience is Audience.PUBLIC else f"::: {field.audience}\n{heading}\n:::"
