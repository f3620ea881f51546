"""The encoder by ONNX Runtime: what an export says, what is done where there is none or a bad one."""

import json
import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from kb.errors import EncoderUnavailable
from kb.search import exports
from kb.search.exports import Export, NotExported
from kb.search.loading import Wanted, load_encoder, runs_by, why_not_exported
from kb.search.onnx import TOKENS_AT_ONCE, OnnxEncoder
from tests.search.exported import DIMENSION, WORDS, a_tokenizer, an_export


def test_what_was_exported_is_read_again(tmp_path: Path) -> None:
    export = an_export(tmp_path, "query: ")
    assert exports.read(tmp_path) == export
    assert exports.read(tmp_path / "elsewhere") is None


def test_a_vector_does_not_depend_on_the_texts_beside_it(tmp_path: Path) -> None:
    encoder = OnnxEncoder(an_export(tmp_path))
    texts = ["router " * n for n in range(40)] + ["the light is red", "", "bill"]
    assert sum(min(n + 2, 64) for n in range(40)) > TOKENS_AT_ONCE  # several batches
    together = encoder.encode_passages(texts)
    assert (together.shape, together.dtype) == ((43, DIMENSION), np.float32)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(43))
    for text, vector in zip(texts, together, strict=True):
        assert encoder.encode_queries([text])[0] == pytest.approx(vector, abs=1e-6)
    assert encoder.encode_queries([]).shape == encoder.encode_passages([]).shape == (0, DIMENSION)


def test_the_prompts_of_a_model_stand_before_its_texts(tmp_path: Path) -> None:
    plain, asking = OnnxEncoder(an_export(tmp_path / "a")), OnnxEncoder(an_export(tmp_path / "b", "query: ", "the "))
    assert np.array_equal(asking.encode_queries(["red"]), plain.encode_queries(["query: red"]))
    assert np.array_equal(asking.encode_passages(["red"]), plain.encode_passages(["the red"]))


def test_queries_and_passages_are_encoded_at_once_from_many_threads(tmp_path: Path) -> None:
    encoder = OnnxEncoder(an_export(tmp_path))
    texts = [" ".join(WORDS[4 + n % 8 :]) * (n % 5 + 1) for n in range(50)]
    expected, wrong = encoder.encode_passages(texts), list[str]()

    def ask(first: int) -> None:
        for n in range(first, 50):
            alone = encoder.encode_queries([texts[n]])
            before = encoder.encode_passages(texts[:n])
            if np.abs(alone - expected[n]).max() > 1e-6 or not np.allclose(before, expected[:n], atol=1e-6):
                wrong.append(texts[n])

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("name", [exports.MODEL, exports.TOKENIZER, exports.MANIFEST])
def test_an_export_that_was_damaged_or_cut_off_is_none(tmp_path: Path, name: str) -> None:
    an_export(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-5])
    assert exports.read(tmp_path) is None
    path.unlink()
    assert exports.read(tmp_path) is None


def test_an_export_of_another_format_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    an_export(tmp_path)
    monkeypatch.setattr(exports, "FORMAT", exports.FORMAT + 1)
    assert exports.read(tmp_path) is None


def test_a_model_that_could_not_be_exported_is_not_tried_again_by_the_same_libraries(tmp_path: Path) -> None:
    exports.refuse(tmp_path, "it has odd modules")
    with pytest.raises(NotExported, match="odd modules"):
        exports.read(tmp_path)
    path = tmp_path / exports.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["made_with"]["torch"] = "1.0"
    path.write_text(json.dumps(manifest))
    assert exports.read(tmp_path) is None


def test_a_model_is_known_by_its_content_and_a_hub_model_by_its_name(tmp_path: Path) -> None:
    model, root = tmp_path / "model", tmp_path / "models"
    model.mkdir()
    (model / "weights").write_bytes(b"1")
    first = exports.folder_of(str(model), root)
    assert exports.folder_of(str(model), root) == first
    (model / "weights").write_bytes(b"2")
    assert len({first, exports.folder_of(str(model), root), *(exports.folder_of(n, root) for n in ("", "a/b"))}) == 4


def test_a_damaged_export_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wanted, made = Wanted("toy", "auto", tmp_path), list[str]()

    def make(model: str, root: Path) -> Export:
        made.append(model)
        return an_export(exports.folder_of(model, root))

    monkeypatch.setattr(exports, "make", make)
    assert why_not_exported(wanted).startswith("not exported yet")
    for expected in (1, 1, 2):
        encoder = load_encoder(wanted)
        assert (runs_by(encoder), encoder.name, len(made)) == ("ONNX Runtime", "toy", expected)
        assert why_not_exported(wanted) == ""
        if len(caplog.records) == 2:
            (exports.folder_of("toy", tmp_path) / exports.MODEL).write_bytes(b"other")
    assert caplog.messages[0].startswith("the encoder toy is ready by ONNX Runtime after")


def test_where_nothing_can_be_exported_onnx_alone_is_refused(tmp_path: Path) -> None:
    folder = exports.folder_of("toy", tmp_path)
    folder.mkdir()
    exports.refuse(folder, "it has odd modules")
    with pytest.raises(EncoderUnavailable, match="cannot be run by ONNX Runtime: it has odd modules"):
        load_encoder(Wanted("toy", "onnx", tmp_path))
    assert why_not_exported(Wanted("toy", "auto", tmp_path)) == "it has odd modules"


def a_model(folder: Path, prompts: dict[str, str] | None = None, odd: bool = False) -> str:
    """A tiny sentence-transformers model with random weights, in a folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(1)
    words = folder / "words"
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, **sizes)).save_pretrained(words)
    signs = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=a_tokenizer(), model_max_length=32, **signs).save_pretrained(words)
    modules: list[torch.nn.Module] = [Transformer(str(words))]
    modules += [Pooling(32), LayerNorm(32) if odd else Normalize()]
    SentenceTransformer(modules=modules, device="cpu", prompts=prompts).save(str(folder / "model"))
    return str(folder / "model")


@pytest.mark.slow
def test_a_model_is_exported_elsewhere_and_says_the_same(tmp_path: Path) -> None:
    from kb.search.transformer import SentenceTransformerEncoder

    model = a_model(tmp_path, {"query": "query: ", "document": "the "})
    encoder = load_encoder(Wanted(model, "onnx", tmp_path / "models", "exact"))
    expected = SentenceTransformerEncoder(model)
    assert encoder.identity == expected.identity
    texts = ["router light", "the bill is red " * 20, "", "unheard of"]
    for what in ("encode_queries", "encode_passages"):
        ours, theirs = getattr(encoder, what)(texts), getattr(expected, what)(texts)
        assert (ours * theirs).sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    export = exports.read(exports.folder_of(model, tmp_path / "models"))
    assert export is not None
    assert export.quantised is not None
    assert min(export.quantised.cosine - 0.999, export.quantised.ms, export.quantised.exact_ms) > 0


@pytest.mark.slow
def test_a_model_that_cannot_be_exported_runs_by_pytorch_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from kb.search import exporting

    model, root = a_model(tmp_path, odd=True), tmp_path / "models"
    exporting.main(model, root)
    assert [path.name for path in exports.folder_of(model, root).iterdir()] == [exports.MANIFEST]
    encoder = load_encoder(Wanted(model, "auto", root))
    assert runs_by(encoder) == "PyTorch"
    [said] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said.startswith("the encoder runs by PyTorch, since it could not be exported to ONNX: it has modules")
    assert said.endswith("LayerNorm")
