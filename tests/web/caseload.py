"""A service of its own for the pages of cases: who works there, and what they flag and fix."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb.article import Article, Confidence, Draft
from kb.audience import Audience
from kb.case import RevisionCase, Rules
from kb.flag import Cause
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.solve import casework, flagging, improve
from kb.solve.access import add_person
from kb.solve.fixing import Fixes
from kb.solve.flagging import Said
from kb.store import articles, people
from kb.store.database import Database
from tests.web.conftest import Site, serving
from tests.web.library import Library

TEN = "Fill the kettle with vinegar, wait for **ten minutes** and rinse it twice. Never boil the vinegar."
FIFTEEN = "Fill the kettle with vinegar, wait for **fifteen minutes** and rinse it twice. Never boil the vinegar."
PEOPLE = {"Ada": Role.PUBLISHER, "Ben": Role.CONTRIBUTOR, "Cat": Role.CANDIDATE, "Dan": Role.CANDIDATE}


@dataclass
class Desk:
    """The site, and what its people do."""

    site: Site
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.site.service.db

    def write(
        self, title: str = "Descale the kettle", body: str = TEN, fixes: RevisionCase | None = None, **state: Any
    ) -> Article:
        known = {"language": Language.ENGLISH, "audience": Audience.PUBLIC, "confidence": Confidence.VALIDATED}
        draft = Draft(title, body, **known | state)  # type: ignore[arg-type]
        return improve.create(self.db, SYSTEM, draft, fixes=Fixes([fixes.id] if fixes else []))

    def flag(self, who: str, article: Article | None, **more: Any) -> RevisionCase:
        said: dict[str, Any] = {"cause": Cause.WRONG_FACT}
        if article is not None:
            said |= {"item": ItemRef(Kind.ARTICLE, article.id), "revision": 1, "ordinal": 0, "quote": "ten minutes"}
        return flagging.flag(self.db, self.people[who], Said(**said | more), Rules()).case

    def fix(self, article: Article, *cases: RevisionCase, body: str = FIFTEEN, meaning: bool = False) -> None:
        with self.db.read() as tx:
            now = articles.get(tx, article.id)
            title = articles.get_revision(tx, article.id, now.latest).title
        fixes = Fixes([each.id for each in cases], meaning)
        improve.revise(self.db, SYSTEM, article.id, title, body, version=now.version, publish=True, fixes=fixes)

    def case(self, found: RevisionCase) -> RevisionCase:
        return casework.read(self.db, SYSTEM, found.id).case

    def key(self, who: str) -> str:
        return self.site.library.keys[who]


def fill(db: Database) -> Library:
    """Somebody of each kind, and nothing to read."""
    library = Library()
    for name, role in PEOPLE.items():
        library.keys[name] = add_person(db, SYSTEM, name, Audience.INTERNAL, roles={role})[1]
    library.keys["Carol"] = add_person(db, SYSTEM, "Carol", Audience.CUSTOMER)[1]
    return library


@contextlib.contextmanager
def working(folder: Path) -> Iterator[Desk]:
    """A site with nothing but its people."""
    with serving(folder, fill, lambda _: True, rate_per_key=1e6, rate_per_address=1e6) as site:
        desk = Desk(site)
        with site.service.db.read() as tx:
            desk.people = {each.name: each for each in people.everyone(tx)}
        yield desk
