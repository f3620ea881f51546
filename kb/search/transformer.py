"""The encoder by PyTorch: any sentence-transformers model."""

import copy
import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kb.errors import EncoderUnavailable
from kb.search.encoder import EncoderIdentity, Identified, digest_of, packaged_identity, unit, verified_folder
from kb.search.hasty import AT_ONCE
from kb.search.index import Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEncoder(Identified):
    """Any sentence-transformers model, by name or folder; "" is the packaged one, which needs no model hub.

    Loading takes seconds (importing PyTorch alone up to 9 s), so do it in the background (`kb.search.loading`).
    `model` is what encodes passages. Raises EncoderUnavailable where the model cannot be had.
    """

    def __init__(self, model: str = "") -> None:
        if model:
            self.model = _load(model)
            self.identity = _identity_of(self.model, model)
        else:
            self.model = _load(str(verified_folder()), offline=True)
            self.identity = packaged_identity()
        # Two faces of one set of weights: the tokenizers are not thread-safe ("Already borrowed"), and a query
        # must not wait behind a batch of passages (a second for 32).
        shared = {id(tensor): tensor for tensor in self.model.state_dict(keep_vars=True).values()}
        self._queries: SentenceTransformer = copy.deepcopy(self.model, shared)
        self._query_lock, self._passage_lock = threading.Lock(), threading.Lock()
        self._threads = _threads()

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`."""
        with self._query_lock:
            # Two threads that meet after every layer gain nothing on a short text (15 ms) and lose all on a busy
            # machine: 300 ms, of which 160 ms are spent waiting for each other with one core each.
            _use_threads(1 if len(texts) <= AT_ONCE else self._threads)
            found: object = self._queries.encode_query(list(texts), show_progress_bar=False) if texts else []
            return unit(found, self.dimension)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`."""
        with self._passage_lock:
            _use_threads(self._threads)
            found: object = self.model.encode_document(list(texts), show_progress_bar=False) if texts else []
            return unit(found, self.dimension)


def _load(model: str, offline: bool = False) -> "SentenceTransformer":
    if offline:
        # Read when the hub's client is imported below; without it, loading a folder still asks the hub.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # PyTorch's threads wait for each other asleep, not burning the core that somebody else needs: a third less of
    # both cores for a batch of passages, in the same time. Read when PyTorch is imported below.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from sentence_transformers import SentenceTransformer  # here: it takes up to 9 s
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over ours, and over JSON lines
        loaded = SentenceTransformer(model, device="cpu" if offline else None, local_files_only=offline)
        loaded.eval()
    except Exception as error:  # whatever a model's files, its code or the hub can raise
        raise EncoderUnavailable(
            f"cannot load the encoder {model!r}: {error}. Name another model or folder, or none for the packaged one"
        ) from error
    return loaded


def _identity_of(loaded: "SentenceTransformer", model: str) -> EncoderIdentity:
    name = Path(model).name if Path(model).is_dir() else model
    dimension = loaded.get_embedding_dimension()
    if not dimension:
        raise EncoderUnavailable(f"the encoder {model!r} does not say how long its vectors are")
    return EncoderIdentity(name, digest_of(name, _weights_digest(loaded)), dimension, loaded.max_seq_length or 512)


def _weights_digest(loaded: "SentenceTransformer") -> str:
    """Hex SHA-256 over the parameters and prompts, wherever the files came from (some .3 s for 100 MB)."""
    import torch  # here: it is loaded by now, and heavy before

    sha = hashlib.sha256(repr(sorted(loaded.prompts.items())).encode())
    for name, tensor in sorted(loaded.state_dict().items()):
        sha.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        sha.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def _threads() -> int:
    import torch  # here: it is loaded by now, and heavy before

    return torch.get_num_threads()


def _use_threads(many: int) -> None:
    """How many threads PyTorch uses for what this thread asks of it (OpenMP counts for each thread)."""
    import torch

    torch.set_num_threads(many)
