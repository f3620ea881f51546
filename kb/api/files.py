"""Pictures and files of articles."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from kb.api.articles import NumberPath
from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.shapes import NoNul, Shape, example, files_at
from kb.file import Attachment, markdown_for
from kb.person import ANONYMOUS, Scope
from kb.solve import files

router = APIRouter(
    prefix="/api/v1/articles/{number}/files",
    tags=["files"],
    dependencies=[opens(Scope.READ, Scope.WRITE)],
    route_class=Route,
)

_HASH = "6b8e0a1f2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7"
_FILE = {
    "hash": _HASH, "media_type": "image/png", "size": 48213, "name": "ring.png",
    "address": f"/api/v1/articles/482-9175/files/{_HASH}",
}  # fmt: skip
_MARKDOWN = f"![ring](files/{_HASH}.png#640x480)"
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Path(examples=[_HASH])]


class FileIn(Shape):
    """What a file is called."""

    name: Annotated[str, Field(max_length=300, description="As its author knows it.", examples=["ring.png"]), NoNul] = (
        ""
    )


class FileOut(Shape):
    """A file of an article. Who may see a text that names it gets it at its address."""

    model_config = example(_FILE)

    hash: Annotated[str, Field(description="SHA-256 of what is kept.")]
    media_type: str
    size: Annotated[int, Field(description="Bytes.")]
    name: str
    address: str


class AddedFileOut(FileOut):
    """A file that was added, and how to name it in the text."""

    model_config = example(_FILE | {"markdown": _MARKDOWN})

    markdown: Annotated[str, Field(description="To be pasted into the article's Markdown.")]


class FilesOut(Shape):
    """Files, in the order in which they were added."""

    model_config = example({"files": [_FILE]})

    files: list[FileOut]


async def _body(request: Request) -> bytes:
    return await request.body()


def _binary(*media_types: str) -> dict[str, Any]:
    return {
        each: {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of the file)"}
        for each in media_types
    }


@router.post(
    "",
    status_code=201,
    summary="Add",
    responses=refusals(403, 404, 409, 413),
    openapi_extra={"requestBody": {"required": True, "content": _binary("application/octet-stream")}},
    dependencies=[Depends(once("name"))],
)
def add_file(
    number: NumberPath,
    asked: Annotated[FileIn, Query()],
    content: Annotated[bytes, Depends(_body)],
    me: Me,
    parts: Parts,
) -> AddedFileOut:
    """Give a picture (PNG, JPEG, GIF, WebP, SVG) or a PDF to an article that you may revise: its bytes are the body.

    What it is is told from the bytes. Photographs are kept without what they say about place, time and device. It is
    shown to readers once a text names it, as `markdown` in the answer does.
    """
    added, named = files.add(parts.db, me, number, asked.name, content, parts.file_limit)
    return AddedFileOut(**_fields(number, added), markdown=markdown_for(named))


@router.get("", summary="List", responses=refusals(403, 404), dependencies=[Depends(no_query)])
def list_files(number: NumberPath, me: Me, parts: Parts) -> FilesOut:
    """The files of an article that you may see in one of its texts. For staff."""
    found = files.listing(parts.db, me, number)
    return FilesOut(files=[FileOut(**_fields(number, each)) for each in found])


@router.get(
    "/{hash}",
    summary="Fetch",
    response_class=Response,
    responses={
        **refusals(404),
        200: {
            "description": "The file. SVG and PDF are for saving, not for showing.",
            "content": _binary(
                "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "application/pdf"
            ),
        },
        304: {"description": "You have it, and may still have it."},
    },
    dependencies=[Depends(no_query)],
)
def read_file(number: NumberPath, hash: Digest, me: Me, parts: Parts, request: Request) -> Response:
    """A file, if you are shown a text of its article that names it."""
    tags = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    known = f'"{hash}"' in tags
    found, content = files.fetch(parts.db, me, number, hash, known)
    headers = {
        "ETag": f'"{hash}"',
        # Asked for again each time: one that an article no longer shows is gone at once.
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        # What anybody may see, any page may show: our help widget stands on foreign ones.
        "Cross-Origin-Resource-Policy": "cross-origin" if me.id == ANONYMOUS.id else "same-origin",
    }
    if known:
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = _disposition(found)
    return Response(content, headers=headers, media_type=found.media_type)


@router.delete(
    "/{hash}",
    status_code=204,
    summary="Take away",
    responses=refusals(403, 404, 409),
    dependencies=[Depends(no_query)],
)
def remove_file(number: NumberPath, hash: Digest, me: Me, parts: Parts) -> None:
    """Take a file from an article, its history included. Refused while readers or the latest draft are shown it."""
    files.remove(parts.db, me, number, hash)


def _fields(number: str, each: Attachment) -> dict[str, Any]:
    return {
        "hash": each.hash,
        "media_type": each.media_type,
        "size": each.size,
        "name": each.name,
        "address": files_at(number) + each.hash,
    }


def _disposition(each: Attachment) -> str:
    """RFC 6266: shown or saved, and under which name, in ASCII for old clients and in full."""
    plain = "".join(char if char.isascii() else "_" for char in each.name)
    how = "inline" if each.is_picture else "attachment"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(each.name, safe='')}"
