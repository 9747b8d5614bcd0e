"""Builds the ONNX graph of all-MiniLM-L6-v2 from its published weights.

Owns the graph (BERT forward, mean pooling, L2 normalisation) and its int8 quantisation. Knows neither files'
places nor sessions (`model_files`, `minilm`), and needs no torch. The graph takes `ids`, int64 (texts,
tokens), all texts of one length and without padding, and gives `vectors`, float32 (texts, 384), rows of
length 1. `python -m …onnx_build <weights>` writes the graph to its standard output: the server has it built
in a process that ends, since the building takes 220 MB and a library of 25 MB.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

from youworker_app.gateways.embeddings.graph_facts import DIMENSION

LAYERS = 6
HEADS = 12
_EPSILON = 1e-12
# 7 of 8 bits: processors without VNNI add pairs of u8*s8 products in 16 bits, which 8-bit weights overflow.
# Measured: no loss against 8 bits (mean cosine to float32 0.991 and 0.992), since the activations' rounding
# weighs more.
_WEIGHT_LIMIT = 63

Floats = NDArray[np.float32]


def build_graph(weights: Path, *, quantised: bool = True) -> bytes:
    """The serialised model made from a safetensors file; the same bytes every time.

    `quantised=False` keeps float32: the reference that the tests compare with.
    """
    with safe_open(str(weights), framework="np") as tensors:
        graph = _Graph(quantised=quantised)
        hidden = _embeddings(graph, tensors)
        for layer in range(LAYERS):
            hidden = _layer(graph, tensors, f"encoder.layer.{layer}", hidden)
        _pool(graph, hidden)
    return graph.serialise()


class _Graph:
    """Collects nodes and constants; every method returns the name of the value that it made."""

    def __init__(self, *, quantised: bool) -> None:
        self.quantised = quantised
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, dtype=np.int64))

    def many(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        names = [f"n{len(self._nodes)}_{index}" for index in range(outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def one(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self.many(operator, inputs, 1, **attributes)[0]

    def normalised(self, value: str, scale: Floats, bias: Floats) -> str:
        return self.one(
            "LayerNormalization", value, self.constant(scale), self.constant(bias), axis=-1, epsilon=_EPSILON
        )

    def dense(self, value: str, weight: Floats, bias: Floats) -> str:
        """value @ weight + bias, weight of shape (inputs, outputs)."""
        if not self.quantised:
            return self.one("Add", self.one("MatMul", value, self.constant(weight)), self.constant(bias))
        whole, scale = _quantise(weight, axis=0)
        quant, value_scale, zero = self.many("DynamicQuantizeLinear", [value], 3)
        product = self.one("MatMulInteger", quant, self.constant(whole), zero)
        scales = self.one("Mul", value_scale, self.constant(scale))
        product = self.one("Mul", self.one("Cast", product, to=TensorProto.FLOAT), scales)
        return self.one("Add", product, self.constant(bias))

    def rows(self, table: Floats, indices: str) -> str:
        """The table's rows at `indices`; quantised with one scale a row."""
        if not self.quantised:
            return self.one("Gather", self.constant(table), indices, axis=0)
        whole, scale = _quantise(table, axis=1)
        rows = self.one("Gather", self.constant(whole), indices, axis=0)
        scales = self.one("Gather", self.constant(scale[:, np.newaxis]), indices, axis=0)
        return self.one("Mul", self.one("Cast", rows, to=TensorProto.FLOAT), scales)

    def serialise(self) -> bytes:
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"])
        vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", DIMENSION])
        graph = helper.make_graph(self._nodes, "minilm", [ids], [vectors], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        serialised: bytes = model.SerializeToString(deterministic=True)
        return serialised

    def name_output(self, value: str, name: str) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name]))


def _quantise(values: Floats, *, axis: int) -> tuple[NDArray[np.int8], Floats]:
    """Symmetric int8 with one scale for each index of the other axis."""
    scale = np.maximum(np.abs(values).max(axis=axis), np.float32(1e-12)) / np.float32(_WEIGHT_LIMIT)
    whole = np.rint(values / np.expand_dims(scale, axis)).astype(np.int8)
    return whole, scale.astype(np.float32)


def _embeddings(graph: _Graph, tensors: safe_open) -> str:
    words = graph.rows(_tensor(tensors, "embeddings.word_embeddings.weight"), "ids")
    # Every text is of token type 0: its one vector is added to all positions beforehand.
    positions = _tensor(tensors, "embeddings.position_embeddings.weight")
    positions = positions + _tensor(tensors, "embeddings.token_type_embeddings.weight")[0]
    length = graph.one("Shape", "ids", start=1, end=2)
    placed = graph.one("Slice", graph.constant(positions), graph.ints(0), length, graph.ints(0))
    return graph.normalised(graph.one("Add", words, placed), *_norm(tensors, "embeddings.LayerNorm"))


def _layer(graph: _Graph, tensors: safe_open, prefix: str, hidden: str) -> str:
    attended = _attention(graph, tensors, f"{prefix}.attention.self", hidden)
    attended = graph.dense(attended, *_linear(tensors, f"{prefix}.attention.output.dense"))
    norm = _norm(tensors, f"{prefix}.attention.output.LayerNorm")
    hidden = graph.normalised(graph.one("Add", attended, hidden), *norm)
    inner = graph.one("Gelu", graph.dense(hidden, *_linear(tensors, f"{prefix}.intermediate.dense")))
    inner = graph.dense(inner, *_linear(tensors, f"{prefix}.output.dense"))
    return graph.normalised(graph.one("Add", inner, hidden), *_norm(tensors, f"{prefix}.output.LayerNorm"))


def _attention(graph: _Graph, tensors: safe_open, prefix: str, hidden: str) -> str:
    """softmax(Q K^T / sqrt(d)) V (Vaswani et al. 2017, eq. 1); the divisor is folded into Q's weights."""
    parts = [_linear(tensors, f"{prefix}.{name}") for name in ("query", "key", "value")]
    shrink = np.float32((DIMENSION // HEADS) ** -0.5)
    parts[0] = (parts[0][0] * shrink, parts[0][1] * shrink)
    together = graph.dense(
        hidden, np.concatenate([w for w, _ in parts], axis=1), np.concatenate([b for _, b in parts])
    )
    thirds = graph.many("Split", [together], 3, axis=-1, num_outputs=3)
    shape = graph.ints(0, 0, HEADS, DIMENSION // HEADS)
    query, key, value = (graph.one("Reshape", third, shape) for third in thirds)
    query = graph.one("Transpose", query, perm=[0, 2, 1, 3])
    key = graph.one("Transpose", key, perm=[0, 2, 3, 1])
    value = graph.one("Transpose", value, perm=[0, 2, 1, 3])
    weights = graph.one("Softmax", graph.one("MatMul", query, key), axis=-1)
    mixed = graph.one("Transpose", graph.one("MatMul", weights, value), perm=[0, 2, 1, 3])
    return graph.one("Reshape", mixed, graph.ints(0, 0, DIMENSION))


def _pool(graph: _Graph, hidden: str) -> None:
    mean = graph.one("ReduceMean", hidden, graph.ints(1), keepdims=0)
    graph.name_output(graph.one("LpNormalization", mean, axis=-1, p=2), "vectors")


def _linear(tensors: safe_open, name: str) -> tuple[Floats, Floats]:
    return _tensor(tensors, f"{name}.weight").T, _tensor(tensors, f"{name}.bias")


def _norm(tensors: safe_open, name: str) -> tuple[Floats, Floats]:
    return _tensor(tensors, f"{name}.weight"), _tensor(tensors, f"{name}.bias")


def _tensor(tensors: safe_open, name: str) -> Floats:
    loaded: Floats = tensors.get_tensor(name)  # type: ignore[no-untyped-call]
    return loaded.astype(np.float32, copy=False)


if __name__ == "__main__":
    sys.stdout.buffer.write(build_graph(Path(sys.argv[1])))
