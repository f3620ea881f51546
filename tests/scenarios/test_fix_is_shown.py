"""A fix that is published is what everybody is shown from then on, before and after the index has it; what it put right
is nowhere but in the history, for staff."""

from typing import Any

import pytest

from kb.audience import Audience
from kb.language import Language
from tests.api.conftest import House

WRONG = "Hold reset for ten seconds, then wait."
RIGHT = "Hold reset for fifteen seconds, then wait."
TITLE, NEW_TITLE = "The amber light flickers", "The orange light flickers"
STAFF = ("candidate", "publisher")
ASKED = ["amber light flickers", "hold reset ten seconds", "reset fifteen seconds"]


def shown(house: House, number: str, who: str) -> str:
    """All that one person is shown who looks for the article in every way there is."""
    pages = [house.post("search", {"query": each, "limit": 10}, who) for each in ASKED]
    pages += [house.get("suggest", who, q=each[:5]) for each in ("amber", "orange", "light")]
    pages += [house.get(f"articles/{number}", who), house.get("articles", who), house.get("topics", who)]
    pages += [
        house.get("/feed.atom", who),
        house.post("drafts/similar", {"title": TITLE}, who) if who in STAFF else pages[0],
    ]
    assert {each.status_code for each in pages} == {200}
    return "\n".join(each.text for each in pages)


@pytest.mark.parametrize("who", ["", "customer", "candidate", "publisher"])
def test_the_old_text_is_nowhere_from_the_moment_of_the_fix(house: House, who: str) -> None:
    article = house.write(TITLE, WRONG, audience=Audience.PUBLIC, language=Language.ENGLISH)
    house.settle()
    before = shown(house, article.number, who)  # whatever keeps answers has seen this one
    assert TITLE in before
    assert "ten seconds, then" in before
    flag = {"cause": "wrong_fact", "number": article.number, "revision": 1, "quote": WRONG, "query": ASKED[1]}
    case = house.post("flags", flag, "candidate").json()["case"]
    fix: dict[str, Any] = {"title": NEW_TITLE, "body": RIGHT, "version": 1, "publish": True, "fixes": [case["id"]]}
    assert house.post(f"articles/{article.number}/revisions", fix, "publisher").status_code == 201

    for _ in ("while the index has the old text", "when it has the new one"):
        after = shown(house, article.number, who)
        assert RIGHT in after
        assert WRONG not in after
        assert TITLE not in after
        house.settle()
