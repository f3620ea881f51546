"""Making an export: `python -m kb.search.exporting MODEL ROOT`, the process that `kb.search.exports` starts."""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kb.errors import EncoderUnavailable
from kb.search import exports, quantising
from kb.search.exports import Export, NotExported, Quantised
from kb.search.index import Vector
from kb.search.onnx import OnnxEncoder
from kb.search.transformer import SentenceTransformerEncoder

try:
    import fcntl
except ImportError:  # Windows: two processes would both do the work, and one of them keep it
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PARITY = 0.9999
"""The least cosine between PyTorch's vector and ONNX Runtime's; fp32 gives .999999."""

PARITY_8_BIT = 0.998
"""The least cosine between a query's vector by weights in 8 bits and the exact one; MiniLM gives .9996 and more for
what people ask, .9990 for a single letter; with one scale for a whole text, which costs nDCG, .990."""

FASTER = 0.9
"""The share of the exact weights' time that 8 bits may take; MiniLM takes .5 to .8 with VNNI."""

TEXTS = (
    "Restart the hub.",
    "my internet box has GONE RED, what now??",
    "Überprüfen Sie den Zugang - naïve café, E-1234 / ERR_TIMEOUT\n\n\tX5-200",
    "路由器亮红灯怎么办？請重新啟動數據機 📶",
    "x",
    " ".join(
        f"Step {number}: hold the button for ten seconds, then wait until the light is green." for number in range(150)
    ),
)
"""Short, long, longer than any model reads; cases, accents, scripts, signs."""

_MODULES = {"Transformer", "Pooling", "Normalize", "Dense"}
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
_LARGEST = 1_900_000_000  # bytes of weights: an ONNX file holds 2 GiB


def main(model: str, root: Path) -> None:
    """Make the export of a model, or write down why not, unless somebody did so meanwhile."""
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        folder = exports.folder_of(model, root)
        with contextlib.suppress(NotExported):
            if exports.read(folder) is not None:
                return
        for left in root.glob("new-*"):  # of a process that was ended
            shutil.rmtree(left)
        made = Path(tempfile.mkdtemp(prefix="new-", dir=root))
        encoder = SentenceTransformerEncoder(model)
        try:
            export(encoder, made)
        except NotExported as why:
            for left in made.iterdir():
                left.unlink()
            exports.refuse(made, str(why))
        _sync(made)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def export(encoder: SentenceTransformerEncoder, folder: Path) -> None:
    """Write the export of a loaded encoder to an empty folder. Raises NotExported."""
    model = encoder.model
    _check(model)
    _write_tokenizer(model, encoder.identity.max_tokens, folder / exports.TOKENIZER)
    try:
        _write_model(model, folder / exports.MODEL)
    except Exception as error:  # whatever a model's code does that cannot be traced
        raise NotExported(f"it cannot be traced: {_short(error)}") from error
    prompts = model.prompts
    passage = next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), "")
    made = Export(folder, encoder.identity, prompts.get("query") or "", passage or "")
    exact = OnnxEncoder(made)
    _compare(encoder, exact)
    replace(made, quantised=quantise(made, exact)).write()


def quantise(made: Export, exact: OnnxEncoder, share: float = FASTER) -> Quantised:
    """Put the weights into 8 bits for queries, and keep the file if that says the same in that share of the time.

    Timed here and now, on this machine and beside whatever else it does.
    """
    path = made.folder / exports.QUERIES
    try:
        quantising.write(made.folder / exports.MODEL, path)
        quick = OnnxEncoder(replace(made, quantised=Quantised()))
        cosine = _least_cosine(quick.encode_queries, exact.encode_queries([*TEXTS, TEXTS[0]]))
        ms, exact_ms = _medians_ms([quick, exact])
    except Exception as error:  # whatever ONNX Runtime cannot do
        found = Quantised(_short(error))
    else:
        refused = ""
        if not cosine >= PARITY_8_BIT:  # not a number counts as worse
            refused = f"8 bits differ: cosine {cosine:.6f}"
        elif ms > share * exact_ms:
            refused = f"8 bits take {ms:.2f} ms, exact weights {exact_ms:.2f}"
        found = Quantised(refused, round(cosine, 6), round(ms, 3), round(exact_ms, 3))
    if found.refused:
        path.unlink(missing_ok=True)
    return found


def _check(model: "SentenceTransformer") -> None:
    """What would go wrong in a way that a few texts do not show, or be slower."""
    unknown = [type(each).__name__ for each in model if type(each).__name__ not in _MODULES]
    if unknown:
        raise NotExported(f"it has modules that were never tried: {', '.join(unknown)}")
    if model.device.type != "cpu":
        raise NotExported(f"PyTorch has something faster here: {model.device}")
    if sum(each.numel() * each.element_size() for each in model.parameters()) > _LARGEST:
        raise NotExported("its weights are larger than an ONNX file can be")
    if any(model.prompts.values()) and any(not getattr(each, "include_prompt", True) for each in model):
        raise NotExported("it leaves its prompts out of the vector")
    if getattr(model.tokenizer, "backend_tokenizer", None) is None or model.tokenizer.padding_side != "right":
        raise NotExported("its tokenizer is not one of the library `tokenizers` that pads to the right")


def _write_tokenizer(model: "SentenceTransformer", max_tokens: int, path: Path) -> None:
    """The tokenizer as the model uses it; padding is ours (`kb.search.onnx`)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.enable_truncation(max_tokens, direction=model.tokenizer.truncation_side)
    tokenizer.enable_padding(pad_id=model.tokenizer.pad_token_id or 0)  # read again for the id
    path.write_text(tokenizer.to_str())


def _write_model(model: "SentenceTransformer", path: Path) -> None:
    import torch

    features = model.preprocess(list(TEXTS[:2]))
    inputs = {name: value for name, value in features.items() if isinstance(value, torch.Tensor)}
    if not inputs.keys() <= _INPUTS:
        raise NotExported(f"it reads {', '.join(sorted(inputs.keys() - _INPUTS))} as well")

    class Traced(torch.nn.Module):
        """The whole model as a function of tensors."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *values: Any) -> Any:
            return self.model(dict(zip(inputs, values, strict=True)))["sentence_embedding"]

    axes = {name: {0: "texts", 1: "tokens"} for name in inputs}
    with torch.no_grad():
        torch.onnx.export(
            Traced().eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=["vectors"],
            dynamic_axes=axes | {"vectors": {0: "texts"}},
            opset_version=17,
            dynamo=False,  # the other way needs onnxscript, and takes longer
        )


def _compare(expected: SentenceTransformerEncoder, found: OnnxEncoder) -> None:
    """Raises NotExported unless both say the same, in batches and alone."""
    for what in ("encode_queries", "encode_passages"):
        theirs = getattr(expected, what)([*TEXTS, TEXTS[0]])
        try:
            worst = _least_cosine(getattr(found, what), theirs)
        except Exception as error:  # whatever ONNX Runtime cannot do
            raise NotExported(f"ONNX Runtime cannot run it: {_short(error)}") from error
        if not worst >= PARITY:  # not a number counts as worse
            raise NotExported(f"{what} by ONNX Runtime differs: cosine {worst:.6f}")


def _least_cosine(encode: Callable[[Sequence[str]], Vector], theirs: Vector) -> float:
    """Between what `encode` says of the texts together, and of the first alone, and those vectors."""
    ours = np.concatenate([encode(TEXTS), encode(TEXTS[:1])])
    return float(np.sum(ours * theirs, axis=1).min())


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _medians_ms(encoders: Sequence[OnnxEncoder]) -> list[float]:
    """What a short query takes each of them, in turns: others may use this machine too."""
    took: list[list[float]] = [[] for _ in encoders]
    for text in TEXTS[:2] * 24:
        for encoder, times in zip(encoders, took, strict=True):
            start = time.perf_counter()
            encoder.encode_queries([text])
            times.append((time.perf_counter() - start) * 1000)
    return [float(np.median(times)) for times in took]


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait until no other process makes an export here."""
    with (root / "lock").open("a") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sync(folder: Path) -> None:
    """What is renamed into place must be on the disk first."""
    for path in [*folder.iterdir(), folder]:
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _end_with_parent() -> None:
    """Whoever started us holds the other end of our input."""
    sys.stdin.read()
    os._exit(1)


def run(arguments: Sequence[str]) -> int:
    """The exit status; what was wrong is the last line of output."""
    model, root = arguments
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # tracing warns of every constant; the comparison decides
    try:
        main(model, Path(root))
    except EncoderUnavailable as error:
        print(" ".join(str(error).split()), flush=True)
        return exports.UNAVAILABLE
    return 0


if __name__ == "__main__":
    status = run(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # the interpreter would look for garbage first, seconds with PyTorch loaded
