"""Two worlds that differ in secrets only, and how to tell whether somebody notices.

Both begin as copies of one template, so people, keys and ids are equal. What is written has ids and numbers of a
counter and the time of a clock that both share: whatever is visible is equal to the letter.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb import clock
from kb.app import create_app
from kb.article import Article, Revision
from kb.audience import Audience
from kb.bootstrap import Service
from kb.case import Rules
from kb.dictionary import Meaning
from kb.errors import IndexUnavailable
from kb.file import Named
from kb.flag import Cause
from kb.interaction import Event, Interaction
from kb.language import Language
from kb.number import parse_number
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Role
from kb.post import Post
from kb.product import Product
from kb.query import Query, Retrieval
from kb.search.loading import BackgroundEncoder
from kb.search.searcher import Searcher
from kb.settings import Settings
from kb.solve import cataloguing, dictionary, flagging
from kb.solve.access import add_person
from kb.solve.flagging import Said
from kb.solve.publishing import cut_posts, cut_shown, save_article, save_posts, shown_revision
from kb.solve.replaying import Replay
from kb.store import interactions, people, topics
from kb.topic import Topic
from tests.api.conftest import UNHURRIED, House
from tests.receiver import only_here
from tests.toys import ToyEncoder, copy_index

MEMORY = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None

PEOPLE: dict[str, dict[str, Any]] = {
    "customer": {"tier": Audience.CUSTOMER},
    "club_customer": {"tier": Audience.CUSTOMER, "groups": ["desk"]},
    "partner": {"tier": Audience.PARTNER},
    "partner_author": {"tier": Audience.PARTNER, "roles": [Role.PUBLISHER], "groups": ["desk"]},
    "reader": {"tier": Audience.INTERNAL},
    "member": {"tier": Audience.INTERNAL, "groups": ["desk"]},
    "candidate": {"tier": Audience.INTERNAL, "roles": [Role.CANDIDATE]},
    "contributor": {"tier": Audience.INTERNAL, "roles": [Role.CONTRIBUTOR], "groups": ["desk"]},
    "insider": {"tier": Audience.INTERNAL, "roles": [Role.PUBLISHER], "groups": ["desk", "vault"]},
}
"""Nobody but the insider belongs to the group "vault"."""

START = datetime(2027, 3, 14, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Time that stands still until it is told to go on."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def tick(self) -> None:
        self.at += timedelta(seconds=1)


@dataclass(frozen=True)
class Template:
    """A closed service's folder, the keys and ids of its people, and how many things it holds."""

    folder: Path
    keys: dict[str, str]
    ids: dict[str, str]
    written: int


def make_template(database: Path, folder: Path) -> Template:
    """A contact centre with some content for everybody, so that averages and counts are not those of nothing."""
    shutil.copy(database, folder / "kb.db")
    keys, ids = {}, {}
    with pytest.MonkeyPatch.context() as patch, started(folder) as house:
        patch.setattr(clock, "now", Clock().now)
        for name, fields in PEOPLE.items():
            person, keys[name] = add_person(house.service.db, SYSTEM, name, **fields)
            ids[name] = person.id
        for n in range(12):
            title, text = f"Hub {n}: red light", f"Restart the router {n} times. 重启路由器。"
            inside = "\n\n".join(f"::: {tier}\nThe {tier} reset code is {n}.\n:::" for tier in list(Audience)[1:])
            write_article(house, an_article(n), a_revision(n, title, f"{text}\n\n{inside}\n\nInvoice {n}."))
        house.settle()
    return Template(folder, keys, ids, 12)


@contextmanager
def started(folder: Path, keys: dict[str, str] | None = None, ids: dict[str, str] | None = None) -> Iterator[House]:
    """A running service on a folder, with a catalogue that is complete."""
    toy = ToyEncoder()
    encoder = BackgroundEncoder(lambda: toy, toy.identity).start()
    encoder.wait()
    # What the template holds is a day old: stale, while what an example adds is not.
    settings = Settings(**UNHURRIED | {"data_dir": folder, "stale_after_days": 0.5, "_env_file": None})
    service = Service(settings, encoder=encoder, indexing=False)
    service.messenger.outside = replace(service.messenger.outside, resolver=only_here)
    service.replay = Replay(service.db, service.finder, seconds=600)  # a busy machine must not make a difference
    with TestClient(create_app(service)) as client:
        cataloguing.load(service.db, service.catalogue)
        service.wording.settle()
        yield House(service, client, keys or {}, ids or {})


def an_id(n: int) -> str:
    """The id of the nth thing, in no order."""
    return hashlib.sha256(str(n).encode()).hexdigest()[:32]


def a_number(n: int) -> str:
    """A number that nobody misheard, in no order."""
    digits = f"{(n * 7919 + 1) % 10**6:06d}"
    return next(found for check in range(10) if (found := parse_number(f"{digits}{check}")))


def an_article(n: int, **fields: Any) -> Article:
    """The nth article, published now unless told otherwise."""
    at = clock.now()
    return Article(
        **{
            "id": an_id(n), "number": a_number(n), "language": Language.ENGLISH, "audience": Audience.PUBLIC,
            "created_at": at, "modified_at": at, "latest": 1, "published": 1, "published_at": at,
        } | fields
    )  # fmt: skip


def a_revision(n: int, title: str, body: str, **fields: Any) -> Revision:
    """The text of the nth article."""
    return Revision(**{"article_id": an_id(n), "number": 1, "title": title, "body": body, "author_id": "system",
                       "created_at": clock.now()} | fields)  # fmt: skip


def write_article(
    house: House,
    article: Article,
    revision: Revision | None,
    before: Article | None = None,
    files: Sequence[Named] = (),
) -> None:
    """Write a new article with its files, or a change of one."""
    at, action = clock.now(), "revise" if before else "create"
    with house.service.db.write() as tx:
        topics.ensure_topics(tx, [article.topic])
        shown = revision if revision and revision.number == article.published else None
        cut = cut_shown(article, shown or (before and shown_revision(tx, article)) or None, at)
        save_article(tx, SYSTEM, action, before, article, at, cut, revision, files)


def write_post(house: House, post: Post) -> None:
    """Write a post."""
    with house.service.db.write() as tx:
        save_posts(tx, [post], [], cut_posts([post]), clock.now())


def write_trail(house: House, interaction: Interaction | None, events: list[Event]) -> None:
    """Open an interaction, if one is given, and write to its trail."""
    with house.service.db.write() as tx:
        if interaction is not None:
            interactions.insert(tx, interaction)
        interactions.append(tx, events)


def add_meaning(house: House, terms: str, audience: Audience) -> None:
    """Write to the dictionary what each of some words means, for that audience."""
    for term in terms.split():
        meaning = Meaning((term,), (f"quokka invoice {len(dictionary.visible(house.service.db, SYSTEM))}",), audience)
        dictionary.create(house.service.db, SYSTEM, meaning)
    dictionary.follow(house.service.db, house.service.dictionary)


def flag_as_insider(house: House, article: Article, gap: str = "") -> None:
    """The insider says what is wrong with an article, and perhaps what nothing answers."""
    with house.service.db.read() as tx:
        insider = next(each for each in people.everyone(tx) if each.name == "insider")
    said = Said(Cause.WRONG_FACT, ItemRef(Kind.ARTICLE, article.id), 1, note="mandrill quokka")
    for each in (said, *([Said(Cause.NOTHING_ANSWERS, query=gap)] if gap else [])):
        flagging.flag(house.service.db, insider, each, Rules())


def name_place(house: House, topic: Topic, product: Product) -> None:
    """Give a topic and a product their names."""
    with house.service.db.write() as tx:
        topics.save_topic(tx, topic)
        topics.save_product(tx, product)


class NoIndex(Searcher):
    """A searcher whose index is away."""

    def retrieve(self, query: Query, *args: Any, **more: Any) -> Retrieval:
        raise IndexUnavailable("away")


@dataclass
class Reply:
    """What somebody got, less times and what is drawn by chance for each request."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Pair:
    """A world with secrets and one without."""

    template: Template
    patch: pytest.MonkeyPatch
    clock: Clock = field(default_factory=Clock)
    count: int = 0
    known: set[str] = field(default_factory=set)
    _open: ExitStack = field(default_factory=ExitStack)

    def begin(self) -> None:
        """Both worlds anew, as copies of the template."""
        self.end()
        self.clock.at = START + timedelta(days=1)
        self.patch.setattr(clock, "now", self.clock.now)
        self.count = self.template.written
        self.known = {*self.template.ids.values(), *map(an_id, range(self.count))}
        self.secretive, self.plain = (self._world() for _ in range(2))

    def end(self) -> None:
        """Close both."""
        self._open.close()

    def _world(self) -> House:
        folder = Path(self._open.enter_context(TemporaryDirectory(dir=MEMORY, prefix="kb-world-"))) / "data"
        copy_index(self.template.folder, folder)
        return self._open.enter_context(started(folder, self.template.keys, self.template.ids))

    @property
    def worlds(self) -> tuple[House, House]:
        """With, without."""
        return self.secretive, self.plain

    def next(self) -> int:
        """The number of one more thing: its id and article number are the same in whichever world it is written."""
        self.count += 1
        self.known.add(an_id(self.count))
        return self.count

    def settle(self, wholly: bool = False) -> None:
        """Both indexed: what people wrote, in one step each, or `wholly`, with imports and what follows when idle."""
        for house in self.worlds:
            if wholly:
                house.settle()
            else:
                house.service.indexer.step()
                house.service.indexer.encode_step()
            house.service.wording.settle()

    def log(self) -> None:
        """All searches written to their trails, which happens in groups otherwise."""
        for house in self.worlds:
            house.service.search_log.flush()

    def keep_queue(self) -> None:
        """The lines of the editors' queue worked out in both, as of minutes later: it reads what has settled."""
        self.log()
        self.clock.at += timedelta(minutes=2)
        for house in self.worlds:
            house.service.queue_keeper.settle()

    def ask(self, method: str, path: str, who: str, without_index: bool = False, **more: Any) -> tuple[Reply, Reply]:
        """What somebody gets in either world."""
        return tuple(self._ask(house, method, path, who, without_index, more) for house in self.worlds)  # type: ignore[return-value]

    def _ask(self, house: House, method: str, path: str, who: str, without_index: bool, more: dict[str, Any]) -> Reply:
        finder, service = house.service.finder, house.service
        if without_index:
            service.finder = type(finder)(
                finder.db, NoIndex(service.live, service.encoder), finder.catalogue, finder.log
            )
        try:
            headers = {"X-Request-ID": "same", **more.get("headers", {})}
            response = house.ask(method, path, who, **more | {"headers": headers})
        finally:
            service.finder = finder
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        headers = _without_chance(headers, self.known)  # where something new is
        is_json = response.headers.get("content-type", "").startswith("application/json")
        return Reply(
            response.status_code, headers, _without_chance(response.json() if is_json else response.text, self.known)
        )


_RANDOM = re.compile(r"\b[0-9a-f]{32}\b")


def _without_chance(body: Any, known: set[str]) -> Any:
    """A body without milliseconds, and with ids that were drawn for this request replaced."""
    if isinstance(body, dict):
        return {name: _without_chance(0 if name == "took_ms" and not isinstance(value, dict) else
                                      dict.fromkeys(value, 0) if name == "took_ms" else value, known)
                for name, value in body.items()}  # fmt: skip
    if isinstance(body, list):
        return [_without_chance(each, known) for each in body]
    if isinstance(body, str):
        return _RANDOM.sub(lambda match: match[0] if match[0] in known else "<random>", body)
    return body


def difference(with_it: Reply, without: Reply) -> str:
    """Both replies as text where they differ, "" where nobody can tell."""
    if with_it == without:
        return ""
    shown = [json.dumps(vars(each), indent=1, sort_keys=True, ensure_ascii=False) for each in (with_it, without)]
    return f"--- with the secret\n{shown[0]}\n--- without\n{shown[1]}"
