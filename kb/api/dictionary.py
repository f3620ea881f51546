"""The managed dictionary: words that mean the same. For those who tune search."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from kb.api.bodies import Route
from kb.api.dictionary_shapes import (
    ChangeIn,
    EntriesIn,
    EntriesOut,
    EntryOut,
    ImportIn,
    ImportOut,
    MeaningIn,
    PreviewIn,
    PreviewOut,
)
from kb.api.errors import refusals
from kb.api.parts import Parts, Running
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.shapes import Id, Moment
from kb.person import Scope
from kb.solve import dictionary, dictionary_files

router = APIRouter(
    prefix="/api/v1/dictionary", tags=["dictionary"], dependencies=[opens(Scope.WRITE)], route_class=Route
)

EntryPath = Annotated[Id, Path(examples=["3d1f0c9e7a5b4c2d8e6f0a1b2c3d4e5f"])]
_ALONE = [Depends(no_query)]
_CSV = "terms,means,audience,active,note\r\nNBN,national broadband network,public,yes,\r\n"
_CSV_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "UTF-8 with a byte order mark, for spreadsheets.",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": _CSV}},
    }
}


@router.get(
    "",
    summary="List or search entries",
    responses=refusals(),
    dependencies=[Depends(once("q", "audience", "active", "after", "limit"))],
)
def list_entries(asked: Annotated[EntriesIn, Query()], me: Me, parts: Parts) -> EntriesOut:
    """The entries for readers like you, the one changed last first. Needs the right to tune."""
    found = dictionary.listing(
        parts.db,
        me,
        text=asked.q,
        audience=asked.audience,
        active=asked.active,
        after=asked.after or "",
        limit=asked.limit,
    )
    entries = [EntryOut.of(each) for each in found.entries]
    return EntriesOut(entries=entries, total=found.total, next=entries[-1].id if found.more else None)


@router.post("", status_code=201, summary="Create", responses=refusals(409, 413), dependencies=_ALONE)
def create_entry(asked: MeaningIn, me: Me, parts: Parts, response: Response) -> EntryOut:
    """A new entry: searches here go by it at once, in other processes within seconds."""
    entry = dictionary.create(parts.db, me, asked.noun)
    _follow(parts)
    response.headers["Location"] = f"{router.prefix}/{entry.id}"
    return EntryOut.of(entry)


@router.get(
    "/export",
    summary="Export",
    responses=_CSV_REPLY | refusals(),
    response_class=Response,
    dependencies=_ALONE,
)
def export_entries(me: Me, parts: Parts) -> Response:
    """All entries for readers like you, as a CSV file that can be imported again."""
    headers = {"Content-Disposition": 'attachment; filename="dictionary.csv"'}
    text = "\ufeff" + dictionary_files.write_csv(parts.db, me)
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/import", summary="Import", responses=refusals(409, 413), dependencies=_ALONE)
def import_entries(asked: ImportIn, me: Me, parts: Parts) -> ImportOut:
    """Add the entries of a CSV file, all or none. Where one is there, its note and whether it is active are taken over;
    nothing is taken out."""
    done = dictionary_files.read_csv(parts.db, me, asked.csv, asked.dry_run)
    _follow(parts)
    return ImportOut(created=done.created, changed=done.changed, unchanged=done.unchanged)


@router.post("/preview", summary="Preview", responses=refusals(404, 413), dependencies=_ALONE)
def preview_entry(asked: PreviewIn, me: Me, parts: Parts) -> PreviewOut:
    """What an entry would change, before it is saved: the last 200 different searches that you may know of, asked
    again with it and without it, each as a reader of the tier that asked. Takes 10 s at most."""
    return PreviewOut.of(parts.replay.preview(me, asked.noun, asked.id))


@router.get("/{entry_id}", summary="Read", responses=refusals(404), dependencies=_ALONE)
def read_entry(entry_id: EntryPath, me: Me, parts: Parts) -> EntryOut:
    """One entry."""
    return EntryOut.of(dictionary.read(parts.db, me, entry_id))


@router.put("/{entry_id}", summary="Change", responses=refusals(404, 409, 413), dependencies=_ALONE)
def change_entry(entry_id: EntryPath, asked: ChangeIn, me: Me, parts: Parts) -> EntryOut:
    """Make an entry what is sent, or switch it off or on. 409 if somebody has changed it since you read it."""
    entry = dictionary.change(parts.db, me, entry_id, asked.noun, asked.changed_at)
    _follow(parts)
    return EntryOut.of(entry)


@router.delete(
    "/{entry_id}",
    status_code=204,
    summary="Delete",
    responses=refusals(404, 409),
    dependencies=[Depends(once("changed_at"))],
)
def delete_entry(
    entry_id: EntryPath,
    me: Me,
    parts: Parts,
    changed_at: Annotated[Moment, Query(description="As you read it.", examples=["2026-03-14T12:00:00Z"])],
) -> None:
    """Take an entry out. The audit log keeps what it said."""
    dictionary.delete(parts.db, me, entry_id, changed_at)
    _follow(parts)


def _follow(parts: Running) -> None:
    """Whoever changes the dictionary and searches next finds by it: the thread that looks for changes may be later."""
    dictionary.follow(parts.db, parts.dictionary)
