"""An editors' desk for the tests of the console: people, and what waits for them."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from kb import clock
from kb.audience import Audience
from kb.case import TO_DO, RevisionCase, Rules
from kb.flag import Cause
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.queue import Line, LineKind, Searched
from kb.solve import ageing, casework, flagging, improve
from kb.solve.access import add_person, colleagues, person_for
from kb.solve.flagging import Said
from kb.store import cases, queue
from kb.store.cases import Wanted
from tests.web.conftest import Site


@dataclass
class Desk:
    """Who works here, by name, and how their day begins. What nobody else owns is Grace's."""

    site: Site
    people: dict[str, Person] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, site: Site) -> "Desk":
        """Ada and Grace fix, Cindy flags; once for a site."""
        desk = cls(site, keys=site.library.keys)
        known = {each.name for each in colleagues(site.service.db, SYSTEM)}
        for name, role in (("Grace", Role.CONTRIBUTOR), ("Cindy", Role.CANDIDATE)):
            if name not in known:
                _, desk.keys[name] = add_person(site.service.db, SYSTEM, name, Audience.INTERNAL, roles={role})
        site.service.queue_keeper.close()  # what it adds by itself would come in between
        desk.people = {name: person_for(site.service.db, desk.keys[name]) for name in ("Ada", "Grace", "Cindy")}
        return desk

    def clear(self) -> None:
        """Nothing waits any more."""
        db = self.site.service.db
        while waiting := casework.listing(db, SYSTEM, Wanted(states=TO_DO), "", 200):
            casework.many([each.id for each in waiting], lambda id: casework.decline(db, SYSTEM, id, "done"))
        with db.write() as tx:
            for kind in LineKind:
                queue.remove(tx, kind, queue.kept(tx, kind))

    def flag(self, quote: str, *names: str, article: str = "red", **more: object) -> RevisionCase:
        """A sentence of an article that these people say is wrong, Cindy if nobody is named."""
        known = self.site.library.articles[article]
        said = {"cause": Cause.WRONG_FACT, "item": ItemRef(Kind.ARTICLE, known.id), "revision": 1, "quote": quote}
        return self._said(Said(**(said | more)), names)  # type: ignore[arg-type]

    def miss(self, query: str, *names: str) -> RevisionCase:
        """What these people asked that nothing answers."""
        return self._said(Said(Cause.NOTHING_ANSWERS, query=query), names)

    def _said(self, said: Said, names: tuple[str, ...]) -> RevisionCase:
        for name in names or ("Cindy",):
            done = flagging.flag(self.site.service.db, self.people[name], said, Rules(self.people["Grace"].id))
        return done.case

    def make_late(self, case: RevisionCase) -> None:
        """A case that was due two days and a bit ago."""
        with self.site.service.db.write() as tx:
            before = cases.get(tx, case.id, to_change=True)
            late = clock.now() - timedelta(days=2, hours=3)
            cases.update(tx, before, replace(before, due_at=late, version=before.version + 1))

    def search(self, query: str, people: int, id: str = "s1") -> None:
        """Something that many looked for in vain."""
        found = Searched(query, people * 2, people, 0, clock.now())
        line = Line(LineKind.SEARCH, id, found.demand, Audience.INTERNAL, words=query, searched=found)
        with self.site.service.db.write() as tx:
            queue.put(tx, [line], clock.now())

    def expire(self, article: str) -> None:
        """An article that ends in three days and a bit."""
        db, at = self.site.service.db, clock.now()
        improve.confirm(db, SYSTEM, self.site.library.articles[article].id, until=at + timedelta(days=3, hours=1))
        ageing.refresh(db, self.site.service.terms, at)

    def now(self, case: RevisionCase) -> RevisionCase:
        """The case as it is by now."""
        return casework.read(self.site.service.db, SYSTEM, case.id).case
