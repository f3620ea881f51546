"""An Atom feed (RFC 4287, paged by RFC 5005) of what has changed, for whoever asks: each sees what is theirs."""

import hashlib
import re
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from kb.api.errors import refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import once
from kb.api.shapes import Shape, Short
from kb.language import Language
from kb.person import ANONYMOUS, Person, Scope
from kb.solve import feed
from kb.solve.announcing import address
from kb.solve.feed import Entry, News

router = APIRouter(tags=["browse"], dependencies=[opens(Scope.READ)])

_IDS = uuid.UUID("6f1d3a52-0c7b-5b8e-9a44-2f1c7d90e3b1")
_NAMESPACE = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {
    Language.ENGLISH: ("New: {}", "Now says: {}", "Something was taken out."),
    Language.SIMPLIFIED: ("新增：{}", "现改为：{}", "删去了部分内容。"),
    Language.TRADITIONAL: ("新增：{}", "現改為：{}", "刪去了部分內容。"),
}
_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Articles, the one published last first, 50 a page.",
        "content": {
            "application/atom+xml": {
                "schema": {"type": "string"},
                "example": f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="{_NAMESPACE}">…</feed>',
            }
        },
    },
    304: {"description": "Nothing has changed for you since the ETag that you sent."},
}


class FeedIn(Shape):
    """Of what, and from where."""

    topic: Annotated[Short, Field(description="This topic and all below it; empty for everything.")] = ""
    lang: Annotated[Language | None, Field(description="Articles in this language only.")] = None
    after: Annotated[str, Field(max_length=40, description="From the link `next`.")] = ""


@router.get(
    "/feed.atom",
    summary="Feed of changes",
    response_class=Response,
    responses=_REPLY | refusals(),
    dependencies=[Depends(once("topic", "lang", "after"))],
)
def read_feed(asked: Annotated[FeedIn, Query()], me: Me, parts: Parts, request: Request) -> Response:
    """What was published or changed, with the sentences that are new. Without a key it is the public's. What is
    archived, replaced or hidden leaves it at once."""
    base = parts.public_url or str(request.base_url).rstrip("/")
    page = feed.page(parts.db, me, asked.topic, asked.lang, asked.after)
    tag = _tag(me, base, asked, page)
    updated = max((each.at for each in page.entries), default=_NEVER)
    headers = {
        "ETag": f'"{tag}"',
        # For information: what leaves the feed makes nothing newer, so only the tag says whether it is the same.
        "Last-Modified": format_datetime(updated.replace(microsecond=0), usegmt=True),
        "Cache-Control": "no-cache" if me.id == ANONYMOUS.id else "private, no-cache",
        "Vary": "Authorization, Cookie",
    }
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if f'"{tag}"' in known:
        return Response(status_code=304, headers=headers)
    root = _feed(base, asked, page, updated)
    for each, said in zip(page.entries, feed.news(parts.db, me, page.entries), strict=True):
        root.append(_entry(base, each, said))
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, headers=headers, media_type="application/atom+xml; charset=utf-8")


def _tag(me: Person, base: str, asked: FeedIn, page: feed.Page) -> str:
    """What is different whenever the feed is. Revisions never change, so that their texts need not be read."""
    said = [base, asked.topic, asked.lang, asked.after, page.next, me.tier, *sorted(me.groups)]
    for each in page.entries:
        said += [each.article.id, str(each.article.published), each.article.topic, each.title, each.at.isoformat()]
    return hashlib.sha256("\x1f".join(map(str, said)).encode()).hexdigest()[:32]


def _feed(base: str, asked: FeedIn, page: feed.Page, updated: datetime) -> Element:
    place = {name: value for name, value in (("topic", asked.topic), ("lang", asked.lang)) if value}
    root = Element("feed", {"xmlns": _NAMESPACE} | ({"xml:lang": asked.lang.value} if asked.lang else {}))
    _text(root, "id", _urn("feed", asked.topic, asked.lang or ""))
    _text(root, "title", f"kb: {asked.topic}" if asked.topic else "kb")
    _text(root, "updated", _written(updated))
    _text(SubElement(root, "author"), "name", "kb")
    _link(root, "self", _address(base, place | ({"after": asked.after} if asked.after else {})))
    _link(root, "first", _address(base, place))
    if page.next:
        _link(root, "next", _address(base, place | {"after": page.next}))
    SubElement(root, "link", rel="alternate", type="text/html", href=f"{base}/")
    return root


def _entry(base: str, each: Entry, said: News) -> Element:
    article = each.article
    made = Element("entry", {"xml:lang": article.language.value})
    _text(made, "id", _urn("article", article.id))
    _text(made, "title", each.title)
    _text(made, "updated", _written(each.at))
    SubElement(made, "link", rel="alternate", type="text/html", href=f"{base}{address(article.number)}")
    if article.topic:
        SubElement(made, "category", term=article.topic)
    new, changed, removed = _WORDS[article.language]
    words = new.format(said.text) if said.is_new else changed.format(said.text) if said.text else removed
    _text(made, "summary", words)
    return made


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _NOT_XML.sub("", text)


def _link(root: Element, rel: str, href: str) -> None:
    SubElement(root, "link", rel=rel, type="application/atom+xml", href=href)


def _address(base: str, query: dict[str, str]) -> str:
    return f"{base}/feed.atom" + (f"?{urlencode(query)}" if query else "")


def _urn(*parts: str) -> str:
    """An id that stays whatever the address is by which we are asked."""
    return uuid.uuid5(_IDS, "\x1f".join(parts)).urn


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
