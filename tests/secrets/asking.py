"""How each route of the API is asked. What is not described here is asked as its OpenAPI description says.

So a new route is covered by itself, with the pools of names below for its parameters and its own example as the body.
"""

import hashlib
from typing import Any

from fastapi import FastAPI
from hypothesis import strategies as st

from kb.audience import Audience
from tests.secrets.plans import PRODUCTS, SAME, SECRET, SECRETS, SLIPS, TAGS, TOPICS, WORDS, Ask

_THING = st.sampled_from([SAME, SAME, SECRET, SECRET, 1, 2, 3])
"""Which article: this example's, the secret one, or one of the template."""
_TEXT = st.lists(st.sampled_from(WORDS + SECRETS * 2 + SLIPS), min_size=1, max_size=4).map(" ".join)


def _some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": _THING,
    "other": _THING,
    "text": st.one_of(_TEXT, _TEXT, st.just("?number")),
    "typed": st.one_of(_TEXT.map(lambda text: text[: max(2, len(text) - 2)]), _TEXT),
    "limit": st.integers(1, 20),
    "revision": st.integers(1, 3),
    "to": st.integers(1, 3),
    "version": st.integers(1, 3),
    "interaction": st.sampled_from(["same", "secret", "none"]),
    "event": st.sampled_from(["viewed", "linked", "helpful", "not_helpful", "resolved"]),
    "topics": _some(TOPICS[1:]),
    "products": _some(PRODUCTS),
    "tags": _some(TAGS),
    "groups": _some(["desk", "vault"]),
    "kinds": _some(["article", "post"]),
    "languages": _some(["en", "zh-Hans", "zh-Hant"]),
    "confidence": _some(["validated", "not_validated", "archived"]),
    "audience": _some([each.value for each in Audience]),
    "published": st.sampled_from([None, "true", "false"]),
    "field": st.sampled_from(["tags", "superseded_by", "translation_of", "groups", "owner_id", "topic"]),
    "flag": st.booleans(),
    "queued": st.sampled_from([None, "case", "stale", "expiring", "duplicate", "community"]),
}
"""A strategy for everything that a request may name."""

_NEEDED = {
    "search": "number other text limit interaction kinds languages products topics tags confidence flag",
    "explain_search": "number text limit kinds products topics audience flag",
    "suggest": "number text typed limit kinds topics products flag",
    "list_articles": "number limit topics published confidence audience flag",
    "compare_revisions": "number revision to",
    "record_events": "number event revision interaction text flag",
    "create_article": "other text",
    "revise_article": "number text typed version flag",
    "archive_article": "number other",
    "merge_articles": "number other text flag",
    "preview_merge": "number other",
    "find_similar": "number text flag",
    "check_draft": "number text flag",
    "preview_draft": "number text",
    "compare_draft": "number revision text",
    "confirm_article": "number revision flag",
    "read_checklist": "number revision",
    "read_feed": "topics",
    "list_reminders": "flag",
    "list_queue": "text limit topics flag queued",
    "dismiss_lines": "number other queued",
    "restore_lines": "number other queued",
    "change_article": "number other field tags groups topics version flag",
}
"""The values of each operation; of any other those that can stand in a path."""


def operations(app: FastAPI) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every operation of the API by name: method, path, description."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def asks(names: list[str], kind: str) -> st.SearchStrategy[tuple[Ask, ...]]:
    """A search, a look at the example's article or contact, one at what is most read, and two of any operations."""
    any_of_them = st.sampled_from(names).flatmap(_ask)
    usual = st.sampled_from(["suggest", "list_articles", "list_revisions", "read_audit"]).flatmap(_ask)
    contact = ("read_interaction", {"interaction": "same"}, False)
    look = contact if kind == "trail" else ("read_article", {"number": SAME}, False)
    return st.tuples(_ask("search"), st.just(look), usual, any_of_them, any_of_them)


def _ask(name: str) -> st.SearchStrategy[Ask]:
    needed = _NEEDED.get(name, "number revision interaction").split()
    drawn = st.fixed_dictionaries({each: _VALUES[each] for each in needed})
    without_index = st.sampled_from([False, False, False, True]) if name == "search" else st.just(False)
    return st.tuples(st.just(name), drawn, without_index)


def request_of(
    name: str, operation: tuple[str, str, dict[str, Any]], drawn: dict[str, Any], named: dict[str, Any]
) -> dict[str, Any]:
    """Keyword arguments of a request: `path`, `params`, `json`.

    `named` holds what the drawn values stand for in this example: numbers, ids and interactions.
    """
    _, path, described = operation
    for parameter in described.get("parameters", ()):
        if parameter["in"] == "path":
            value = _path_value(parameter["name"], drawn, named)
            path = path.replace("{" + parameter["name"] + "}", str(value))
    asked: dict[str, Any] = {"path": path}
    if name in _QUERIES:
        asked["params"] = {key: value for key, value in _QUERIES[name](drawn, named).items() if value not in (None, [])}
    if name in _BODIES:
        asked["json"] = _BODIES[name](drawn, named)
    elif content := described.get("requestBody", {}).get("content", {}):
        if "application/json" in content:
            asked["json"] = content["application/json"].get("example", {})
        else:
            asked["content"] = b"?"
    return asked


def _path_value(name: str, drawn: dict[str, Any], named: dict[str, Any]) -> object:
    match name:
        case "number":
            return named["numbers"][drawn["number"]]
        case "revision":
            return drawn["revision"]
        case "interaction_id":
            return named["interactions"][drawn["interaction"]]
        case "hash":
            return named["file"].hash
    return named["ids"][drawn["number"]]


def _search(drawn: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    text = named["numbers"][drawn["number"]] if drawn["text"] == "?number" else drawn["text"]
    filters = {name: drawn[name] for name in ("kinds", "languages", "products", "topics", "tags", "confidence")}
    item = {"kind": "article", "id": named["ids"][drawn["other"]]}
    context = {"already_read": [item], "product": (drawn["products"] or [""])[0], "tags": drawn["tags"]}
    if drawn["flag"]:
        context["interaction_id"] = named["interactions"][drawn["interaction"]]
    asked = {"query": text, "limit": drawn["limit"], "context": context}
    return asked | ({"filters": filters} if drawn["flag"] else {})


def _explain(drawn: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {"query": drawn["text"].replace("?number", "red"), "limit": drawn["limit"]}
    asked |= {"number": named["numbers"][drawn["number"]], "audience": (drawn["audience"] or [None])[0]}
    filters = {name: drawn[name] for name in ("kinds", "products", "topics")}
    return asked | ({"filters": filters} if drawn["flag"] else {})


def _event(drawn: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    item = {"item_kind": "article", "item_id": named["ids"][drawn["number"]]}
    event = {
        "kind": drawn["event"],
        "revision": drawn["revision"],
        "interaction_id": named["interactions"][drawn["interaction"]],
    }
    event |= item if drawn["flag"] else {"number": named["numbers"][drawn["number"]]}
    of_kind = {"linked": {"type": "reference"}, "not_helpful": {"comment": drawn["text"]}}
    return {"events": [event | of_kind.get(drawn["event"], {})]}


def _lines(drawn: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """Keys of the queue: pairs and posts that are there in one world or in both."""
    one, other = sorted((named["ids"][drawn["number"]], named["ids"][drawn["other"]]))
    pair = hashlib.sha256(f"{one}/{other}".encode()).hexdigest()[:32]
    return {"keys": [f"duplicate:{pair}", f"{drawn['queued'] or 'community'}:{other}"]}


def _change(drawn: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    field = drawn["field"]
    value = {
        "tags": drawn["tags"],
        "superseded_by": named["numbers"][drawn["other"]],
        "translation_of": named["numbers"][drawn["other"]],
        "groups": drawn["groups"],
        "owner_id": named["person"],
        "topic": (drawn["topics"] or [""])[0],
    }[field]
    return {field: value} | ({"version": drawn["version"]} if drawn["flag"] else {})


_QUERIES: dict[str, Any] = {
    "suggest": lambda drawn, named: {
        "q": named["numbers"][drawn["number"]] if drawn["text"] == "?number" else drawn["typed"],
        "limit": drawn["limit"],
    } | ({"kind": drawn["kinds"], "topic": drawn["topics"], "product": drawn["products"]} if drawn["flag"] else {}),
    "list_articles": lambda drawn, named: {
        "limit": drawn["limit"],
        "after": named["numbers"][drawn["number"]] if drawn["flag"] else None,
        "topic": (drawn["topics"] or [None])[0],
        "published": drawn["published"],
    } | ({"confidence": drawn["confidence"], "audience": drawn["audience"]} if drawn["flag"] else {}),
    "compare_revisions": lambda drawn, named: {"from": drawn["revision"], "to": drawn["to"]},
    "list_reminders": lambda drawn, named: {"owner": "all" if drawn["flag"] else "me"},
    "preview_merge": lambda drawn, named: {"other": named["numbers"][drawn["other"]]},
    "list_checklists": lambda drawn, named: {"author": "system"},
    "list_queue": lambda drawn, named: {
        "limit": drawn["limit"], "kind": drawn["queued"], "topic": (drawn["topics"] or [None])[0],
        "owner": named["person"] if drawn["flag"] else None, "q": drawn["text"] if drawn["flag"] else None,
    },
    "read_feed": lambda drawn, named: {"topic": (drawn["topics"] or [None])[0]},
}  # fmt: skip
_BODIES: dict[str, Any] = {
    "search": _search,
    "explain_search": _explain,
    "record_events": _event,
    "open_interaction": lambda drawn, named: {
        "channel": "phone", "continues": named["interactions"][drawn["interaction"]], "continuation": "call_back",
    },
    # Never accepted, since a new article has a number by chance: what it names is not there, or was asked for nobody.
    "create_article": lambda drawn, named: {
        "title": "New", "body": drawn["text"], "language": "en", "audience": "internal", "groups": ["nobody"],
        "superseded_by": named["numbers"][drawn["other"]],
    },
    "revise_article": lambda drawn, named: {
        "title": drawn["text"], "body": f"{drawn['typed']}\n\n{drawn['text']}", "version": drawn["version"],
        "publish": drawn["flag"],
    },
    # The text is said: by default it is that of the newer article, and both are of the same moment here.
    "merge_articles": lambda drawn, named: {
        "other": named["numbers"][drawn["other"]], "title": "Both", "body": drawn["text"],
    },
    "find_similar": lambda drawn, named: {"title": drawn["text"], "body": f"## Issue\n{drawn['text']}"}
    | ({"number": named["numbers"][drawn["number"]]} if drawn["flag"] else {}),
    "check_draft": lambda drawn, named: {
        "title": drawn["text"], "body": f"## Issue\n[x]({named['numbers'][drawn['number']]}) {drawn['text']}",
        "template": "standard",
    },
    "preview_draft": lambda drawn, named: {
        "number": named["numbers"][drawn["number"]], "audience": "internal",
        "body": f"{drawn['text']}\n\n![x](files/{named['file'].hash}.png)",
    },
    "compare_draft": lambda drawn, named: {
        "number": named["numbers"][drawn["number"]], "revision": drawn["revision"], "title": "x", "body": drawn["text"],
    },
    "unpublish_article": lambda drawn, named: {},
    "dismiss_lines": _lines,
    "restore_lines": _lines,
    "confirm_article": lambda drawn, named: {"translates": drawn["revision"]} if drawn["flag"] else {},
    "publish_article": lambda drawn, named: {"revision": drawn["revision"]},
    "archive_article": lambda drawn, named: {"superseded_by": named["numbers"][drawn["other"]]},
    "change_article": _change,
}  # fmt: skip
