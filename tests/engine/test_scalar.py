"""The scalar graph computes what the tensor graph computes, and so do its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.errors import BackstepError, LimitError
from app.engine.graph import Graph
from app.engine.op import OPS, Op, Sample, make
from app.engine.plan import backward_steps, forward_steps
from app.engine.scalar import RULES, Exploded, can_explode, entry_latex, explode
from app.engine.stepper import Stepper
from app.engine.types import FLOAT, GRAD, VALUE, Array
from tests.engine.walks import FAN_OUT, fan_out, network, use

CASES = [
    pytest.param(make(name, sample.attrs), sample, id=f"{name}-{number}")
    for name, op_class in OPS.items()
    if can_explode(name) and name != "cast"
    for number, sample in enumerate(op_class.samples())
    if sample.smooth
]


def walked(graph: Graph, values: dict[str, Array]) -> dict[Any, Array]:
    start = {(name, VALUE): value for name, value in values.items()}
    stepper = Stepper(forward_steps(graph) + backward_steps(graph), start, {}, {})
    stepper.seek(len(stepper.plan))
    return stepper.slots


def check(graph: Graph, values: dict[str, Array]) -> Exploded:
    tensor = walked(graph, values)
    scalars = explode(graph)
    found = walked(scalars.graph, scalars.scatter(values) | scalars.constants)
    assert all(node.shape == () for node in scalars.graph.nodes.values())
    numbers = {name: value for (name, slot), value in found.items() if slot == VALUE}
    grads = {name: value for (name, slot), value in found.items() if slot == GRAD}
    for node in graph.nodes.values():
        if node.name in scalars.onehot:
            continue
        np.testing.assert_allclose(
            scalars.gather(node.name, numbers), tensor[node.name, VALUE], rtol=1e-12, atol=1e-12
        )
        if node.op is None and (node.name, GRAD) in tensor:
            np.testing.assert_allclose(
                scalars.gather(node.name, grads), tensor[node.name, GRAD], rtol=1e-12, atol=1e-12
            )
    return scalars


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_every_op(op: Op, sample: Sample) -> None:
    """The op, and a weighted sum of its entries as the output."""
    graph = Graph()
    values: dict[str, Array] = {}
    leaves = []
    for i, x in enumerate(sample.operands):
        if x.dtype != FLOAT and not op.is_loss:
            pytest.skip("whole numbers that are looked up")
        leaves.append(graph.leaf("input", f"x{i}", x.shape, dtype=x.dtype))
        values[f"x{i}"] = x
    node = graph.add(op, *leaves, name="y")
    if node.shape:
        weights = graph.leaf("constant", "weights", node.shape)
        values["weights"] = np.random.default_rng(2).normal(size=node.shape)
        node = use(graph, "sum", use(graph, "mul", node, weights))
    graph.output = node.name
    check(graph, values)


def test_the_network_of_the_guides() -> None:
    graph, given = network()
    values = {name: np.asarray(value) for name, value in given.items()}
    scalars = check(graph, values)
    ops = [node.op_name for node in scalars.graph.ops]
    assert ops.count("mul") == 2 * (2 * 3 + 3) + 1  # two samples, and 1/n of the loss
    assert scalars.places["w1"][2, 1] == "w1[2,1]"
    assert scalars.graph["z[1,0]"].op_name == "add"
    view = scalars.view()["tensors"]["w1"]
    assert view["shape"] == [3, 2] and view["nodes"][2][1] == "w1[2,1]"


def test_a_graph_of_scalars_stays_as_it_is() -> None:
    scalars = check(fan_out(), {n: np.asarray(v) for n, v in FAN_OUT.items()})
    assert list(scalars.graph.nodes) == list(fan_out().nodes)


def test_moving_numbers_makes_no_node() -> None:
    graph = Graph()
    x = graph.leaf("parameter", "x", (2, 3))
    y = use(graph, "transpose", x, name="y")
    use(graph, "sum", y, name="L")
    scalars = explode(graph)
    assert scalars.places["y"][2, 1] == "x[1,2]"
    assert len(scalars.graph.ops) == 5


def test_an_operand_of_which_only_the_shape_is_asked_makes_no_node() -> None:
    graph = Graph()
    x = graph.leaf("input", "x", (1, 3, 2))
    h = graph.add(make("initial_state", {"width": 2}), x, name="h")
    use(graph, "sum", use(graph, "add", h, h), name="L")
    assert not [node for node in explode(graph).graph.ops if node.op_name == "detach"]


def test_what_cannot_be_taken_apart_is_named() -> None:
    graph = Graph()
    table = graph.leaf("parameter", "table", (4, 2))
    words = graph.leaf("input", "words", (1, 2), dtype=np.dtype(np.int64))
    use(graph, "sum", graph.add(make("embedding"), words, table, name="e"))
    with pytest.raises(BackstepError, match="taken apart"):
        explode(graph)
    large = Graph()
    use(large, "sum", large.leaf("parameter", "x", (50, 50)))
    with pytest.raises(LimitError, match="at most"):
        explode(large)


@pytest.mark.parametrize(
    ("latex", "told"),
    [("W_{1}", "W_{1;0,2}"), ("x", "x_{0,2}"), ("W_{1}^{h}", "W_{1;0,2}^{h}")],
)
def test_places_stand_below(latex: str, told: str) -> None:
    assert entry_latex(latex, (0, 2)) == told


def test_rules_are_only_for_ops_that_need_one() -> None:
    assert set(RULES) <= set(OPS)
    assert not [name for name in RULES if OPS[name].elementwise]
