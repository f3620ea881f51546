"""A tiny export written by hand: no PyTorch."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from kb.search import exports
from kb.search.encoder import EncoderIdentity
from kb.search.exports import Export
from kb.search.index import Vector

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "router", "light", "red", "bill", "query", ":", "the", "is"]
DIMENSION = 8


def a_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def an_export(folder: Path, query_prompt: str = "", passage_prompt: str = "", matrix: Vector | None = None) -> Export:
    """The mean of a random vector for each word; with a matrix, times that, whose first row is never read."""
    folder.mkdir(parents=True, exist_ok=True)
    width, dimension = (DIMENSION, DIMENSION) if matrix is None else matrix.shape
    table = np.random.default_rng(1).standard_normal((len(WORDS), width)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["seen"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["seen", "last"], ["mask"]),
        helper.make_node("Mul", ["words", "mask"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["vectors" if matrix is None else "sums"], keepdims=0),
    ]
    if matrix is not None:
        nodes.append(helper.make_node("MatMul", ["sums", "matrix"], ["vectors"]))
        table[:, 0] = 0
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "t"]) for n in ("input_ids", "attention_mask")]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", dimension])]
    constants = {"table": table, "last": np.array([2]), "middle": np.array([1])}
    constants |= {} if matrix is None else {"matrix": matrix}
    known = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, known)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / exports.MODEL))
    tokenizer = a_tokenizer()
    tokenizer.enable_truncation(64)
    tokenizer.enable_padding()
    tokenizer.save(str(folder / exports.TOKENIZER))
    identity = EncoderIdentity("toy", "d1", dimension, 64, frozenset({"en"}))
    export = Export(folder, identity, query_prompt, passage_prompt)
    export.write()
    return export
