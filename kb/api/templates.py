"""Templates that articles are written in. Staff read them, administrators change them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query, once
from kb.api.shapes import Id
from kb.api.template_shapes import OutlineIn, OutlineOut, TemplateChangeIn, TemplateIn, TemplateOut, TemplatesOut
from kb.person import Scope
from kb.solve import templates
from kb.text import outline

router = APIRouter(
    prefix="/api/v1/templates",
    tags=["templates"],
    dependencies=[opens(Scope.READ, Scope.ADMINISTER)],
    route_class=Route,
)

TemplatePath = Annotated[Id, Path(examples=["standard"])]
_ALONE = [Depends(no_query)]


@router.get("", summary="List", responses=refusals(), dependencies=_ALONE)
def list_templates(me: Me, parts: Parts) -> TemplatesOut:
    """All templates, the one that writers are offered first first. For staff."""
    return TemplatesOut(templates=[TemplateOut.of(each) for each in templates.listing(parts.db, me)])


@router.post("", status_code=201, summary="Create", responses=refusals(409, 413), dependencies=_ALONE)
def create_template(asked: TemplateIn, me: Me, parts: Parts, response: Response) -> TemplateOut:
    """A new template. Needs the right to administer."""
    names = {str(key): name for key, name in asked.names.items()}
    made = templates.create(parts.db, me, names, [each.noun for each in asked.fields], asked.is_default)
    response.headers["Location"] = f"{router.prefix}/{made.id}"
    return TemplateOut.of(made)


@router.get("/{template_id}", summary="Read", responses=refusals(404), dependencies=_ALONE)
def read_template(template_id: TemplatePath, me: Me, parts: Parts) -> TemplateOut:
    """One template."""
    return TemplateOut.of(templates.read(parts.db, me, template_id))


@router.put("/{template_id}", summary="Change", responses=refusals(404, 409, 413), dependencies=_ALONE)
def change_template(template_id: TemplatePath, asked: TemplateChangeIn, me: Me, parts: Parts) -> TemplateOut:
    """Make a template what is sent; articles in it keep to that from their next save on. Needs the right to
    administer."""
    changed = templates.change(
        parts.db,
        me,
        template_id,
        asked.version,
        names={str(key): name for key, name in asked.names.items()},
        fields=[each.noun for each in asked.fields],
        is_default=asked.is_default,
        active=asked.active,
    )
    return TemplateOut.of(changed)


@router.get(
    "/{template_id}/outline", summary="Begin", responses=refusals(404), dependencies=[Depends(once("language"))]
)
def read_outline(template_id: TemplatePath, asked: Annotated[OutlineIn, Query()], me: Me, parts: Parts) -> OutlineOut:
    """The text to begin an article with: the headings of a template in one language, fields for fewer readers in
    blocks of their own."""
    template = templates.read(parts.db, me, template_id)
    return OutlineOut(template=template.id, language=asked.language, body=outline.begun(template, asked.language))
