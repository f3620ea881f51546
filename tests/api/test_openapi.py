"""The description is part of the product: whoever reads it alone can write a client."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

import kb.api.article_shapes
import kb.api.browse
import kb.api.case_shapes
import kb.api.dictionary_shapes
import kb.api.files
import kb.api.flag_shapes
import kb.api.interaction_shapes
import kb.api.judging_shapes
import kb.api.operations
import kb.api.queue_shapes
import kb.api.search_shapes
import kb.api.sessions
import kb.api.state_shapes
import kb.api.step_shapes
import kb.api.template_shapes
import kb.api.upkeep_shapes
import kb.api.webhook_shapes
import kb.api.workbench_shapes
from kb.person import SYSTEM
from kb.solve.passwords import set_password
from tests.api.conftest import House

OPEN = {"/healthz", "/readyz", "/metrics"}
A_SET, AN_ID = "1c0ffee0a5b64c7d8e9f0a1b2c3d4e5f", "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b"
"""What the examples of the workbench name."""


@pytest.fixture(scope="module")
def described(shared: House) -> dict[str, Any]:
    schema: dict[str, Any] = shared.get("/api/v1/openapi.json").json()
    return schema


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_openapi_3_1_and_says_what_and_for_whom(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    assert described["info"]["title"] == "kb"
    assert "X-Request-ID" in described["info"]["description"]
    assert {tag["name"] for tag in described["tags"]} == {
        tag for *_, operation in operations(described) for tag in operation["tags"]
    }


def test_every_operation_has_a_name_of_its_own_a_summary_and_a_description(described: dict[str, Any]) -> None:
    found = [operation for *_, operation in operations(described)]
    assert len({operation["operationId"] for operation in found}) == len(found) > 20
    assert all(operation["summary"] and operation["description"] for operation in found)


def test_every_request_and_every_reply_has_an_example(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        for where, holder in [("request", operation.get("requestBody")), *operation["responses"].items()]:
            for content in (holder or {}).get("content", {}).values():
                assert "example" in content, f"{method} {path} {where}"
        for parameter in operation.get("parameters", []):
            required = parameter["required"]
            assert not required or "examples" in parameter["schema"], f"{method} {path} {parameter['name']}"


def test_every_operation_describes_its_errors_in_the_one_shape(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        if path in OPEN:
            continue
        expected = {"414", "415", "429", "431", "401", "422", "503"}
        expected |= {"408", "413"} if "requestBody" in operation else set()
        expected |= {"404"} if "{" in path else set()
        expected |= {"403"} if method != "get" and "articles" in path else set()
        expected |= {"409"} if method != "get" and "{number}" in path else set()
        assert expected <= operation["responses"].keys(), f"{method} {path}"
        for status, response in operation["responses"].items():
            if status >= "400":
                content = response["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ProblemOut"}, f"{method} {path} {status}"
        if operation["operationId"] != "sign_in":
            assert operation["security"] == [{"key": []}, {"session": []}], f"{method} {path}"


def shapes() -> list[type[BaseModel]]:
    modules = [
        kb.api.article_shapes,
        kb.api.browse,
        kb.api.case_shapes,
        kb.api.dictionary_shapes,
        kb.api.files,
        kb.api.flag_shapes,
        kb.api.interaction_shapes,
        kb.api.judging_shapes,
        kb.api.operations,
        kb.api.search_shapes,
        kb.api.sessions,
        kb.api.state_shapes,
        kb.api.step_shapes,
        kb.api.template_shapes,
        kb.api.queue_shapes,
        kb.api.upkeep_shapes,
        kb.api.webhook_shapes,
        kb.api.workbench_shapes,
    ]
    found = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    return sorted((each for each in found if issubclass(each, BaseModel)), key=lambda each: each.__name__)


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_examples_are_what_they_are_examples_of_and_no_shape_takes_more(shape: type[BaseModel]) -> None:
    schema = shape.model_json_schema()
    assert schema["additionalProperties"] is False
    for example in schema.get("examples", []):
        assert shape.model_validate(example)


def test_examples_of_requests_are_accepted(house: House, described: dict[str, Any]) -> None:
    article, other = house.write("Red light", "One."), house.write().number
    number = article.number
    judged = house.post("workbench/sets", {"name": "Judged"}, "publisher").json()["id"]
    set_password(house.service.db, SYSTEM, house.ids["publisher"], "ada", "three unrelated words")
    interaction = house.post("interactions", {"channel": "phone"}, "publisher").json()["id"]
    entry = house.post("dictionary", {"terms": ["hub", "router"], "audience": "public"}, "publisher").json()
    gap = {"cause": "nothing_answers", "query": "abroad"}
    case = house.post("flags", gap, "publisher").json()["case"]["id"]
    newer = house.write("Red light", "Three.").number
    told = {"name": "CRM", "url": "https://crm.example/", "audience": "public", "events": ["article.published"]}
    hook = house.post("webhooks", told, "admin").json()["webhook"]["id"]
    changes: dict[str, dict[str, Any]] = {
        "archive": {"superseded_by": other}, "publish": {"revision": 1}, "merge": {"other": newer},
        "{role}": {"version": 0}, "{template_id}": {"version": 0},
        "checklist": {"version": 0}, "{webhook_id}": {"version": 1},
    }  # fmt: skip
    for path, method, operation in operations(described):
        if method == "get" or "application/json" not in operation.get("requestBody", {}).get("content", {}):
            continue
        example = dict(operation["requestBody"]["content"]["application/json"]["example"])
        example.pop("version", None)
        example |= {"number": number} if "number" in example else {}
        if path.endswith("/revisions"):
            example["version"] = house.get(f"articles/{number}", "publisher").json()["version"]
        example |= {"changed_at": entry["changed_at"]} if "changed_at" in example else {}
        example |= changes.get(path.rpartition("/")[2], {})
        if path.endswith("/events"):
            change = {"interaction_id": interaction, "number": number, "revision": 1}
            example["events"] = [each | {k: v for k, v in change.items() if k in each} for each in example["events"]]
        if "/workbench/" in path:
            example = json.loads(
                json.dumps(example).replace("482-9175", number).replace(A_SET, judged).replace(AN_ID, article.id)
            )
            if path.endswith("{set_id}"):
                example["name"] = "Another"
        if "/session" in path:
            house.client.base_url = "https://kb.example"  # nobody signs in where others can listen
        ours = {"merge": other, "undo": newer}.get(path.rpartition("/")[2], number)
        path = path.format(
            number=ours, set_id=judged, entry_id=entry["id"], case_id=case, template_id="standard", role="candidate",
            revision=1, webhook_id=hook,
        )  # fmt: skip
        who = (
            "admin"
            if any(each in path for each in ("/templates", "/roles/", "/checklist", "/webhooks"))
            else "publisher"
        )
        response = house.ask(method.upper(), path, who, json=example)
        assert response.status_code < 300, f"{method} {path}: {response.text}"


def test_a_change_has_no_defaults_where_leaving_out_means_leaving_alone(described: dict[str, Any]) -> None:
    fields = described["components"]["schemas"]["StateChangeIn"]["properties"]
    assert not any("default" in field for field in fields.values())
