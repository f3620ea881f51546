"""Weights in 8 bits, by blocks: a query then reads a quarter of what it would, and that is what it spends its time on.

Each 32 weights that are summed up together have a scale of their own (symmetric, as `MatMulNBits` of ONNX Runtime's
contrib operators reads them), and so have the numbers that they are multiplied with: a large one costs only its
neighbours precision. docs/relevance.md says what that is worth.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

BLOCK = 32
_DOMAIN = "com.microsoft"
_ZERO = 128  # what stands for 0 where an operator has no zero points
_INTEGERS = 4  # the accuracy level at which what is multiplied is integers too; with floats it is five times slower


def write(exact: Path, path: Path) -> None:
    """Write that model with its weights in 8 bits.

    Inputs and outputs, and what passes between the matrices, stay as they are. A matrix whose rows are no multiple of
    32 stays exact. Raises ValueError where all do.
    """
    model = onnx.load(exact)
    graph = model.graph
    matrices = _matrices(graph)
    made: dict[str, list[onnx.TensorProto]] = {}
    for node in graph.node:
        if node.op_type == "MatMul" and not node.domain and node.input[1] in matrices:
            name = node.input[1]
            if name not in made:
                made[name] = _quantised(name, numpy_helper.to_array(matrices[name]))
            rows, columns = matrices[name].dims
            node.CopyFrom(
                helper.make_node(
                    "MatMulNBits",
                    [node.input[0], *(tensor.name for tensor in made[name])],
                    node.output,
                    node.name,
                    domain=_DOMAIN,
                    K=rows,
                    N=columns,
                    bits=8,
                    block_size=BLOCK,
                    accuracy_level=_INTEGERS,
                )
            )
    if not made:
        raise ValueError(f"it has no matrix that can be cut into blocks of {BLOCK}")
    graph.initializer.extend(tensor for tensors in made.values() for tensor in tensors)
    _remove(graph, made.keys() - set(_read(graph)))
    if all(each.domain != _DOMAIN for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    onnx.save(model, path)


def blocks(weights: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A matrix (K, N) as `MatMulNBits` reads it: numbers (N, K / 32, 32) about 128 and the scales (N, K / 32)."""
    cut = np.ascontiguousarray(weights.T).reshape(weights.shape[1], -1, BLOCK)
    scales = np.abs(cut).max(axis=2) / np.float32(127)
    divisors = np.where(scales > 0, scales, np.float32(1))[..., np.newaxis]
    return (np.rint(cut / divisors) + _ZERO).astype(np.uint8), scales


def _quantised(name: str, weights: NDArray[np.float32]) -> list[onnx.TensorProto]:
    numbers, scales = blocks(weights)
    return [numpy_helper.from_array(numbers, f"{name}_8bit"), numpy_helper.from_array(scales, f"{name}_scales")]


def _matrices(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """The constant matrices that fit, by name; what is an input as well may be given another value."""
    inputs = {each.name for each in graph.input}
    known = {each.name: each for each in graph.initializer if each.name not in inputs}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            known[node.output[0]] = node.attribute[0].t
    return {
        name: tensor
        for name, tensor in known.items()
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 2 and tensor.dims[0] % BLOCK == 0
    }


def _read(graph: onnx.GraphProto) -> Iterator[str]:
    """The names of all that is read, by the branches of conditions too."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _read(attribute.g)
    yield from (each.name for each in graph.output)


def _remove(graph: onnx.GraphProto, names: set[str]) -> None:
    """Take these constants out of the file."""
    for tensor in [each for each in graph.initializer if each.name in names]:
        graph.initializer.remove(tensor)
    for node in [each for each in graph.node if each.op_type == "Constant" and each.output[0] in names]:
        graph.node.remove(node)
