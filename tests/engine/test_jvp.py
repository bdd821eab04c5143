"""Forward mode is the transpose of reverse mode, and the slope along a direction, for every op."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.graph import Graph, Node
from app.engine.jvp import SeedTangent, directional, flows_of, forward_mode_steps, gradient, passes
from app.engine.op import OPS, Op, Sample, make
from app.engine.plan import Backward, Forward
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array
from tests.engine import checks
from tests.engine.test_random_graphs import Case, graphs, steadily
from tests.engine.walks import FAN_OUT, fan_out, gradients, network

CASES = [
    pytest.param(make(name, sample.attrs), sample, id=f"{name}-{number}")
    for name, op_class in OPS.items()
    for number, sample in enumerate(op_class.samples())
    if op_class.rules
]
cases = pytest.mark.parametrize(("op", "sample"), CASES)


def use_of(op: Op, sample: Sample) -> tuple[Graph, Node, dict[str, Array]]:
    """The op alone in a graph, over leaves with the sample's numbers."""
    graph = Graph()
    leaves = [
        graph.leaf("input", f"x{i}", x.shape, dtype=x.dtype) for i, x in enumerate(sample.operands)
    ]
    node = graph.add(op, *leaves, name="y")
    graph.output = "y"
    return graph, node, {f"x{i}": x for i, x in enumerate(sample.operands)}


def directions(graph: Graph, node: Node, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {flow.target.name: rng.normal(size=flow.target.shape) for flow in flows_of(graph, node)}


@cases
def test_is_the_transpose_of_the_vjp(op: Op, sample: Sample) -> None:
    """⟨g, J v⟩ = ⟨Jᵀ g, v⟩."""
    graph, node, values = use_of(op, sample)
    v = directions(graph, node, 5)
    moved = directional(graph, values, v)["y"]
    g = checks.upstream(op, sample.operands)
    slots = {(name, VALUE): value for name, value in values.items()}
    walk = Stepper([Forward(node), Backward(node, flows_of(graph, node))], slots, {}, {})
    walk.step()
    walk.slots["y", GRAD] = g
    walk.step()
    back = sum(float(np.sum(walk.slots[name, GRAD] * d)) for name, d in v.items())
    size = sum(float(np.sum(np.abs(walk.slots[name, GRAD] * d))) for name, d in v.items())
    assert abs(float(np.sum(g * moved)) - back) <= 1e-12 * max(1.0, size)


@cases
def test_is_the_slope_along_the_direction(op: Op, sample: Sample) -> None:
    if not sample.smooth:
        pytest.skip("there is a kink")
    graph, node, values = use_of(op, sample)
    v = directions(graph, node, 6)
    moved = directional(graph, values, v)["y"]
    h = 1e-4

    def at(step: float) -> Array:
        operands = tuple(
            values[name] + step * v[name] if name in v else values[name] for name in node.inputs
        )
        return checks.run(op, operands)[0]

    slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    np.testing.assert_allclose(moved, slope, rtol=1e-7, atol=1e-8)


def test_a_gradient_takes_a_pass_for_every_number() -> None:
    graph, values = network()
    leaves = [node.name for node in graph.kind("parameter")]
    found, count = gradient(graph, {n: np.asarray(v) for n, v in values.items()}, leaves)
    backward = gradients(graph, values)
    assert count == 13
    assert passes(graph, leaves) == {"inputs": 13, "outputs": 1, "forward": 13, "reverse": 1}
    for name in leaves:
        np.testing.assert_allclose(found[name], backward[name], rtol=1e-12, atol=1e-14)


def test_where_paths_meet_tangents_add_up() -> None:
    values: dict[str, Any] = {name: np.asarray(value) for name, value in FAN_OUT.items()}
    moved = directional(fan_out(), values, {"a": np.asarray(1.0)})
    assert moved["b"] == 2 and moved["t"] == 6
    assert moved["c"] == gradients(fan_out(), FAN_OUT)["a"]


def test_only_what_moves_has_a_tangent_step() -> None:
    graph, _ = network()
    plan = forward_mode_steps(graph, [SeedTangent(graph["w2"], (0, 0))])
    moved = [step.node for step in plan if step.phase == "tangent"]
    assert moved == ["w2", "y", "loss"]


@steadily
@given(graphs())
def test_both_modes_agree_on_random_graphs(case: Case) -> None:
    graph, values = case
    backward = gradients(graph, values)
    assume(all(np.all(np.abs(g) < 1e6) for g in backward.values()))
    leaves = list(values)
    found, _ = gradient(graph, values, leaves)
    for name in leaves:
        np.testing.assert_allclose(found[name], backward[name], rtol=1e-10, atol=1e-12)
