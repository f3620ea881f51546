"""The workbench: searches explained, judged and compared. For those who tune search."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.judging_shapes import (
    ComparedOut,
    CompareIn,
    CompareOut,
    DifferenceOut,
    JudgedOut,
    JudgementIn,
    LoadedOut,
    PairsIn,
    ReadSetOut,
    SetIn,
    SetOut,
    SetsOut,
    TableIn,
)
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query
from kb.api.shapes import Id
from kb.api.workbench_shapes import ExplainIn, ExplainOut, SettingsOut, WeightsIn, explained
from kb.audience import Audience
from kb.errors import Invalid
from kb.person import Right, Scope
from kb.search.fusion import Weights
from kb.search.ranking import PRIORS
from kb.solve import judging
from kb.solve.explaining import asking_as, explain
from kb.solve.judging import Listed
from kb.solve.significance import paired_bootstrap
from kb.solve.why_not import why_not

router = APIRouter(
    prefix="/api/v1/workbench",
    tags=["workbench"],
    dependencies=[opens(Scope.WRITE), Depends(no_query)],
    route_class=Route,
)

SetPath = Annotated[Id, Path(examples=["1c0ffee0a5b64c7d8e9f0a1b2c3d4e5f"])]


@router.get("/settings", summary="What can be tried", responses=refusals())
def read_settings(me: Me) -> SettingsOut:
    """The weights and priors that a trial can change, and as whom you can ask. Needs the right to tune."""
    me.require(Right.TUNE)
    plain = Weights()
    return SettingsOut(
        weights=WeightsIn(base=plain.base, slope=plain.slope, least=plain.least, most=plain.most, exact=plain.exact),
        priors=sorted(PRIORS),
        audiences=[each for each in Audience if each.rank <= me.tier.rank],
        groups=sorted(me.groups),
    )


@router.post("/explain", summary="Explain a search", responses=refusals(404, 413))
def explain_search(asked: ExplainIn, me: Me, parts: Parts) -> ExplainOut:
    """What a search gives somebody and why: both legs, the fused list, every prior, what was not confirmed.

    With a `number` or an `item`, also why it is not found, or where it stands. The search is not kept in the trail.
    """
    asker = asking_as(me, asked.audience, asked.groups)
    if asked.number is not None and asked.item is not None:
        raise Invalid("name an article by its number or anything by its id, not both", "item")
    query, trial = asked.noun, asked.trial.noun
    grades = judging.grades(parts.db, me, asked.set_id, asked.query, asker.tier) if asked.set_id is not None else {}
    found = explain(parts.finder, me, asker, query, trial)
    wanted = asked.number if asked.number is not None else asked.item.ref if asked.item is not None else None
    about, findings = why_not(parts.finder, me, asker, query, wanted, trial) if wanted is not None else (None, [])
    return explained(found, asked.query, grades, about, findings)


@router.get("/sets", summary="Sets of judged queries", responses=refusals())
def list_sets(me: Me, parts: Parts) -> SetsOut:
    """All sets by name, counted as far as you may know of what is in them. For internal staff."""
    return SetsOut(sets=[SetOut.of(each) for each in judging.listing(parts.db, me)])


@router.post("/sets", status_code=201, summary="New set", responses=refusals(409, 413))
def create_set(asked: SetIn, me: Me, parts: Parts, response: Response) -> SetOut:
    """A new, empty set."""
    made = judging.create(parts.db, me, asked.name)
    response.headers["Location"] = f"{router.prefix}/sets/{made.id}"
    return SetOut.of(Listed(made, 0, 0))


@router.post("/sets/table", summary="Read a table into a set", responses=refusals(409, 413))
def load_table(asked: TableIn, me: Me, parts: Parts) -> LoadedOut:
    """Read judgements from a table, all of them or none."""
    made, count = judging.load(parts.db, me, asked.name, asked.tsv)
    return LoadedOut(id=made.id, name=made.name, judgements=count)


@router.get("/sets/{set_id}", summary="One set", responses=refusals(404))
def read_set(set_id: SetPath, me: Me, parts: Parts) -> ReadSetOut:
    """A set with its queries and their judgements, as far as you may know of what they are about."""
    found, queries = judging.read(parts.db, me, set_id)
    return ReadSetOut(id=found.id, name=found.name, queries=[JudgedOut.of(each) for each in queries])


@router.put("/sets/{set_id}", summary="Rename a set", responses=refusals(404, 409, 413))
def rename_set(set_id: SetPath, asked: SetIn, me: Me, parts: Parts) -> SetIn:
    """Give a set another name."""
    return SetIn(name=judging.rename(parts.db, me, set_id, asked.name).name)


@router.delete("/sets/{set_id}", status_code=204, summary="Delete a set", responses=refusals(404, 409))
def delete_set(set_id: SetPath, me: Me, parts: Parts) -> None:
    """Delete a set with all judgements in it."""
    judging.delete(parts.db, me, set_id)


@router.put("/sets/{set_id}/judgements", status_code=204, summary="Judge", responses=refusals(404, 409, 413))
def judge(set_id: SetPath, asked: JudgementIn, me: Me, parts: Parts) -> None:
    """Say how well an item answers a query, or take back what was said."""
    judging.judge(parts.db, me, set_id, asked.query, asked.audience, asked.item.ref, asked.grade)


@router.post("/compare", summary="Compare two settings", responses=refusals(404, 413))
def compare(asked: CompareIn, me: Me, parts: Parts) -> CompareOut:
    """The next 25 queries of a set under two settings, each asked as its audience; 500 in all.

    nDCG@10 with the grade as gain; what nobody judged counts as not relevant.
    """
    found, after, total = judging.compare(parts.finder, me, asked.set_id, asked.a.noun, asked.b.noun, asked.after)
    return CompareOut(queries=[ComparedOut.of(each) for each in found], next=after, total=total)


@router.post("/significance", summary="Is a difference real", responses=refusals(413))
def read_significance(asked: PairsIn, me: Me) -> DifferenceOut:
    """Wins, losses and ties of b over a, and a paired bootstrap test of the mean difference."""
    me.require(Right.TUNE)
    if len(asked.a) != len(asked.b):
        raise Invalid("there is one value of each setting for each query", "b")
    return DifferenceOut.of(paired_bootstrap(asked.a, asked.b), asked.a, asked.b)
