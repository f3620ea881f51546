"""What a merge does to the cases of the article that is archived: they go on at the one that is kept.

Where the same is open there, two cases become one with all flags. The undo takes back what only moved; what became one
stays one, since nobody can say which half of it has been dealt with. Both histories say what happened.
"""

from dataclasses import replace
from datetime import datetime

from kb.article import Article
from kb.case import TO_DO, Action, Proof, RevisionCase, State, Step, fold_key
from kb.errors import NotFound
from kb.flag import Cause
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.solve import seeing
from kb.solve.casework import reopened
from kb.solve.folding import change, passage_key, weighed, words
from kb.store import audit, cases, flags, people
from kb.store.database import Tx

_UNFINISHED = (*TO_DO, State.FIXED)
_PLACE = ("fold", "revision", "ordinal", "fixed_revision", "replaced_revision")
"""What a case says about its place in an item, and an undo brings back."""


def follow(tx: Tx, by: Person, merged: Article, kept: Article, title: str, at: datetime) -> None:
    """Move the unfinished cases of an article that was merged to the one that is kept, within that transaction.

    `title` is the kept article's.
    """
    for each in cases.of_item(tx, _item(merged), _UNFINISHED):
        there = _known_to_owner(tx, _there(each, merged, kept, title, at), at)
        same = cases.unfinished(tx, there.fold) if there.fold != each.fold else None
        if same is None:
            _save(tx, by, Action.MOVED, each, there, merged.number, at)
        else:
            _become_one(tx, by, each, there, same, at)


def undo(tx: Tx, by: Person, merged: Article, kept: Article, title: str, merged_at: datetime, at: datetime) -> None:
    """Take back the cases that a merge moved and that nobody has fixed since. `title` is the merged one's."""
    for each in cases.of_item(tx, _item(kept), _UNFINISHED):
        moves = [
            done for done in audit.of(tx, cases.SUBJECT, each.id) if (done.action, done.at) == (Action.MOVED, merged_at)
        ]
        if not moves or moves[-1].after.get("fixed_revision") != each.fixed_revision:
            continue
        place: dict[str, object] = {name: moves[-1].before[name] for name in _PLACE} | {"item": _item(merged)}
        if each.cause is not Cause.NOTHING_ANSWERS:
            place |= {"label": merged.number, "title": title, "topic": merged.topic}
        back = _waiting_anew(each.touched(at, **place), at)
        if back.fold == each.fold or cases.unfinished(tx, back.fold) is None:
            _save(tx, by, Action.MOVED, each, back, merged.number, at)


def _there(case: RevisionCase, merged: Article, kept: Article, title: str, at: datetime) -> RevisionCase:
    """The case as one about the kept article, in the revision that the merge made."""
    # Nobody who could not read the one that is archived learns what was quoted of it.
    audience = max(case.audience, merged.audience, key=lambda each: each.rank)
    moved = replace(case, audience=audience, groups=case.groups or merged.groups)
    place: dict[str, object] = {"item": _item(kept)}
    if case.state is State.FIXED:
        place |= {"fixed_revision": kept.published, "replaced_revision": None}
    if case.cause is not Cause.NOTHING_ANSWERS:  # a gap stays what was asked
        key = fold_key(case.cause, moved.access, _item(kept), passage_key(case.quote, case.heading))
        place |= {"fold": key, "label": kept.number, "title": title, "topic": kept.topic}
        place |= {"revision": kept.latest, "ordinal": None}
    return _waiting_anew(moved.touched(at, **place).said(at, words(kept.number, title)), at)


def _waiting_anew(case: RevisionCase, at: datetime) -> RevisionCase:
    """A proof that is waited for waits for the index to have the article as it is from now on."""
    return replace(case, fixed_at=at) if case.proof is Proof.WAITING else case


def _known_to_owner(tx: Tx, case: RevisionCase, at: datetime) -> RevisionCase:
    """The case without those it was given to who may not see it there: it finds another owner (`casework.adopt`)."""
    owner = case.owner_id if _may_work(tx, case.owner_id, case, at) else None
    if case.assignee_id is None or _may_work(tx, case.assignee_id, case, at):
        return replace(case, owner_id=owner)
    state = State.OPEN if case.to_do else case.state
    return replace(case, owner_id=owner, assignee_id=None, state=state)


def _may_work(tx: Tx, person_id: str | None, case: RevisionCase, at: datetime) -> bool:
    try:
        found = people.get(tx, person_id or "")
        seeing.case(tx, found, case, at)
    except NotFound:
        return False
    return found.may(Right.FIX) and not found.disabled


def _become_one(
    tx: Tx, by: Person, before: RevisionCase, there: RevisionCase, same: RevisionCase, at: datetime
) -> None:
    """Close a case whose like is open at the kept article, and give that one its flags, voices and words."""
    moved = flags.move(tx, before.id, same.id)
    more = before.count if before.cause is Cause.NOT_HELPFUL else moved
    after = weighed(tx, same, same.count + more, before.severity, at).said(at, before.words)
    if before.to_do and not after.to_do:
        after = reopened(tx, by, after, None, "", at)  # the text that is kept still says it
    if after.to_do and after.assignee_id is None and there.assignee_id is not None:
        after = after.assign(at, there.assignee_id)
    _save(tx, by, Action.FOLDED, same, after, before.label, at)
    _save(tx, by, Action.FOLDED, before, there.folded(at), before.label, at)


def _save(
    tx: Tx, by: Person, action: Action, before: RevisionCase, after: RevisionCase, text: str, at: datetime
) -> None:
    cases.update(tx, before, after)
    cases.add_steps(tx, [Step(after.id, at, by.id, action, after.state, text)])
    told = change(by, action.value, before, after, at)
    audit.write(tx, [replace(told, before={**told.before, **_place(before)}, after={**told.after, **_place(after)})])


def _place(case: RevisionCase) -> dict[str, object]:
    return {name: getattr(case, name) for name in _PLACE}


def _item(article: Article) -> ItemRef:
    return ItemRef(Kind.ARTICLE, article.id)
