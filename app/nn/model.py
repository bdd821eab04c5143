"""A model with its loss as a graph for a batch size: input → layers → loss ← target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import pick
from app.engine.graph import INPUT, TARGET, Graph, Node
from app.engine.op import OPS, Op
from app.engine.types import FLOAT, Shape
from app.nn.builder import Builder, Declared
from app.nn.init import Init
from app.nn.layers import stack

LOSSES: dict[str, type[Op]] = {name: op for name, op in OPS.items() if op.is_loss}


@dataclass(frozen=True)
class Model:
    """`prediction` is the node that the loss compares with the target."""

    graph: Graph
    declared: list[Declared]
    prediction: str


def parse_loss(given: Any, where: str = "loss") -> Op:
    return pick(LOSSES, given, where, "the loss")


def build_model(
    layers: Any,
    loss: Op,
    *,
    input_shape: Shape,
    target_shape: Shape,
    target_dtype: Any = FLOAT,
    batch: int,
    init: Init | None = None,
    max_nodes: int = 1000,
) -> Model:
    """Shapes are a sample's; the batch axis is put in front of both."""
    graph = Graph(max_nodes=max_nodes)
    b = Builder(graph, init)
    x = graph.leaf(INPUT, "input", (batch, *input_shape), label="x", latex="x")
    out = stack(b, x, layers, "model.layers")
    target = graph.leaf(
        TARGET, "target", (batch, *target_shape), label="y", latex="y", dtype=target_dtype
    )
    graph.output = _end(graph, loss, out, target).name
    return Model(graph, b.declared, out.name)


def _end(graph: Graph, loss: Op, out: Node, target: Node) -> Node:
    try:
        return graph.add(loss, out, target, name="loss", label="L", latex="L")
    except BackstepError as error:
        raise type(error)(
            f"{error.message}; a sample's prediction is {out.shape[1:]}, "
            f"its target {target.shape[1:]}",
            where="data.targets",
        ) from None
