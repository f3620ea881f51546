"""What each role may do here. Staff read it, administrators change it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from kb.api.bodies import Route
from kb.api.errors import refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query
from kb.api.template_shapes import RoleIn, RoleOut, RolesOut
from kb.person import Role, Scope
from kb.solve import licensing

router = APIRouter(
    prefix="/api/v1/roles",
    tags=["roles"],
    dependencies=[Depends(no_query), opens(Scope.READ, Scope.ADMINISTER)],
    route_class=Route,
)


@router.get("", summary="List", responses=refusals())
def list_roles(me: Me, parts: Parts) -> RolesOut:
    """What each role may do, as KCS suggests unless somebody has changed it. For staff."""
    return RolesOut(roles=[RoleOut.of(each) for each in licensing.listing(parts.db, me)])


@router.put("/{role}", summary="Change", responses=refusals(404, 409, 413))
def change_role(role: Annotated[Role, Path(examples=["candidate"])], asked: RoleIn, me: Me, parts: Parts) -> RoleOut:
    """Set what a role may do: keys and sessions follow at once. Needs the right to administer; 409 if then nobody
    could administer any more."""
    names = {str(key): name for key, name in asked.names.items()}
    return RoleOut.of(licensing.change(parts.db, me, role, asked.rights, names, asked.version))
