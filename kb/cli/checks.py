"""What `kb doctor` looks at. Each check looks, changes nothing, and never raises."""

import platform
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from kb import clock
from kb.bootstrap import index_hold, open_engine, wanted_encoder
from kb.errors import KbError
from kb.generation import Generation
from kb.passage import Passage
from kb.search.encoder import Encoder, EncoderIdentity, packaged_identity
from kb.search.live import LiveIndex
from kb.search.loading import load_encoder, runs_by, why_not_exported
from kb.search.tuning import Tuning
from kb.settings import Settings
from kb.solve.calibrating import key_of
from kb.solve.drift import DriftChecker, Reads
from kb.solve.generations import TEXT
from kb.store import generations, outbox, passages
from kb.store.database import Database
from kb.store.migrate import newest, pending

State = Literal["ok", "warning", "problem"]

_LITTLE_SPACE = 2 << 30
_NO_SPACE = 200 << 20
_LATE_S = 300.0  # an outbox row that has waited so long is not just busy


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: how it is, and what to do about it ("" when nothing)."""

    name: str
    state: State
    found: str
    advice: str = ""


def every_check(settings: Settings, drift: bool = False) -> Iterator[Check]:
    """All checks, in the order in which things depend on each other."""
    yield check_python()
    yield check_packages()
    yield check_space(settings.data_dir)
    database = check_database(settings)
    yield database
    if database.state == "ok":
        yield from _with_database(settings)
    yield check_serving(settings)
    if not settings.embedded:
        yield check_server(settings)
    yield check_encoder(settings)
    if drift and database.state == "ok":
        yield check_drift(settings)


def check_python() -> Check:
    """The interpreter and the SQLite that comes with it."""
    found = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < (3, 35):
        return Check("python", "problem", found, "kb needs SQLite 3.35 or newer; use a newer Python, or PostgreSQL")
    return Check("python", "ok", found)


def check_packages() -> Check:
    """Everything that kb requires is installed."""
    try:
        required = metadata.requires("kb") or []
    except metadata.PackageNotFoundError:
        return Check("packages", "problem", "kb itself is not installed", "run: make demo (or: pip install -e .)")
    names = [_package_name(each) for each in required if "extra ==" not in each]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        advice = "run: pip install -c constraints.txt -e ."
        return Check("packages", "problem", f"missing: {', '.join(missing)}", advice)
    return Check("packages", "ok", f"{len(names)} required packages are installed")


def check_space(folder: Path) -> Check:
    """Free space where the data lies (or will)."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / (1 << 30):.1f} GB free in {folder}"
    if free < _NO_SPACE:
        return Check("disk", "problem", found, "make room, or move the data (KB_DATA_DIR)")
    if free < _LITTLE_SPACE:
        return Check("disk", "warning", found, "a rebuild needs room for a second index; make some soon")
    return Check("disk", "ok", found)


def check_database(settings: Settings) -> Check:
    """The record can be reached and has the present schema."""
    if not settings.database_url and not (settings.data_dir / "kb.db").exists():
        advice = "run: kb migrate (kb serve does it by itself), and look at KB_DATA_DIR if you expected one"
        return Check("database", "problem", f"there is no {settings.data_dir / 'kb.db'} yet", advice)
    try:
        db = Database(settings.database)
    except (ValueError, OSError) as error:
        return Check("database", "problem", str(error), "correct KB_DATABASE_URL")
    try:
        kind = "SQLite" if db.is_sqlite else "PostgreSQL"
        if pending(db):
            return Check("database", "problem", f"{kind}, an old schema", "run: kb migrate")
        return Check("database", "ok", f"{kind}, schema {newest()}")
    except Exception as error:  # whatever a driver can say
        advice = "see that the server runs and that KB_DATABASE_URL names user, password, host and database"
        return Check("database", "problem", _short(error), advice)
    finally:
        db.close()


def _with_database(settings: Settings) -> Iterator[Check]:
    db = Database(settings.database)
    try:
        with db.read() as tx:
            live, count = generations.live(tx), passages.count(tx)
        yield check_index(live, count, None if settings.embedding_model else packaged_identity())
        yield check_calibration(live)
        yield check_backlog(db)
    finally:
        db.close()


def check_index(live: Generation | None, count: int, identity: EncoderIdentity | None) -> Check:
    """The live index was made with the encoder and analyzer of now. `identity` is None where it is not known yet."""
    if live is None:
        advice = "start kb serve, or run: kb reindex"
        return Check("index", "problem" if count else "warning", f"none yet, for {count:,} passages", advice)
    found = f"{live.name}, {count:,} passages, {live.encoder_name or 'no encoder'}, {live.analyzer}"
    if live.analyzer != TEXT:
        return Check("index", "problem", found, f"text is now analysed by {TEXT}: start kb serve, or run kb reindex")
    if identity is not None and live.encoder != identity.digest:
        return Check(
            "index", "problem", found, f"the encoder is now {identity.name}: start kb serve, or run kb reindex"
        )
    return Check("index", "ok", found)


def check_calibration(live: Generation | None) -> Check:
    """What calibration chose for the live index, and that it was for this encoder and analyzer."""
    note = Tuning.from_json(live.tuning).note if live is not None else {}
    if live is None or not note:
        return Check("calibration", "ok", "none: fields count alike, legs as everywhere (kb calibrate learns better)")
    chosen = "; ".join(f"{each['what']} {each['chosen']}" for each in note.get("choices", ()))
    found = f"{chosen} ({note.get('source')} questions, {note.get('at')})"
    if note.get("for") != key_of(live):
        return Check("calibration", "warning", found, "it was for another encoder or analyzer: run kb calibrate")
    return Check("calibration", "ok", found)


def check_backlog(db: Database) -> Check:
    """How far the index is behind the record."""
    with db.read() as tx:
        lanes = outbox.backlog(tx, clock.now())
    waiting, failed = sum(each.waiting for each in lanes), sum(each.failed for each in lanes)
    oldest = max((each.oldest_s for each in lanes), default=0.0)
    vectors = sum(each.waiting for each in lanes if each.lane.is_dense)
    found = f"{waiting:,} changes wait, {vectors:,} of them for vectors, {failed:,} failed before"
    found = found if waiting else "nothing waits"
    if failed:
        return Check("backlog", "problem", found, "the log of kb serve (or kb worker) says why; they are tried again")
    if oldest > _LATE_S:
        advice = "kb serve (or kb worker) takes them up; start it, or wait if it is encoding"
        return Check("backlog", "warning", f"{found}, the oldest for {oldest / 60:.0f} minutes", advice)
    return Check("backlog", "ok", found)


def check_serving(settings: Settings) -> Check:
    """Whether somebody holds the embedded index."""
    hold = index_hold(settings)
    if hold is None:
        return Check("engine", "ok", f"Qdrant server {settings.qdrant_url}, shared")
    if not settings.data_dir.exists() or hold.free:
        return Check("engine", "ok", "embedded; no kb serve runs on this folder")
    return Check("engine", "ok", "embedded; a kb serve runs on this folder")


def check_drift(settings: Settings) -> Check:
    """Every passage of the live index is what the database says. Looks, heals nothing."""
    hold = index_hold(settings)
    if hold is not None and not hold.free:
        found = f"kb serve runs on this folder and looks by itself every {settings.drift_every_s:.0f} s"
        return Check("drift", "ok", f"{found}: see kb_index_drift_passages in /metrics")
    db, engine, live = Database(settings.database), open_engine(settings), LiveIndex()
    try:
        if hold is not None:
            hold.take()
        with db.read() as tx:
            generation = generations.live(tx)
        if generation is None:
            return Check("drift", "ok", "there is no index yet")
        live.swap(engine.open(generation.name), generation)
        report = DriftChecker(db, live, _reads(settings), every_s=1.0, heal=False).run()
    except KbError as error:
        return Check("drift", "problem", _short(error), "start kb serve (or kb worker): it builds what is missing")
    finally:
        engine.close()
        db.close()
        if hold is not None:
            hold.release()
    found = ", ".join(f"{count:,} {kind}" for kind, count in report.passages.items())
    if any(report.passages.values()):
        return Check(
            "drift", "problem", f"passages: {found}", "kb serve (or kb worker) heals it by itself; or run kb reindex"
        )
    return Check("drift", "ok", f"passages: {found}")


def _reads(settings: Settings) -> Reads:
    """Which passages should have a vector: known for the packaged encoder only."""
    identity = packaged_identity()

    def reads(passage: Passage, generation: Generation) -> bool:
        ours = not settings.embedding_model and generation.encoder == identity.digest
        return ours and identity.serves(passage.language.family)

    return reads


def check_server(settings: Settings) -> Check:
    """The Qdrant server answers."""
    try:
        start = time.perf_counter()
        count = len(open_engine(settings).generations())
    except KbError as error:
        advice = "see that the server runs and that KB_QDRANT_URL and KB_QDRANT_API_KEY are right"
        return Check("qdrant", "problem", _short(error), advice)
    took = (time.perf_counter() - start) * 1000
    return Check("qdrant", "ok", f"answered in {took:.0f} ms, {count} indexes under {settings.qdrant_alias!r}")


def check_encoder(settings: Settings, load: Callable[..., Encoder] = load_encoder) -> Check:
    """The model loads, the packaged one with the digest it was measured with, and encodes a query."""
    wanted = wanted_encoder(settings)
    start = time.perf_counter()
    try:
        encoder = load(wanted, make=False)
        vectors = encoder.encode_queries(["is this on"])
        reason = why_not_exported(wanted)
    except KbError as error:
        return Check("encoder", "problem", _short(error), "until then search is lexical only")
    seconds = time.perf_counter() - start
    by = runs_by(encoder) + (f" ({reason})" if reason else "")
    checked = "" if settings.embedding_model else ", digest verified"
    found = f"{encoder.name} by {by}, {vectors.shape[1]} dimensions, loaded in {seconds:.1f} s{checked}"
    return Check("encoder", "ok", found)


def _package_name(requirement: str) -> str:
    return re.split(r"[\s;<>=!~\[(]", requirement, maxsplit=1)[0]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
