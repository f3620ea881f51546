"""Feedback into flags, by the road of `POST /flags`: they fold into cases, find owners and are weighed as any other.

A row is known by its key and comes in once. Who said it is somebody kb knows, by id, name, login or the id of an
OpenID provider or host; else their name is kept as text on the flag, and nobody is invented. A case begins when kb
hears of it, a flag when it was said.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ingest.contract import Item, Outcome, Problem
from ingest.feedback import Feedback, FeedbackFile
from kb import clock
from kb.case import Rules
from kb.erasure import Subject, SubjectKind
from kb.errors import Conflict, Invalid, NotFound
from kb.flag import LONGEST_NOTE, LONGEST_QUOTE, Cause, Flag
from kb.passage import Kind
from kb.person import SYSTEM, Person, Right
from kb.solve import flagging, history
from kb.solve.flagging import Said
from kb.solve.matching import By, Matcher, Meant
from kb.standing import Standing
from kb.store import articles, audit, flags, hosts, interactions, ledger, logins, people
from kb.store.database import Database, Tx
from kb.text.script import fold

_SURE = 1.0
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Guess:
    """A row whose article was found by likeness: to be looked at."""

    where: str
    number: str
    by: By
    likeness: float


@dataclass(slots=True)
class Tally:
    """What a run found out on the way: `strangers` are agents that kb does not know, with how many rows each has."""

    matched: dict[By, int] = field(default_factory=dict)
    strangers: dict[str, int] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)


class Flags:
    """Takes in feedback of one source. Raises NotAllowed for somebody who may not flag."""

    batch = 10  # in one transaction, for which people's writes wait: a tenth of a second

    def __init__(self, db: Database, by: Person, source: str, rules: Rules, *, dry_run: bool = False) -> None:
        by.require(Right.FLAG)
        self.tally = Tally()
        self._db = db
        self._by = by
        self._source = source
        self._rules = rules
        self._dry_run = dry_run
        self._matcher = Matcher(by)
        self._people = _called(db)

    def keep(self, items: Sequence[Item[Feedback]]) -> Sequence[tuple[str, Outcome] | Problem]:
        """Flag what has not been flagged yet. A batch that collides with another process is done again by itself."""
        with self._db.read() as tx:  # to look for a quote takes time, for which nobody's writes should wait
            known = flags.taken_in(tx, [item.key for item in items])
            meant = {item.key: self._meant(tx, item.content) for item in items if item.key not in known}
        if not meant:
            return [(item.key, Outcome.UNCHANGED) for item in items]
        try:
            answers, tally = self._write(items, meant)
        except Conflict:
            answers, tally = self._write(items, meant)
        self._count(tally)
        return answers

    def unsettled(self) -> Collection[str]:
        """None: no row names another."""
        return ()

    def is_unsettled(self, key: str) -> bool:
        """Never."""
        return False

    def last_problems(self, is_present: Callable[[str], bool]) -> Iterable[Problem]:
        """None."""
        return ()

    def stored(self) -> Iterator[str]:
        """None: what was said once stays said, so nothing is pruned."""
        return iter(())

    def remove(self, keys: Sequence[str]) -> int:
        """Nothing."""
        return 0

    def _meant(self, tx: Tx, said: Feedback) -> Meant | Invalid | NotFound | None:
        """What a row is about; None where nothing answers, else why that cannot be said."""
        if said.problem:
            return Invalid(said.problem)
        if said.cause is Cause.NOTHING_ANSWERS:
            return None
        try:
            return self._matcher.meant(tx, said.article, said.title, said.quote, clock.now())
        except NotFound as error:
            return error

    def _write(
        self, items: Sequence[Item[Feedback]], meant: Mapping[str, Meant | Invalid | NotFound | None]
    ) -> tuple[list[tuple[str, Outcome] | Problem], Tally]:
        tally, answers = Tally(), list[tuple[str, Outcome] | Problem]()
        with self._db.write() as tx:
            batch = tx.begin_nested()
            known = flags.taken_in(tx, [item.key for item in items])
            for item in items:
                if item.key in known:
                    answers.append((item.key, Outcome.UNCHANGED))
                    continue
                attempt = tx.begin_nested()
                try:
                    answers.append((item.key, self._one(tx, item, meant[item.key], tally)))
                    attempt.commit()
                except (Invalid, NotFound) as error:
                    attempt.rollback()
                    answers.append(Problem(item.file, str(error), item.line, item.key, item.row))
            if new := sum(tally.matched.values()):
                counts, at = {"rows": new}, clock.now()
                audit.write(tx, [audit.Change(self._by.id, "ingest", "feedback", self._source, {}, counts, at)])
            if self._dry_run:
                batch.rollback()
            else:
                batch.commit()
        return answers, tally

    def _one(self, tx: Tx, item: Item[Feedback], meant: Meant | Invalid | NotFound | None, tally: Tally) -> Outcome:
        if isinstance(meant, Invalid | NotFound):
            raise meant
        said, at = item.content, clock.now()
        agent = self._agent(said)
        new = self._flag(tx, said, meant, agent, at)
        done = flagging.put(tx, self._by, self._eyes(agent, meant), new, self._rules, at, _anew)
        by, likeness = (meant.by, meant.likeness) if meant else (By.NONE, _SURE)
        if not flags.add_row(tx, item.key, done.flag.id, by.value, likeness, at):
            raise Conflict("another process is bringing in the same row")
        tally.matched[by] = tally.matched.get(by, 0) + 1
        if meant and likeness < _SURE:
            where = Problem(item.file, "", item.line).where
            tally.guesses.append(Guess(where, meant.standing.label or meant.standing.item.id, by, likeness))
        if new.said_by:
            tally.strangers[new.said_by] = tally.strangers.get(new.said_by, 0) + 1
        return Outcome.UPDATED if done.again else Outcome.CREATED

    def _flag(self, tx: Tx, said: Feedback, meant: Meant | None, agent: Person | None, at: datetime) -> Flag:
        stranger = "" if agent else self._stranger(tx, said)
        ours = self._interaction(tx, said.interaction)
        asked = said.query or (said.title or said.note if said.cause is Cause.NOTHING_ANSWERS else "")
        new = flagging.new_flag(
            agent or self._by,
            Said(
                said.cause,
                meant.standing.item if meant else None,
                self._revision(tx, said, meant.standing) if meant else None,
                quote=said.quote[:LONGEST_QUOTE],
                note=said.note,
                query=asked,
                interaction_id=ours,
                severe=said.severe,
            ),
            at,
        )
        return replace(
            new,
            created_at=said.said_at or at,
            said_by=stranger,
            said_in="" if ours else said.interaction,
            person_id=_stranger_id(self._source, stranger) if stranger else new.person_id,
        )

    def _agent(self, said: Feedback) -> Person | None:
        """Who said it, if that is one person whom kb knows."""
        for name in said.agent.splitlines():
            found = self._people.get(_bare(name), [])
            if len(found) == 1:
                return found[0]
        return None

    def _eyes(self, agent: Person | None, meant: Meant | None) -> Person:
        """Whose sight it is: the agent's, if they may flag that here, else of who brings it in."""
        access = meant.standing.access if meant else None
        if agent and not agent.disabled and agent.may(Right.FLAG) and (not access or agent.reader.may_read(access)):
            return agent
        groups = access.groups if access and self._by == SYSTEM else frozenset()
        return replace(self._by, groups=self._by.groups | groups)

    def _stranger(self, tx: Tx, said: Feedback) -> str:
        """What an agent is called whom kb does not know; nothing, if somebody of that name has been erased since."""
        name = " ".join(said.agent.partition("\n")[0].split())
        if not name:
            return ""
        named = [Subject(SubjectKind.PERSON, key) for key in (name, _stranger_id(self._source, name))]
        gone = ledger.erased(tx, named)
        return "" if any(said.said_at is None or said.said_at <= at for at in gone.values()) else name

    def _interaction(self, tx: Tx, named: str) -> str | None:
        """Our id of a contact that is named by it, or by that of its desktop."""
        if not named:
            return None
        if found := interactions.by_external_id(tx, named):
            return found.id
        try:
            return interactions.get(tx, named[:40]).id if len(named) <= 40 else None
        except NotFound:
            return None

    def _revision(self, tx: Tx, said: Feedback, standing: Standing) -> int:
        """The revision that they saw: the one that the row names, else the one that was shown when they said it."""
        if standing.item.kind is not Kind.ARTICLE:
            return said.revision or standing.revision
        article = articles.get(tx, standing.item.id)
        if said.revision:
            return said.revision
        shown = history.shown_at(tx, article, said.said_at) if said.said_at else None
        return shown or article.published or article.latest

    def _count(self, tally: Tally) -> None:
        for by, count in tally.matched.items():
            self.tally.matched[by] = self.tally.matched.get(by, 0) + count
        for name, count in tally.strangers.items():
            self.tally.strangers[name] = self.tally.strangers.get(name, 0) + count
        self.tally.guesses += tally.guesses


def told(rows: FeedbackFile, flagged: Flags) -> Iterator[str]:
    """What there is to say after a run: what was guessed, whom kb does not know, by what articles were found."""
    tally = flagged.tally
    for name, count in sorted(rows.unknown.items()):
        yield f"column '{name}' is no field of ours and was passed over in {count} rows; --map says what it is"
    for each in tally.guesses[:_SHOWN]:
        what = each.by.removeprefix("near_")
        yield f"{each.where}: taken for {each.number} by its {what} ({each.likeness:.0%} alike)"
    if len(tally.guesses) > _SHOWN:
        yield f"{len(tally.guesses) - _SHOWN} more were taken for an article by likeness"
    if tally.strangers:
        first = sorted(tally.strangers, key=lambda name: -tally.strangers[name])[:_SHOWN]
        yield f"{len(tally.strangers)} who are no people of kb are kept by name: {', '.join(first)}"
    if rows.repeated:
        yield f"{rows.repeated} rows say again word for word what another says"
    if tally.matched:
        yield "found by " + ", ".join(f"{by} {count}" for by, count in sorted(tally.matched.items()))


def _anew(before: Flag, new: Flag) -> Flag:
    """What somebody said twice about one thing: nothing of it is lost, and the later goes before."""
    first, last = sorted((before, new), key=lambda each: each.created_at)
    notes = [each.note for each in (first, last) if each.note]
    note = notes[0] if len(set(notes)) == 1 else "\n".join(notes)
    if len(note) > LONGEST_NOTE:
        raise Invalid(
            f"with what they said about that before, the note has more than {LONGEST_NOTE} characters", "note"
        )
    return replace(
        last,
        note=note,
        query=last.query or first.query,
        search_id=before.search_id,
        interaction_id=last.interaction_id or first.interaction_id,
        said_in=last.said_in or first.said_in,
        severe=first.severe or last.severe,
        changed_at=new.changed_at,
    )


def _bare(name: str) -> str:
    return " ".join(fold(name).split())


def _stranger_id(source: str, name: str) -> str:
    """What stands where a person's id would: the same for the same name in the same source, and nobody's."""
    said = "\x1f".join((source, _bare(name)))
    return f"said-{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _called(db: Database) -> Mapping[str, list[Person]]:
    """Everybody by what they are called: ids, names, logins, ids elsewhere."""
    found: dict[str, list[Person]] = {}
    with db.read() as tx:
        everyone = {each.id: each for each in people.everyone(tx)}
        named = [(each.id, each.name) for each in everyone.values()]
        named += [(each.id, each.id) for each in everyone.values()]
        named += [*logins.logins(tx).items(), *hosts.subjects(tx)]
    for person_id, name in named:
        holders = found.setdefault(_bare(name), [])
        if person_id in everyone and everyone[person_id] not in holders:
            holders.append(everyone[person_id])
    return found
