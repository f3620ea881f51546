"""Wires the parts together from settings. The only place that knows which implementation serves."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from kb import clock, logs
from kb.case import Rules
from kb.errors import KbError
from kb.outside import Allowed, Outside
from kb.passage import ItemRef
from kb.search.catalogue import Catalogue
from kb.search.dictionary import Dictionary
from kb.search.engines import EdgeEngine, Engine, ServerEngine
from kb.search.fusion import Weights
from kb.search.holding import Hold
from kb.search.live import LiveIndex
from kb.search.loading import BackgroundEncoder, Wanted, serving_encoder
from kb.search.reranking import CrossEncoderScorer, Reranker
from kb.search.searcher import Searcher
from kb.search.spelling import Speller
from kb.search.vocabulary import Vocabulary
from kb.session import Lifetimes
from kb.settings import Settings
from kb.solve import casework, cataloguing, delivering, reminding
from kb.solve import dictionary as managing
from kb.solve.delivering import Messenger
from kb.solve.generations import Generations
from kb.solve.indexing import Indexer
from kb.solve.oidc import Grant, Provider, Registration
from kb.solve.proving import Prover
from kb.solve.queueing import QueueKeeper
from kb.solve.recalibrating import Recalibrator
from kb.solve.replaying import Replay
from kb.solve.reuse import Finder
from kb.solve.signing_in import SignIn
from kb.solve.trail import SearchLog
from kb.solve.upkeep import Terms
from kb.solve.wording import Corrector, Wording
from kb.store import content
from kb.store.database import Database
from kb.store.migrate import migrate

log = logging.getLogger(__name__)

_FOLLOW_S = 2.0
_ADOPT_S = 60.0


class Service:
    """The running parts of one process. `start` begins the work in the background, `close` ends it cleanly."""

    def __init__(
        self,
        settings: Settings,
        *,
        encoder: BackgroundEncoder | None = None,
        weights: Weights | None = None,
        indexing: bool | None = None,
    ) -> None:
        self.settings = settings
        self.db = Database(settings.database, hasty=True)
        self.patient_db = Database(settings.database)  # for work that nobody waits for
        self.encoder = encoder or serving_encoder(wanted_encoder(settings))
        self.live = LiveIndex()
        self.engine = open_engine(settings)
        self.hold = index_hold(settings)
        self.catalogue = Catalogue()
        self.dictionary = Dictionary()
        self.generations = Generations(
            self.patient_db, self.engine, self.live, lambda: self.encoder.identity, alone=settings.embedded
        )
        self.indexing = settings.indexes_here if indexing is None else indexing
        self.vocabulary = Vocabulary()
        self.wording = Wording(self.patient_db, self.vocabulary)
        self.indexer = Indexer(self.patient_db, self.generations, self.encoder, self._refresh, settings.drift_every_s)
        self.recalibrator = Recalibrator(self.patient_db, os.environ | same_record(settings))
        self.search_log = SearchLog(self.db)
        searcher = Searcher(self.live, self.encoder, weights, self.dictionary, self.catalogue)
        self.corrector = Corrector(Speller(self.vocabulary), searcher)
        self.reranker = reranker_of(settings)
        self.finder = Finder(self.db, searcher, self.catalogue, self.search_log, self.corrector, self.reranker)
        self.replay = Replay(self.db, self.finder)
        self.prover = Prover(self.patient_db, self.finder)
        self.case_rules = Rules(settings.case_owner, settings.case_not_helpful)
        self.webhook_allow = Allowed.parse(settings.webhook_allow)
        way = Outside(self.webhook_allow, seconds=delivering.TIMEOUT_S, setting="KB_WEBHOOK_ALLOW")
        self.messenger = Messenger(self.patient_db, way, settings.public_url.rstrip("/"))
        self.sign_in = SignIn(self.db, lifetimes(settings))
        self.provider = openid_provider(settings, self.db, self.sign_in)
        self.public_url = settings.public_url.rstrip("/")
        self.file_limit = settings.file_limit
        self._adopted = float("-inf")
        self.terms = Terms(timedelta(days=settings.remind_before_days), timedelta(days=settings.stale_after_days))
        self.queue_keeper = QueueKeeper(self.patient_db, self.finder, self.terms)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def prepare(self) -> "Service":
        """Bring the database to the present schema and open the live index. Raises if another process holds it."""
        if self.hold is not None:
            self.hold.take()
        migrate(self.patient_db)
        self.generations.start()
        return self

    def start(self) -> "Service":
        """Serve: load the encoder and the catalogue, index and log in the background."""
        self.prepare()
        self.search_log.start()
        self._thread = threading.Thread(target=self._follow, name="catalogue", daemon=True)
        self._thread.start()
        self.wording.start()
        self.messenger.start()
        if self.indexing:
            self.indexer.start()
            self.queue_keeper.start()
            if self.settings.calibrate == "auto":
                self.recalibrator.start()
        self.encoder.start()
        if self.reranker is not None:
            self.reranker.start()
        return self

    def close(self) -> None:
        """End in order: no new work, what is under way finished, what waits written."""
        self._stop.set()
        self.messenger.close()
        self.recalibrator.close()
        self.queue_keeper.close()
        self.indexer.close()
        self.wording.close()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.search_log.close()
        self.encoder.close()
        if self.reranker is not None:
            self.reranker.close()
        if self.provider is not None:
            self.provider.close()
        self.live.close()
        self.engine.close()
        self.db.close()
        self.patient_db.close()
        if self.hold is not None:
            self.hold.release()

    def _refresh(self, items: Sequence[ItemRef]) -> None:
        self.wording.changed(items)
        cataloguing.refresh(self.patient_db, self.catalogue, items)

    def _follow(self) -> None:
        """Load dictionary and catalogue; follow the changes of the one and, where another process indexes, of all."""
        since, loaded, failing = clock.now(), False, False
        while not self._stop.is_set():
            try:
                managing.follow(self.patient_db, self.dictionary)
                if not loaded:
                    cataloguing.load(self.patient_db, self.catalogue)
                    loaded = True
                elif not self.indexing:
                    at = clock.now()
                    if not self.settings.embedded:  # else whoever drives the indexer does it
                        self.generations.follow()
                    with self.patient_db.read() as tx:
                        changed = content.changed_since(tx, since, overlap=timedelta(seconds=5))
                    self._refresh(changed)
                    since = at
                self._tend_cases()
                failing = False
            except Exception as error:  # whatever comes: without this thread titles would stay as they are
                if not failing:  # said once: it is tried again every other second
                    known = isinstance(error, KbError)
                    log.warning(
                        "titles, the dictionary and cases cannot be followed: %s",
                        logs.told(error),
                        exc_info=None if known else error,
                    )
                failing = True
            self._stop.wait(_FOLLOW_S)

    def _tend_cases(self) -> None:
        """Prove the fixes that the index has by now; now and then give cases whose owner has left another one, and
        tell owners what ends."""
        self.prover.step()
        if time.monotonic() - self._adopted > _ADOPT_S:
            casework.adopt(self.patient_db, self.case_rules)
            reminding.remind(self.patient_db, self.terms)
            self._adopted = time.monotonic()


def index_hold(settings: Settings) -> Hold | None:
    """What keeps a second process from the embedded index; None with a server, which any number may use."""
    return Hold(settings.data_dir / "index.lock") if settings.embedded else None


def same_record(settings: Settings) -> dict[str, str]:
    """The variables by which another process finds the same record, index and encoder."""
    return {
        "KB_DATA_DIR": str(settings.data_dir),
        "KB_DATABASE_URL": settings.database_url,
        "KB_QDRANT_URL": settings.qdrant_url,
        "KB_EMBEDDING_MODEL": settings.embedding_model,
        "KB_ENCODER_BACKEND": settings.encoder_backend,
        "KB_ENCODER_QUERIES": settings.encoder_queries,
    }


def wanted_encoder(settings: Settings) -> Wanted:
    """The encoder that the settings name."""
    models = settings.data_dir / "models"
    return Wanted(settings.embedding_model, settings.encoder_backend, models, settings.encoder_queries)


def reranker_of(settings: Settings) -> Reranker | None:
    """The second look that the settings ask for, if they do."""
    model = settings.rerank_model
    return Reranker(lambda: CrossEncoderScorer(model), settings.rerank_budget_ms) if model else None


def open_engine(settings: Settings) -> Engine:
    """The engine that the settings name: embedded by default, a server by URL."""
    if settings.embedded:
        return EdgeEngine(settings.data_dir / "index", settings.disk_reserve_mb << 20)
    return ServerEngine(
        settings.qdrant_url,
        settings.qdrant_api_key.get_secret_value() or None,
        settings.qdrant_alias,
        settings.qdrant_shards,
        settings.qdrant_replicas,
        settings.qdrant_timeout_s,
    )


def lifetimes(settings: Settings) -> Lifetimes:
    """How long people stay signed in."""
    return Lifetimes(timedelta(seconds=settings.session_idle_s), timedelta(seconds=settings.session_max_s))


def openid_provider(settings: Settings, db: Database, sign_in: SignIn) -> Provider | None:
    """The OpenID provider that the settings name, if they name one."""
    if not settings.oidc_issuer:
        return None
    grants = {
        value: Grant(each.tier, frozenset(each.roles), frozenset(each.groups))
        for value, each in settings.oidc_roles.items()
    }
    return Provider(
        db,
        sign_in,
        Registration(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret.get_secret_value(),
            grants,
            settings.oidc_roles_claim,
            settings.oidc_scopes,
        ),
    )
