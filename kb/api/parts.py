"""What the API needs of the running service. `kb.bootstrap.Service` is one."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from kb.search.catalogue import Catalogue
from kb.search.live import LiveIndex
from kb.search.loading import BackgroundEncoder
from kb.solve.indexing import Indexer
from kb.solve.reuse import Finder
from kb.solve.trail import SearchLog
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
    def live(self) -> LiveIndex:
        """The index that answers."""

    @property
    def encoder(self) -> BackgroundEncoder:
        """The encoder, or what became of it."""

    @property
    def indexer(self) -> Indexer:
        """What has been indexed here."""

    @property
    def search_log(self) -> SearchLog:
        """What searches wait to be written."""


async def running(request: Request) -> Running:
    """The service behind this application."""
    service: Running = request.app.state.service
    return service


Parts = Annotated[Running, Depends(running)]
