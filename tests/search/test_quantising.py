"""Weights in 8 bits by blocks: what they say, and when queries are encoded with them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from kb.search import exports, quantising
from kb.search.exporting import quantise
from kb.search.exports import Export
from kb.search.index import Vector
from kb.search.loading import Wanted, load_encoder, runs_by
from kb.search.onnx import OnnxEncoder
from tests.search.exported import an_export

TEXTS = ["router light", "the bill is red", "router", "query : the light is red"]
ALWAYS, NEVER = 1e9, 0.0
"""How much of the exact weights' time 8 bits may take: a toy takes microseconds, and which is faster is luck."""


def random(*shape: int) -> Vector:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def measured(folder: Path, share: float, matrix: Vector | None) -> Export:
    made = an_export(folder, matrix=matrix)
    made = replace(made, quantised=quantise(made, OnnxEncoder(made), share))
    made.write()
    return made


def test_a_number_is_off_by_half_a_step_of_its_block_at_most() -> None:
    weights = random(96, 5)
    weights[32:64, 2] = 0
    weights[70, 3] = 1000
    numbers, scales = quantising.blocks(weights)
    assert (numbers.shape, numbers.dtype, scales.shape, scales.dtype) == ((5, 3, 32), np.uint8, (5, 3), np.float32)
    off = np.abs((numbers.astype(np.float32) - 128) * scales[..., None] - weights.T.reshape(5, 3, 32))
    assert (off <= scales[..., None] * 0.5001).all()
    assert scales[3, 2] > 7 > 0.1 > scales[3, 1]  # a large one costs its block, not its column
    assert scales[2, 1] == 0
    assert (numbers[2, 1] == 128).all()


def test_the_constant_matrices_that_fit_are_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    kept = {"first": random(64, 32), "both": random(32, 32), "odd": random(32, 20), "narrow": random(20, 4)}
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["a"]),
        helper.make_node("Constant", [], ["second"], value=numpy_helper.from_array(random(32, 32))),
        helper.make_node("MatMul", ["a", "second"], ["b"]),
        helper.make_node("MatMul", ["b", "second"], ["c"]),
        helper.make_node("MatMul", ["c", "both"], ["d"]),
        helper.make_node("Add", ["d", "both"], ["e"]),
        helper.make_node("MatMul", ["e", "given"], ["f"]),
        helper.make_node("MatMul", ["f", "odd"], ["g"]),
        helper.make_node("MatMul", ["g", "narrow"], ["y"]),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [32, 64])]
    inputs += [helper.make_tensor_value_info("given", TensorProto.FLOAT, [32, 32])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [32, 4])]
    known = [numpy_helper.from_array(value, name) for name, value in kept.items()]
    known.append(numpy_helper.from_array(random(32, 32), "given"))  # a default that callers may replace
    graph = helper.make_graph(nodes, "toy", inputs, outputs, known)
    exact, small = tmp_path / "exact.onnx", tmp_path / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), exact)
    quantising.write(exact, small)

    made = onnx.load(small)
    kinds = [node.op_type for node in made.graph.node]
    assert kinds == ["MatMulNBits"] * 4 + ["Add", "MatMul", "MatMulNBits", "MatMul"]
    names = {each.name for each in made.graph.initializer}
    assert {"both", "narrow", "given", "second_8bit"} <= names
    assert not {"first", "odd"} & names
    asked = {"x": random(32, 64), "given": random(32, 32)}
    theirs, ours = (
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, asked)[0]
        for path in (exact, small)
    )
    assert np.sum(ours * theirs) / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.999


def test_queries_are_encoded_with_8_bits_where_that_is_as_good_and_faster_and_passages_exactly(tmp_path: Path) -> None:
    export = measured(tmp_path, ALWAYS, random(64, 32))
    assert export.quantised is not None
    assert export.quantised.refused == ""
    assert 0.999 < export.quantised.cosine < 1
    assert min(export.quantised.ms, export.quantised.exact_ms) > 0
    assert exports.read(tmp_path) == export
    encoder, exact = OnnxEncoder(export), OnnxEncoder(replace(export, quantised=None))
    assert np.array_equal(encoder.encode_passages(TEXTS), exact.encode_passages(TEXTS))
    ours, theirs = encoder.encode_queries(TEXTS), exact.encode_queries(TEXTS)
    assert not np.array_equal(ours, theirs)
    assert (ours * theirs).sum(axis=1) == pytest.approx(np.ones(4), abs=1e-3)
    assert encoder.digest == exact.digest
    assert runs_by(encoder) == "ONNX Runtime, queries with weights in 8 bits"


@pytest.mark.parametrize("name", [exports.QUERIES, exports.MODEL])
def test_an_export_whose_8_bits_were_damaged_is_none(tmp_path: Path, name: str) -> None:
    measured(tmp_path, ALWAYS, random(64, 32))
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-5])
    assert exports.read(tmp_path) is None
    path.unlink()
    assert exports.read(tmp_path) is None


def with_a_large_number() -> Vector:
    """A matrix whose first row is so large that 8 bits leave nothing of the others in its block."""
    matrix = random(64, 32)
    matrix[0] = 1e9
    return matrix


@pytest.mark.parametrize(
    ("matrix", "share", "why"),
    [
        (random(64, 32), NEVER, r"8 bits take \d+\.\d+ ms, exact weights \d+\.\d+"),
        (with_a_large_number(), ALWAYS, r"8 bits differ: cosine -?[\d.]+"),
        (None, ALWAYS, "it has no matrix that can be cut into blocks of 32"),
    ],
    ids=["slower", "different", "nothing to cut"],
)
def test_otherwise_queries_are_encoded_exactly_and_the_export_says_why(
    tmp_path: Path, matrix: Vector | None, share: float, why: str
) -> None:
    export = measured(tmp_path, share, matrix)
    assert exports.read(tmp_path) == export
    assert {path.name for path in tmp_path.iterdir()} == {exports.MODEL, exports.TOKENIZER, exports.MANIFEST}
    encoder = OnnxEncoder(export)
    assert np.array_equal(encoder.encode_queries(TEXTS), encoder.encode_passages(TEXTS))
    assert export.quantised is not None
    assert runs_by(encoder) == f"ONNX Runtime, queries exact: {export.quantised.refused}"
    assert re.fullmatch(why, export.quantised.refused)


def test_an_export_from_before_there_were_8_bits_is_still_read(tmp_path: Path) -> None:
    measured(tmp_path, ALWAYS, random(64, 32))
    path = tmp_path / exports.MANIFEST
    manifest = json.loads(path.read_text())
    del manifest["quantised"], manifest["files"][exports.QUERIES]
    path.write_text(json.dumps(manifest))
    export = exports.read(tmp_path)
    assert export is not None
    assert export.quantised is None
    encoder = OnnxEncoder(export)
    assert np.array_equal(encoder.encode_queries(TEXTS), encoder.encode_passages(TEXTS))
    assert runs_by(encoder) == "ONNX Runtime"


def test_an_operator_may_have_queries_encoded_exactly(tmp_path: Path) -> None:
    measured(exports.folder_of("toy", tmp_path), ALWAYS, random(64, 32))
    auto, exact = (load_encoder(Wanted("toy", "onnx", tmp_path, queries)) for queries in ("auto", "exact"))
    passages = auto.encode_passages(TEXTS)
    assert not np.array_equal(auto.encode_queries(TEXTS), passages)
    assert np.array_equal(exact.encode_queries(TEXTS), passages)
