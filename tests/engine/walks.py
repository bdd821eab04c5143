"""Small graphs to walk through, and the ways to walk them that the tests compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.graph import Graph, Node
from app.engine.kernel import Recorder
from app.engine.op import make
from app.engine.plan import backward_steps, forward_steps
from app.engine.replay import replay
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array, Slot
from tests.engine.checks import sealed


def use(graph: Graph, op: str, *inputs: Node, name: str = "", **attrs: Any) -> Node:
    """Add an op by name; the last one added is the output."""
    node = graph.add(make(op, attrs), *inputs, name=name)
    graph.output = node.name
    return node


def leaves(values: Mapping[str, Any]) -> dict[Slot, Array]:
    return {(name, VALUE): sealed(np.asarray(value, float)) for name, value in values.items()}


def stepper(
    graph: Graph, values: Mapping[str, Any], slots: Mapping[Slot, Array] | None = None
) -> Stepper:
    """Forward and backward over these leaves; `slots` may hold gradients of before."""
    plan = forward_steps(graph) + backward_steps(graph)
    return Stepper(plan, leaves(values) | dict(slots or {}), {}, {})


def gradients(graph: Graph, values: Mapping[str, Any]) -> dict[str, Array]:
    """All gradients after one pass."""
    walk = stepper(graph, values)
    walk.seek(len(walk.plan))
    return {node: value for (node, slot), value in walk.slots.items() if slot == GRAD}


def replayed(graph: Graph, values: Mapping[str, Any], times: int = 1) -> dict[Slot, Array]:
    """The same pass through the recorder, in buffers that stay; gradients of `times` passes add
    up in the leaves."""
    buffers = {slot: np.array(value) for slot, value in leaves(values).items()}
    filled = set(buffers)
    everything = frozenset(graph.nodes)
    for _ in range(times):
        k = Recorder(buffers, filled, everything, {})
        for step in forward_steps(graph) + backward_steps(graph):
            step.run(k)
        with np.errstate(all="ignore"):
            replay(k.calls)
    return buffers


def fan_out() -> Graph:
    """b = a + a; t = 3b; c = b·t: b is used twice, and its gradient is whole only when both have
    answered."""
    graph = Graph()
    a, three = graph.leaf("parameter", "a", ()), graph.leaf("constant", "three", ())
    b = use(graph, "add", a, a, name="b")
    t = use(graph, "mul", three, b, name="t")
    use(graph, "mul", b, t, name="c")
    return graph


FAN_OUT = {"a": 2.0, "three": 3.0}


def network() -> tuple[Graph, dict[str, Any]]:
    """The 2-3-1 network: a batch of two samples, two linear layers with a tanh between, mse."""
    rng = np.random.default_rng(3)
    graph = Graph()
    shapes = {"x": (2, 2), "w1": (3, 2), "b1": (3,), "w2": (1, 3), "b2": (1,), "t": (2, 1)}
    kinds = {"x": "input", "t": "target"}
    node = {
        name: graph.leaf(kinds.get(name, "parameter"), name, shape)
        for name, shape in shapes.items()
    }
    z = use(graph, "linear", node["x"], node["w1"], node["b1"], name="z")
    h = use(graph, "tanh", z, name="h")
    y = use(graph, "linear", h, node["w2"], node["b2"], name="y")
    use(graph, "mse", y, node["t"], name="loss")
    return graph, {name: rng.normal(size=shape) for name, shape in shapes.items()}
