"""The pages: a shell from a template, everything else in ES modules that use the public API like anybody's client."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from kb.language import Language
from kb.web.assets import Assets
from kb.web.negotiation import closest, preferred

_HERE = Path(__file__).parent

# Nothing from elsewhere, nothing inline. A page that shows text from many hands must not run any of it.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "/": ("search", "page.title", ()),
    "/dictionary": ("dictionary", "dictionary.title", ("dictionary",)),
    "/workbench": ("workbench", "bench.title", ("bench", "finding")),
    "/editor": ("queue", "queue.title", ("queue", "case")),
    "/editor/article": ("article", "art.title", ("art", "case")),
    "/editor/case": ("case", "case.title", ("case",)),
    "/editor/merge": ("merge", "merge.title", ("merge", "art")),
    "/editor/write": ("write", "write.title", ("write", "case")),
    "/notifications": ("notifications", "notes.title", ("notes", "case")),
}
"""The pages by address: the name of its template, module and style sheet; the message that is its title; the beginnings
of the messages that some pages have alone, of which each carries its own (the public's page carries none)."""

_SOME = frozenset(beginning for *_, beginnings in PAGES.values() for beginning in beginnings)

_IMPORTED = re.compile(r'(?:from|import) "\./([\w-]+\.js)"')
_HEADERS = {"Content-Security-Policy": _POLICY}  # the others are those of every reply: `kb.api.frame`
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def mount(app: FastAPI) -> None:
    """Serve the pages at their addresses and their files under `/static`."""
    app.include_router(router())


def router() -> APIRouter:
    """The routes of the pages, with templates, messages and files read once."""
    assets = Assets.read(_HERE / "static")
    messages = {language: _messages(assets, language) for language in Language}
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
    )
    routes = APIRouter(include_in_schema=False)

    def page(name: str, title: str, beginnings: tuple[str, ...]) -> Callable[..., Response]:
        template, start = templates.get_template(f"{name}.html"), f"{name}.js"
        elsewhere = _SOME - set(beginnings)
        words = {
            language: {key: text for key, text in every.items() if key.split(".", 1)[0] not in elsewhere}
            for language, every in messages.items()
        }
        shown = {
            "title": title,
            "start": start,
            "static": f"/static/{assets.version}",
            "modules": _modules(assets, start),
            "styles": [f"{name}.css"] if name != "search" and f"{name}.css" in assets.files else [],
        }

        def show_page(request: Request, lang: str = "") -> Response:
            """The page in the language of `?lang=`, else of the browser."""
            language = closest(lang) or preferred(request.headers.get("accept-language", ""))
            html = template.render(language=language, t=words[language], **shown)
            headers = {"Cache-Control": _ASK_AGAIN, "Vary": "Accept-Language", "Content-Language": language}
            return Response(html, media_type="text/html; charset=utf-8", headers=_HEADERS | headers)

        return show_page

    for path, (name, title, beginnings) in PAGES.items():
        routes.add_api_route(path, page(name, title, beginnings), methods=["GET", "HEAD"], name=f"{name}_page")

    @routes.api_route("/static/{path:path}", methods=["GET", "HEAD"])
    def static_file(request: Request, path: str) -> Response:
        """A file by its plain path, or below the version, where it may be kept for ever."""
        version, _, rest = path.partition("/")
        # During a rolling release another process may ask for its own version: it gets ours, but not to keep.
        asset = assets.files.get(path) or assets.files.get(rest)
        if asset is None:
            return Response("not found", 404, _HEADERS, "text/plain; charset=utf-8")
        cache = _FOR_EVER if version == assets.version else _ASK_AGAIN
        headers = _HEADERS | {"Cache-Control": cache, "ETag": asset.etag}
        if asset.etag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(asset.body, headers=headers, media_type=asset.media_type)

    return routes


def _messages(assets: Assets, language: Language) -> dict[str, str]:
    messages: dict[str, str] = json.loads(assets.files[f"messages/{language}.json"].body)
    return messages


def _modules(assets: Assets, start: str) -> list[str]:
    """The modules a page needs, so that the browser fetches them all at once and not import by import."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _IMPORTED.findall(assets.files[name].body.decode())
    return sorted(found)


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
