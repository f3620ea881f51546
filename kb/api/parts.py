"""What the API needs of the running service. `kb.bootstrap.Service` is one."""

from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import HTTPConnection

from kb.case import Rules
from kb.outside import Allowed
from kb.search.catalogue import Catalogue
from kb.search.dictionary import Dictionary
from kb.search.live import LiveIndex
from kb.search.loading import BackgroundEncoder
from kb.solve.delivering import Messenger
from kb.solve.indexing import Indexer
from kb.solve.oidc import Provider
from kb.solve.proving import Prover
from kb.solve.replaying import Replay
from kb.solve.reuse import Finder
from kb.solve.signing_in import SignIn
from kb.solve.trail import SearchLog
from kb.solve.upkeep import Terms
from kb.store.database import Database


class Running(Protocol):
    """The parts that endpoints ask, found as `app.state.service`."""

    @property
    def db(self) -> Database:
        """The record."""

    @property
    def finder(self) -> Finder:
        """Searches and suggests."""

    @property
    def catalogue(self) -> Catalogue:
        """Titles in memory."""

    @property
    def dictionary(self) -> Dictionary:
        """Words that mean the same, in memory."""

    @property
    def replay(self) -> Replay:
        """Asks past searches again."""

    @property
    def case_rules(self) -> Rules:
        """What the operator decides about cases."""

    @property
    def prover(self) -> Prover:
        """Asks flagged queries again."""

    @property
    def live(self) -> LiveIndex:
        """The index that answers."""

    @property
    def encoder(self) -> BackgroundEncoder:
        """The encoder, or what became of it."""

    @property
    def indexer(self) -> Indexer:
        """What has been indexed here."""

    @property
    def sign_in(self) -> SignIn:
        """Begins, continues and ends sessions."""

    @property
    def provider(self) -> Provider | None:
        """The OpenID provider, if one is set up."""

    @property
    def public_url(self) -> str:
        """Where people reach our pages, if that is not where we are asked; else empty."""

    @property
    def file_limit(self) -> int:
        """Bytes that a picture or file may have."""

    @property
    def terms(self) -> Terms:
        """When owners are reminded of their articles."""

    @property
    def webhook_allow(self) -> Allowed:
        """Private hosts that webhooks may go to."""

    @property
    def messenger(self) -> Messenger:
        """Delivers what webhooks are told."""

    @property
    def search_log(self) -> SearchLog:
        """What searches wait to be written."""


async def running(connection: HTTPConnection) -> Running:
    """The service behind this application."""
    service: Running = connection.app.state.service
    return service


Parts = Annotated[Running, Depends(running)]
