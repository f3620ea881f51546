"""Who am I, and what is there to browse by."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from kb.api.errors import refusals
from kb.api.parts import Parts
from kb.api.people import Me, opens
from kb.api.queries import no_query
from kb.api.shapes import Shape, example
from kb.audience import Audience
from kb.person import Person, Right, Role, Scope
from kb.solve import access, reading

router = APIRouter(prefix="/api/v1", dependencies=[Depends(no_query)])

_READING = [opens(Scope.READ)]


class MeOut(Shape):
    """Who asks, and what they may do."""

    model_config = example(
        {
            "id": "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
            "name": "Ada",
            "tier": "internal",
            "roles": ["contributor"],
            "groups": ["fraud-team"],
            "rights": ["draft", "trail", "validate"],
        }
    )

    id: str
    name: str
    tier: Annotated[Audience, Field(description="The narrowest audience you belong to: you read it and all wider.")]
    roles: list[Role]
    groups: list[str]
    rights: list[Right]


class ColleagueOut(Shape):
    """Somebody with a role. `may_fix`: they can be given a case; `active`: they can still sign in."""

    id: str
    name: str
    roles: list[Role]
    may_fix: bool
    active: bool


class ColleaguesOut(Shape):
    """The staff, by name."""

    model_config = example(
        {
            "colleagues": [
                {
                    "id": "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
                    "name": "Ada",
                    "roles": ["contributor"],
                    "may_fix": True,
                    "active": True,
                }
            ]
        }
    )

    colleagues: list[ColleagueOut]


class TopicOut(Shape):
    """A topic with the articles in it and below it that you find there."""

    path: str
    names: Annotated[dict[str, str], Field(description="What to call it, by language; may be empty.")]
    articles: int


class TopicsOut(Shape):
    """The tree of topics, parents first; those without anything for you are left out."""

    model_config = example(
        {"topics": [{"path": "broadband", "names": {"en": "Broadband", "zh-Hans": "宽带"}, "articles": 12}]}
    )

    topics: list[TopicOut]


class ProductOut(Shape):
    """A product with the articles about it that you find."""

    key: str
    name: str
    models: list[str]
    articles: int


class ProductsOut(Shape):
    """The products by key; those without anything for you are left out."""

    model_config = example(
        {"products": [{"key": "hub-6", "name": "Hub 6", "models": ["X5-200", "X5-210"], "articles": 9}]}
    )

    products: list[ProductOut]


@router.get("/me", tags=["people"], summary="Who am I", responses=refusals())
def read_me(me: Me) -> MeOut:
    """The person your key or session stands for; without one, the public."""
    return shown_person(me)


@router.get("/colleagues", tags=["people"], summary="Colleagues", responses=refusals(403), dependencies=_READING)
def list_colleagues(me: Me, parts: Parts) -> ColleaguesOut:
    """Everybody with a role: whom to give work to, and who did what. For staff."""
    return ColleaguesOut(
        colleagues=[
            ColleagueOut(
                id=each.id,
                name=each.name,
                roles=sorted(each.roles),
                may_fix=each.may(Right.FIX) and not each.disabled,
                active=not each.disabled,
            )
            for each in access.colleagues(parts.db, me)
        ]
    )


@router.get("/topics", tags=["browse"], summary="Topics", responses=refusals(), dependencies=_READING)
def list_topics(me: Me, parts: Parts) -> TopicsOut:
    """The topics that hold something live that you may read, with counts of just that."""
    found = reading.browse_topics(parts.db, me)
    return TopicsOut(topics=[TopicOut(path=each.path, names=each.names, articles=count) for each, count in found])


@router.get("/products", tags=["browse"], summary="Products", responses=refusals(), dependencies=_READING)
def list_products(me: Me, parts: Parts) -> ProductsOut:
    """The products that something live is about that you may read, with counts of just that."""
    return ProductsOut(
        products=[
            ProductOut(key=each.key, name=each.name, models=list(each.models), articles=count)
            for each, count in reading.browse_products(parts.db, me)
        ]
    )


def shown_person(person: Person) -> MeOut:
    """Somebody, with what the key or session they came with opens of their rights."""
    return MeOut(
        id=person.id,
        name=person.name,
        tier=person.tier,
        roles=sorted(person.roles),
        groups=sorted(person.groups),
        rights=[right for right in Right if person.may(right)],
    )
