"""How fast we encode: PyTorch, ONNX Runtime and ONNX Runtime with 8-bit weights for queries side by side.

Each runs in a process of its own, so that its memory is its own. Milliseconds of CPU say what the machine's other
work does not change.
"""

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np

from kb import clock
from kb.bootstrap import Service, wanted_encoder
from kb.errors import EncoderUnavailable, KbError
from kb.language import Language
from kb.measure.workshop import build, temporary_service
from kb.post import Post
from kb.search import exports
from kb.search.encoder import Encoder, Identified
from kb.search.hasty import HastyEncoder
from kb.search.index import Vector
from kb.search.loading import Backend, Queries, Wanted, load_encoder
from kb.search.onnx import OnnxEncoder
from kb.settings import Settings
from kb.solve import publishing
from kb.solve.indexing import DENSE_THREADS, Indexer

INT8 = "int8"
PASSAGES = 2_400
QUERIES = 200
CLIENTS = (1, 8)

_STEPS = 16  # of the indexer, then the same texts bare; of few, the last one works alone for long
_WORDS = (
    "router light red blue cable signal account invoice price phone code screen the to of and you your is on in for "
    "hold button seconds restart wait until then settings open choose network customer contract bill payment refund"
)
_PATIENCE_S = 60.0


def compare(settings: Settings) -> dict[str, Any]:
    """Measure each; raises KbError where a child process fails. See `measure`."""
    exact = replace(wanted_encoder(settings), backend="onnx", queries="exact")
    load_encoder(exact)  # so that there is an export
    with TemporaryDirectory(prefix="kb-int8-") as folder:
        _quantise(exact, Path(folder))
        return {
            "torch": _child(replace(exact, backend="torch"), PASSAGES),
            "onnx": _child(exact, PASSAGES),
            INT8: _child(exact, PASSAGES, folder),
        }


def measure_default(settings: Settings) -> dict[str, Any]:
    """What the settings' encoder takes for a query, and to load."""
    return _child(wanted_encoder(settings))


def measure(load: Callable[[], Encoder], passages: int = PASSAGES) -> dict[str, Any]:
    """Measure one encoder in this process.

    Seconds to load, milliseconds for one query, queries a second at 1 and 8 clients as they are served, passages a
    second bare and through the indexer, peak memory in MB. Without `passages` only loading and one query at a time.
    """
    start = time.perf_counter()
    encoder = load()
    encoder.encode_queries(["warm up"])
    seconds = time.perf_counter() - start
    found: dict[str, Any] = {"name": encoder.identity.name, "load_s": round(seconds, 1)} | _queries(encoder)
    if passages:
        found["queries_per_s"] = {str(many): _clients(encoder, many) for many in CLIENTS}
        found |= _passages(encoder, passages)
    found["peak_memory_mb"] = _peak_mb()
    return found


def _peak_mb() -> int:
    """Of this process alone: what `getrusage` says begins with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) >> 10 for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _exported(wanted: Wanted) -> exports.Export:
    assert wanted.exports is not None
    export = exports.read(exports.folder_of(wanted.model, wanted.exports))
    if export is None:
        raise EncoderUnavailable("nobody has exported the encoder yet")
    return export


def _quantise(wanted: Wanted, folder: Path) -> None:
    """The export with 8-bit weights for queries, whether it kept them or not."""
    from kb.search import quantising  # here: the children measure memory, and have no use for `onnx`

    exact = _exported(wanted).folder
    for name in (exports.MODEL, exports.TOKENIZER):
        (folder / name).symlink_to((exact / name).absolute())
    quantising.write(exact / exports.MODEL, folder / exports.QUERIES)


def _quantised(wanted: Wanted, folder: Path) -> OnnxEncoder:
    return OnnxEncoder(replace(_exported(wanted), folder=folder, quantised=exports.Quantised()))


def _worst(encoder: Encoder, exact: Encoder) -> float:
    """The least cosine between what the two say of some queries, long ones too."""
    texts = [*_texts(40), *_questions(40)]
    return round(float((encoder.encode_queries(texts) * exact.encode_queries(texts)).sum(axis=1).min()), 4)


def _queries(encoder: Encoder) -> dict[str, float]:
    took = []
    cpu = time.process_time()
    for text in _questions(QUERIES):
        start = time.perf_counter()
        encoder.encode_queries([text])
        took.append((time.perf_counter() - start) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / QUERIES
    return {f"p{share}_ms": round(float(np.percentile(took, share)), 2) for share in (50, 95)} | {
        "cpu_ms_per_query": round(cpu, 2)
    }


def _clients(encoder: Encoder, many: int) -> float:
    """Queries a second, one at a time from each of so many clients."""
    hasty = HastyEncoder(encoder, _PATIENCE_S)
    with ThreadPoolExecutor(many) as pool:
        seconds = _timed(lambda: list(pool.map(lambda text: hasty.encode_queries([text]), _questions(QUERIES))))
    return round(QUERIES / seconds, 1)


def _passages(encoder: Encoder, count: int) -> dict[str, float]:
    """Passages a second, bare and through the indexer, the same ones in turns: others may use this machine too."""
    heard = _Hearing(encoder)
    with temporary_service(Settings(), heard) as service:
        _write(service, count)
        build(service)
        bare = indexed = bare_cpu = indexed_cpu = 0.0
        done, began = 0, time.process_time()
        while seconds := _stepped(service.indexer):
            texts, heard.texts = heard.texts, []
            indexed += seconds
            between = time.process_time()
            bare += _timed(lambda texts=texts: encoder.encode_passages(texts))  # type: ignore[misc]
            indexed_cpu, bare_cpu = indexed_cpu + between - began, bare_cpu + time.process_time() - between
            done, began = done + len(texts), time.process_time()
    return {
        "passages_per_s": round(done / bare, 1),
        "indexed_per_s": round(done / indexed, 1),
        "cpu_ms_per_passage": round(bare_cpu * 1000 / done, 1),
        "indexed_cpu_ms_per_passage": round(indexed_cpu * 1000 / done, 1),
    }


class _Hearing(Identified):
    """An encoder that notes what the indexer asks of it."""

    def __init__(self, encoder: Encoder) -> None:
        self.identity = encoder.identity
        self.texts: list[str] = []
        self._encoder = encoder

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`."""
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`."""
        self.texts += texts
        return self._encoder.encode_passages(texts)


def _write(service: Service, count: int) -> None:
    at = clock.now()
    posts = [
        Post(f"p{number}", "measured", str(number), f"Question {number}", text, Language.ENGLISH, "", at)
        for number, text in enumerate(_texts(count))
    ]
    cuts = publishing.cut_posts(posts)
    with service.db.write() as tx:
        publishing.save_posts(tx, posts, [], cuts, at)


def _questions(count: int) -> list[str]:
    return [f"the hub shows a red light since {minute} minutes" for minute in range(count)]


def _texts(count: int) -> list[str]:
    """Texts of 20 to 200 words."""
    chance = random.Random(1)
    return [" ".join(chance.choices(_WORDS.split(), k=chance.randint(20, 200))) for _ in range(count)]


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _stepped(indexer: Indexer) -> float:
    """Seconds of some steps in as many threads as the indexer has; 0 if there was nothing to do."""
    start = time.perf_counter()
    with ThreadPoolExecutor(DENSE_THREADS) as pool:
        did = list(pool.map(lambda _: indexer.encode_step(), range(_STEPS)))
    return time.perf_counter() - start if any(did) else 0.0


def _child(wanted: Wanted, passages: int = 0, int8: str = "") -> dict[str, Any]:
    """Run this module in a process of its own and read its one line of JSON."""
    asked = [wanted.model, str(wanted.exports), wanted.backend, wanted.queries, str(passages), int8]
    command = [sys.executable, "-m", "kb.measure.encoding", *asked]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise KbError(f"the measurement of {INT8 if int8 else wanted.backend} failed; see above")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(arguments: Sequence[str]) -> None:
    """The child: MODEL EXPORTS BACKEND QUERIES PASSAGES INT8, the last the folder of the 8-bit export or ""."""
    model, folder, backend, queries, passages, int8 = arguments
    wanted = Wanted(model, cast(Backend, backend), Path(folder), cast(Queries, queries))
    if int8:
        found = measure(lambda: _quantised(wanted, Path(int8)), int(passages))
        found["worst_cosine"] = _worst(_quantised(wanted, Path(int8)), load_encoder(wanted))
    else:
        found = measure(lambda: load_encoder(wanted), int(passages))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
