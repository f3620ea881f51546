"""Everything hostile in every field of every request, as the description names them, so that a new one is covered.

It is refused with a 4xx in the one shape, and then the record is as it was, or it is an ordinary value and answered.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from kb.store.database import Database
from kb.store.schema import metadata
from tests.api.conftest import House, opened
from tests.api.test_errors import problem

pytestmark = pytest.mark.slow

TEXTS = {
    "empty": "",
    "space": " \t\n\u3000",
    "control": "\x01\x02\x1b[31m\x7f\x85",
    "nul": "a\0b",
    "binary": bytes(range(256)).decode("latin-1"),
    "sql": "'; DROP TABLE article; -- \" OR 1=1 %s ? :x {x} $1",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>'\"><svg/onload=alert(1)>&lt;",
    "markdown": "[x](javascript:alert(1)) ::: internal\n:::\n::: public\n" + "> " * 200 + "`" * 99,
    "path": "../../etc/passwd%00\\..\\x",
    "bidi": "\u202e\u2066\ufeff\u200d\u0301" * 20,
    "astral": "\U0001f600\U000e0041\U0010ffff" * 10,
    "surrogates": "\ud83d x \udc00",
    "han": "红灯紅燈" * 500,
    "long": "x" * 20_000,
    "longer": "x y " * 475_000,
    "parentheses": "(" * 10_000,
    "number": "9" * 400,
    "date": "9999-12-31T23:59:59.999999+23:59",
    "regex": "a" * 3_000 + "!" + "-_." * 1_000,
}
OTHERS = {
    "null": None,
    "true": True,
    "zero": 0,
    "minus": -1,
    "huge": 10**400,
    "many": 2**63,
    "float": 1e308,
    "tiny": 1e-320,
    "list": [],
    "object": {},
    "numbers": list(range(1_000)),
    "texts": ["x"] * 1_000,
    "deep": json.loads("[" * 500 + "]" * 500),
}
VALUES = TEXTS | OTHERS
RAW = {
    "nothing": b"",
    "binary": bytes(range(256)) * 40,
    "a line of 10 MB": b"x" * 10_000_000,
    "broken UTF-8": b'{"query": "\xe4\xbd"}',
    "cut short": b'{"query": "red',
    "deep": b"[" * 1_000_000,
    "deep and closed": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "two": b"{}{}",
    "not a number": b'{"query": NaN}',
    "a long number": b'{"query": ' + b"9" * 100_000 + b"}",
    "many keys": b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(100_000)) + b"}",
    "many lists": b"[" + b"[]," * 600_000 + b"[]]",
}


@pytest.fixture(scope="module")
def world(sqlite_template: Path) -> Iterator[House]:
    with opened(sqlite_template) as house:
        house.write()
        house.settle()
        house.service.messenger.close()  # what was refused must change nothing: nothing else may meanwhile
        yield house


@pytest.fixture(scope="module")
def described(world: House) -> dict[str, Any]:
    found: dict[str, Any] = world.get("/api/v1/openapi.json").json()
    return found


@pytest.fixture
def watched(world: House) -> Iterator[sqlite3.Connection]:
    url = sa.make_url(world.service.settings.database)
    # Read only: a wrong path would otherwise make an empty file, in which nothing ever changes.
    with contextlib.closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as connection:
        yield connection


def record(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that is in the database but what is counted and logged on the side."""
    aside = {"event", "failure", "session"}
    with db.read() as tx:
        tables = [each for each in metadata.sorted_tables if each.name not in aside]
        return {each.name: sorted(map(tuple, tx.execute(sa.select(each))), key=repr) for each in tables}


class Asking:
    """Sends, and holds every answer to what was promised."""

    def __init__(self, house: House, watched: sqlite3.Connection) -> None:
        self.house = house
        self._watched = watched
        self.begin()
        self.sent = 0

    def begin(self) -> None:
        """From here on nothing but what is asked changes the record."""
        self._version = self._seen()
        self._before = record(self.house.service.db)

    def _seen(self) -> int:
        """Another number after every commit of anybody: reading the whole record after each request takes minutes."""
        found: int = self._watched.execute("PRAGMA data_version").fetchone()[0]
        return found

    def __call__(self, what: str, method: str, path: str, **more: Any) -> None:
        response = self.house.ask(method.upper(), path, "admin", **more)
        self.sent += 1
        assert response.status_code < 500 or response.status_code == 503, f"{what}: {response.text}"
        refused = response.status_code >= 400
        assert not refused or problem(response)["code"] != "internal", what
        if self._seen() == self._version:
            return
        before = self._before
        self.begin()
        assert not refused or self._before == before, f"{what}: refused, and yet something has changed"


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def filled(path: str, house: House) -> str:
    known = {
        "number": house.write().number,
        "revision": 1,
        "interaction_id": "x",
        "template_id": "standard",
        "role": "candidate",
    }
    return path.format_map({**dict.fromkeys(fields(path), "x"), **known})


def fields(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def places(example: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value in a JSON document, the whole included."""
    yield at
    inside = example.items() if isinstance(example, dict) else enumerate(example) if isinstance(example, list) else ()
    for name, value in inside:
        yield from places(value, (*at, name))


def changed(example: Any, at: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at that place."""
    if not at:
        return value
    copy = json.loads(json.dumps(example))
    holder = copy
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = value
    return copy


def whole_example(described: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A value for every field of a schema, those that may be left out included."""
    if "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if options := schema.get("anyOf"):
        return whole_example(described, options[0], depth)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [""])[0])
    if schema.get("type") == "object":
        own = (schema.get("examples") or [{}])[0]
        return {
            name: own.get(name, None) or whole_example(described, each, depth + 1)
            for name, each in schema.get("properties", {}).items()
        }
    if schema.get("type") == "array":
        return [whole_example(described, schema.get("items", {"type": "string"}), depth + 1)]
    return {"integer": 1, "number": 1, "boolean": False}.get(schema.get("type", ""), "x")


def test_a_change_with_a_refusal_would_be_seen(world: House, watched: sqlite3.Connection) -> None:
    ask = Asking(world, watched)
    world.write("Written meanwhile")
    with pytest.raises(AssertionError, match="something has changed"):
        ask("an article that is not there", "get", "/api/v1/articles/nope")


def test_every_field_of_every_body(world: House, watched: sqlite3.Connection, described: dict[str, Any]) -> None:
    ask = Asking(world, watched)
    for path, method, operation in operations(described):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        target = filled(path, world)
        ask.begin()
        example = whole_example(described, content["schema"])
        for place in places(example):
            for name, value in VALUES.items():
                body = json.dumps(changed(example, place, value)).encode()
                headers = {"Content-Type": "application/json"}
                ask(f"{method} {path} {place} {name}", method, target, content=body, headers=headers)
    assert ask.sent > 1_000


def test_every_body_as_a_whole(world: House, watched: sqlite3.Connection, described: dict[str, Any]) -> None:
    ask = Asking(world, watched)
    for path, method, operation in operations(described):
        if "requestBody" in operation:
            target = filled(path, world)
            ask.begin()
            for name, body in RAW.items():
                for kind in (
                    "application/json",
                    "text/plain",
                    "application/x-www-form-urlencoded",
                    "multipart/form-data",
                    "",
                ):
                    if len(body) < 1_000 or kind == "application/json":
                        ask(f"{method} {path} {name}", method, target, content=body, headers={"Content-Type": kind})


def test_every_parameter(world: House, watched: sqlite3.Connection, described: dict[str, Any]) -> None:
    ask = Asking(world, watched)
    texts = {name: text.encode("utf-8", "replace").decode() for name, text in TEXTS.items()}
    for path, method, operation in operations(described):
        target = filled(path, world)
        ask.begin()
        for parameter in operation.get("parameters", []):
            for name, text in texts.items():
                what = f"{method} {path} {parameter['name']} {name}"
                body: dict[str, Any] = {"json": {}} if "requestBody" in operation else {}
                if parameter["in"] == "query" and len(quote(text)) < 60_000:
                    ask(what, method, target, params={parameter["name"]: text}, **body)
                elif parameter["in"] == "path" and len(text) < 60_000:
                    ask(what, method, path.replace(f"{{{parameter['name']}}}", quote(text, safe="") or "%20"), **body)
                elif parameter["in"] == "header":
                    sent = text.encode("latin-1", "replace").translate(None, b"\0\r\n")
                    ask(what, method, target, headers={parameter["name"]: sent}, **body)


def test_credentials_of_every_kind(world: House) -> None:
    for name, text in TEXTS.items():
        sent = text.encode("utf-8", "replace").translate(None, b"\0\r\n")
        for headers in (
            {"Authorization": sent},
            {"Authorization": b"Bearer " + sent},
            {"Authorization": b"Bearer eyJ" + sent + b".e30." + sent},
            {"Cookie": b"kb_session=" + sent},
            {"Accept-Language": sent},
            {"If-None-Match": sent},
            {"Host": sent},
            {"X-Request-ID": sent},
            {"Origin": sent},
        ):
            for path in ("/api/v1/me", "/", "/static/search.js"):
                response = world.ask("GET", path, headers=headers)
                assert response.status_code < 500, (name, headers.keys(), response.text[:300])
