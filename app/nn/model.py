"""A model with its loss as a graph for a batch size: input → layers → loss ← target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import pick
from app.engine.graph import INPUT, TARGET, Graph, Node
from app.engine.op import OPS, Op
from app.engine.types import FLOAT, Array, Shape
from app.nn.builder import Builder, Declared, Noise
from app.nn.init import Init
from app.nn.layers import parse_layer, stack

LOSSES: dict[str, type[Op]] = {name: op for name, op in OPS.items() if op.is_loss}


@dataclass(frozen=True)
class Model:
    """`prediction` is the node that the loss compares with the target; `ignored` are entries of a
    PyTorch `state_dict` that mean nothing here; `fusible`: some layer can also be one op.
    """

    graph: Graph
    declared: list[Declared]
    prediction: str
    noises: list[Noise] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    fusible: bool = False


def parse_loss(given: Any, where: str = "loss") -> Op:
    return pick(LOSSES, given, where, "the loss")


def vocabulary(layers: Any) -> int | None:
    """How many numbers the first layer knows, if it is an embedding: inputs are then whole."""
    first = layers[0] if isinstance(layers, list) and layers else None
    named = first.get("type") if isinstance(first, dict) else first
    if named != "embedding":
        return None
    return int(getattr(parse_layer(first, "model.layers[0]"), "num_embeddings"))  # noqa: B009


def build_model(
    layers: Any,
    loss: Op,
    *,
    input_shape: Shape,
    target_shape: Shape,
    target_dtype: Any = FLOAT,
    input_dtype: Any = FLOAT,
    batch: int,
    init: Init | None = None,
    max_nodes: int = 1000,
    training: bool = True,
    fused: bool | None = None,
) -> Model:
    """Shapes are a sample's; the batch axis is put in front of both. `fused`: recurrent layers as
    one op each, or step by step; None: as each of them says.
    """
    graph = Graph(max_nodes=max_nodes)
    b = Builder(graph, init, training, fused=fused)
    x = graph.leaf(INPUT, "input", (batch, *input_shape), label="x", latex="x", dtype=input_dtype)
    out = stack(b, x, layers, "model.layers")
    target = graph.leaf(
        TARGET, "target", (batch, *target_shape), label="y", latex="y", dtype=target_dtype
    )
    graph.output = _end(graph, loss, out, target).name
    return Model(graph, b.declared, out.name, b.noises, b.constants, b.ignored, fusible=b.fusible)


def _end(graph: Graph, loss: Op, out: Node, target: Node) -> Node:
    try:
        return graph.add(loss, out, target, name="loss", label="L", latex="L")
    except BackstepError as error:
        raise type(error)(
            f"{error.message}; a sample's prediction is {out.shape[1:]}, "
            f"its target {target.shape[1:]}",
            where="data.targets",
        ) from None
