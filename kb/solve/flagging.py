"""Flagging: one key says what is wrong, and the flag finds its case.

Fifty who flag the same sentence at once make one case of fifty; who flags again says it anew and counts once.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kb import clock
from kb.case import SEVERITY, Action, RevisionCase, Rules, Severity, State, Step
from kb.errors import Invalid, NotFound
from kb.flag import ROADS, Cause, Flag, Road
from kb.passage import ItemRef, Kind, Passage
from kb.person import Person, Right
from kb.solve import casework, history, seeing
from kb.solve.folding import About, case_of, change, weighed, whole_sentences, words
from kb.solve.trail import own_interaction
from kb.standing import Standing
from kb.store import articles, audit, cases, flags, interactions, passages
from kb.store.database import Database, Tx
from kb.text.hygiene import tidy
from kb.text.markdown import narrow, plain
from kb.text.passages import cut_article


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says with a flag; see `kb.flag.Flag`."""

    cause: Cause
    item: ItemRef | None = None
    revision: int | None = None
    ordinal: int | None = None
    quote: str = ""
    note: str = ""
    query: str = ""
    search_id: str | None = None
    interaction_id: str | None = None
    severe: bool = False


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flag in its case; `again` if the person had flagged that before."""

    flag: Flag
    case: RevisionCase
    again: bool


def flag(db: Database, by: Person, said: Said, rules: Rules) -> Flagged:
    """Say what is wrong. Raises Invalid, NotFound for an item or interaction that is not there, NotAllowed."""
    by.require(Right.FLAG)
    at = clock.now()
    new = new_flag(by, said, at)
    with db.write() as tx:
        if said.interaction_id is not None:
            own_interaction(interactions.get(tx, said.interaction_id), by)
        return put(tx, by, by, new, rules, at)


def put(
    tx: Tx,
    by: Person,
    eyes: Person,
    new: Flag,
    rules: Rules,
    at: datetime,
    anew: Callable[[Flag, Flag], Flag] = lambda before, new: new,
) -> Flagged:
    """Bring a flag to its case, which `by` opens if there is none. It is about what `eyes` can see, and is theirs to
    see. `anew` makes one of what its person said of that before and what they say now. Raises Invalid, NotFound.
    """
    found = case_of(tx, by, _about(tx, eyes, new, at), rules, at)
    before = flags.of_person(tx, found.id, new.person_id)
    if before is not None:
        new = replace(anew(before, new), id=before.id, case_id=found.id, created_at=before.created_at)
        flags.update(tx, new)
    else:
        new = replace(new, case_id=found.id)
        flags.insert(tx, new)
        cases.add_steps(tx, [Step(found.id, at, new.person_id, Action.FLAGGED, found.state)])
    after = _weighed(tx, by, found, new, before is not None, at)
    return Flagged(new, after, before is not None)


def new_flag(by: Person, said: Said, at: datetime) -> Flag:
    """The flag of somebody, of no case yet; raises Invalid for what nobody can say."""
    return Flag(
        id=uuid.uuid4().hex,
        case_id="",
        cause=said.cause,
        person_id=by.id,
        created_at=at,
        changed_at=at,
        item=said.item,
        revision=said.revision,
        ordinal=said.ordinal,
        quote=tidy(said.quote).strip(),
        note=tidy(said.note).strip(),
        query=" ".join(tidy(said.query).split()),
        search_id=said.search_id,
        interaction_id=said.interaction_id,
        severe=said.severe,
    ).checked()


def _weighed(tx: Tx, by: Person, before: RevisionCase, new: Flag, again: bool, at: datetime) -> RevisionCase:
    """The case with the flag counted. Who flags what a fix should have put right, in the fix, reopens it."""
    severity = Severity.SEVERE if new.severe else SEVERITY[new.cause]
    after = weighed(tx, before, before.count + (0 if again else 1), severity, at).said(at, words(new.note))
    if (
        before.state is State.FIXED
        and before.fixed_revision is not None
        and (new.revision or 0) >= before.fixed_revision
    ):
        after = casework.reopened(tx, by, after, Action.REOPENED, "flagged again in the revision that fixed it", at)
    cases.update(tx, before, after)
    audit.write(tx, [change(by, "flag_again" if again else "flag", before, after, at)])
    return after


def _about(tx: Tx, by: Person, new: Flag, at: datetime) -> About:
    """What a flag is about, as far as the person who flags can see it."""
    if ROADS[new.cause] is Road.GAPS or new.item is None or new.revision is None:
        return About(new.cause, by.tier, query=new.query)
    standing = seeing.standings(tx, by, [new.item], at).get(new.item)
    if standing is None:
        raise NotFound(f"no {new.item.kind} {new.item.id}")
    text, heading = _text(tx, by, standing, new)
    return About(
        new.cause,
        by.tier,
        standing,
        new.revision,
        new.ordinal,
        heading,
        whole_sentences(text, new.quote),
    )


def _text(tx: Tx, by: Person, standing: Standing, new: Flag) -> tuple[str, tuple[str, ...]]:
    """The plain text in which a quote is looked for, and the headings above the passage; as shown to who flags."""
    text, found = passages_of(tx, standing.item, new.revision or 0, by)
    if found is None:
        raise Invalid(f"there is no revision {new.revision} of that {standing.item.kind}", "revision")
    readable = [each for each in found if by.reader.may_read(each.access)]
    if new.ordinal is None:
        return plain(narrow(text, by.tier)), ()
    for each in readable:
        if each.ref.ordinal == new.ordinal:
            return plain(each.text), each.heading
    raise Invalid(f"there is no passage {new.ordinal} in revision {new.revision}", "ordinal")


def passages_of(tx: Tx, item: ItemRef, revision: int, by: Person) -> tuple[str, Sequence[Passage] | None]:
    """The text and passages of that very revision of an item: of an article any, of a post the one there is.

    None for passages where there is no such revision, or it was written for others than `by` (`kb.solve.history`).
    """
    if item.kind is not Kind.ARTICLE:
        current = passages.of_items(tx, [item])[item]
        if not current or revision > current[0].ref.revision:
            return "", None
        return "\n\n".join(each.text for each in current), current
    try:
        article = articles.get(tx, item.id)
        found = history.one(tx, by, article, revision)
    except NotFound:
        return "", None
    return found.body, cut_article(article, found)
