"""The encoder by ONNX Runtime: the same vectors as PyTorch's, sooner, in a tenth of the memory."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.search.encoder import Identified, unit
from kb.search.exports import MODEL, TOKENIZER, Export
from kb.search.index import Vector

if TYPE_CHECKING:
    from tokenizers import Encoding

TOKENS_AT_ONCE = 256
"""Tokens in one run, filling included: short texts share the reading of the weights, and beyond that what a layer
hands on no longer fits into the cache (milliseconds of CPU for a passage of 176 tokens: alone 41, by four 48, by
sixteen 61)."""

_Map = Callable[[Callable[[Sequence[int]], Vector], Iterable[Sequence[int]]], Iterable[Vector]]


class OnnxEncoder(Identified):
    """An export at work. Loading takes .3 s; any number of threads may ask.

    Queries have a session of their own where the export has weights in 8 bits for them; passages are always exact.
    The vectors of both are comparable, so name and digest say nothing of it. `quantised` is what the export says.

    A run has one thread. Two that meet after every operation gain nothing when others work as well, and each core
    has a passage of its own to encode.
    """

    def __init__(self, export: Export) -> None:
        # A batch is tokenised in a millisecond: threads of its own would only wake up for it.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        self.identity, self.quantised = export.identity, export.quantised
        self._query_prompt, self._passage_prompt = export.query_prompt, export.passage_prompt
        self._passages = self._queries = _session(export.folder / MODEL)
        if export.queries != MODEL:
            self._queries = _session(export.folder / export.queries)
        self._inputs = {each.name for each in self._passages.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(export.folder / TOKENIZER))
        self._filling: int = (self._tokenizer.padding or {})["pad_id"]
        self._tokenizer.no_padding()  # set once: a tokenizer that is changed while in use fails ("Already borrowed")
        self._pool = ThreadPoolExecutor(_cores(), "encoder-passages")

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`; in the calling thread."""
        return self._encode([self._query_prompt + text for text in texts], self._queries, map)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`; on all cores."""
        return self._encode([self._passage_prompt + text for text in texts], self._passages, self._pool.map)

    def _encode(self, texts: Sequence[str], session: Any, each: _Map) -> Vector:
        tokens = self._tokenizer.encode_batch(texts) if texts else []
        batches = list(_batches([len(each.ids) for each in tokens]))
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for places, found in zip(
            batches, each(lambda batch: self._run(session, [tokens[n] for n in batch]), batches), strict=True
        ):
            vectors[places] = found
        return unit(vectors, self.dimension)

    def _run(self, session: Any, tokens: "Sequence[Encoding]") -> Vector:
        shape = len(tokens), max(len(each.ids) for each in tokens)
        inputs: dict[str, Any] = {
            "input_ids": np.full(shape, self._filling, np.int64),
            "attention_mask": np.zeros(shape, np.int64),
            "token_type_ids": np.zeros(shape, np.int64),
        }
        for row, each in enumerate(tokens):
            inputs["input_ids"][row, : len(each.ids)] = each.ids
            inputs["attention_mask"][row, : len(each.ids)] = each.attention_mask
            inputs["token_type_ids"][row, : len(each.ids)] = each.type_ids
        found: Vector = session.run(None, {name: inputs[name] for name in self._inputs})[0]
        return found


def _session(model: Path) -> Any:
    import onnxruntime  # here: not needed where PyTorch encodes

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts of like length, longest first, so that no core is left with the longest at the end."""
    batch: list[int] = []
    longest = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batch and (len(batch) + 1) * longest > TOKENS_AT_ONCE:
            yield batch
            batch = []
        longest = longest if batch else lengths[place]
        batch.append(place)
    if batch:
        yield batch


def _cores() -> int:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
