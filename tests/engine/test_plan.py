"""The order of a pass: forward as made, backward exactly reversed, each edge's contribution
once."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.graph import Graph
from app.engine.plan import Backward, backward_steps, forward_steps
from app.engine.types import GRAD, VALUE
from tests.engine.walks import FAN_OUT, fan_out, gradients, network, stepper, use


def test_forward_is_the_order_of_making_and_backward_its_reverse() -> None:
    graph, _ = network()
    forward, backward = forward_steps(graph), backward_steps(graph)
    assert [(s.phase, s.node) for s in forward] == [
        ("forward", "z"),
        ("forward", "h"),
        ("forward", "y"),
        ("loss", "loss"),
    ]
    assert [(s.phase, s.node) for s in backward] == [
        ("backward", name) for name in ("loss", "y", "h", "z")
    ]


def test_each_edge_is_used_once() -> None:
    graph, _ = network()
    flows = [
        (flow.target.name, step.node, flow.operand)
        for step in backward_steps(graph)
        if isinstance(step, Backward)
        for flow in step.flows
    ]
    assert sorted(flows) == sorted(
        (e.source, e.target, e.operand) for e in graph.edges if graph[e.source].needs_grad
    )


def test_nodes_that_the_output_does_not_use_have_no_backward_step() -> None:
    graph = Graph()
    a = graph.leaf("parameter", "a", ())
    y = use(graph, "square", a, name="y")
    use(graph, "exp", y, name="later")
    use(graph, "neg", a, name="aside")
    graph.output = "y"
    assert [s.node for s in forward_steps(graph)] == ["y", "later", "aside"]
    assert [s.phase for s in forward_steps(graph)] == ["loss", "forward", "forward"]
    assert [s.node for s in backward_steps(graph)] == ["y"]
    assert gradients(graph, {"a": 3.0}) == {"y": 1.0, "a": 6.0}


def test_fan_out_waits_until_both_uses_have_answered() -> None:
    """b = a + a; t = 3b; c = b·t at a = 2: c = 3b² = 12a², so dc/db = 24 and dc/da = 48."""
    walk = stepper(fan_out(), FAN_OUT)
    walk.seek(3)
    assert {n: float(walk.slots[n, VALUE]) for n in "btc"} == {"b": 4.0, "t": 12.0, "c": 48.0}
    walk.seek(len(walk.plan))
    assert {n: float(walk.slots[n, GRAD]) for n in "atbc"} == {"a": 48, "t": 4, "b": 24, "c": 1}
    told = [
        (c.source, c.target, c.operand, float(c.value), c.first)
        for record in walk.records
        for c in record.contributions
    ]
    assert told == [
        ("c", "b", 0, 12.0, True),
        ("c", "t", 1, 4.0, True),
        ("t", "b", 1, 12.0, False),
        ("b", "a", 0, 24.0, True),
        ("b", "a", 1, 24.0, False),
    ]


def test_both_edges_of_a_product_with_itself_contribute() -> None:
    graph = Graph()
    a = graph.leaf("parameter", "a", (2,))
    total = use(graph, "mul", a, a, name="square")
    use(graph, "sum", total, name="y")
    walk = stepper(graph, {"a": [3.0, -1.0]})
    walk.seek(len(walk.plan))
    last = walk.records[-1].contributions
    assert [(c.operand, c.first, c.value.tolist()) for c in last] == [
        (0, True, [3.0, -1.0]),
        (1, False, [3.0, -1.0]),
    ]
    assert walk.slots["a", GRAD].tolist() == [6.0, -2.0]
    assert walk.records[-1].former == {("a", GRAD): None}


def test_a_difference_with_itself_has_gradient_zero_by_two_contributions() -> None:
    graph = Graph()
    a = graph.leaf("parameter", "a", ())
    use(graph, "sub", a, a, name="y")
    walk = stepper(graph, {"a": 5.0})
    walk.seek(len(walk.plan))
    assert [float(c.value) for c in walk.records[-1].contributions] == [1.0, -1.0]
    assert walk.slots["a", GRAD] == 0.0


def test_the_output_is_seeded_with_one_in_its_own_step() -> None:
    graph, values = network()
    walk = stepper(graph, values)
    walk.seek(4)
    assert not any(slot == GRAD for _, slot in walk.slots)
    record = walk.step()
    assert list(record.writes) == [("loss", GRAD), ("y", GRAD)]
    assert walk.slots["loss", GRAD] == 1.0


def test_a_leaf_that_the_output_does_not_use_gets_zero() -> None:
    graph = Graph()
    a, idle = graph.leaf("parameter", "a", ()), graph.leaf("input", "idle", (2, 2))
    spare = graph.leaf("parameter", "spare", ())
    graph.leaf("constant", "one", ())
    use(graph, "neg", spare, name="aside")
    use(graph, "square", a, name="y")
    found = gradients(graph, {"a": 3.0, "idle": np.ones((2, 2)), "spare": 1.0, "one": 1.0})
    assert set(found) == {"a", "y", "idle", "spare"}
    assert found["idle"].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert found["spare"] == 0.0
    assert idle.needs_grad


def test_no_gradient_flows_past_a_comparison() -> None:
    """y = where(a > b, a·b, b): a and b get what the chosen branch gives, the comparison
    nothing."""
    graph = Graph()
    a, b = graph.leaf("parameter", "a", ()), graph.leaf("parameter", "b", ())
    condition = use(graph, "greater", a, b, name="condition")
    product = use(graph, "mul", a, b, name="product")
    use(graph, "where", condition, product, b, name="y")
    found = gradients(graph, {"a": 3.0, "b": 2.0})
    assert {n: float(found[n]) for n in ("a", "b", "product")} == {"a": 2, "b": 3, "product": 1}
    assert "condition" not in found


@pytest.mark.parametrize("fresh", [True, False])
def test_leaves_keep_and_add_while_inner_nodes_start_afresh(fresh: bool) -> None:
    """Two passes: without zero_grad between them the leaf has both, the inner nodes only the
    second."""
    graph = fan_out()
    first = stepper(graph, FAN_OUT)
    first.seek(len(first.plan))
    kept = {slot: a for slot, a in first.slots.items() if not fresh or slot[1] == VALUE}
    second = stepper(graph, {**FAN_OUT, "a": 1.0}, {s: a for s, a in kept.items() if s[1] == GRAD})
    second.seek(len(second.plan))
    grads = {name: float(second.slots[name, GRAD]) for name in "abtc"}
    assert grads == {"a": 24.0 if fresh else 72.0, "b": 12.0, "t": 2.0, "c": 1.0}
    into_a = [c for r in second.records for c in r.contributions if c.target == "a"]
    assert [c.first for c in into_a] == [fresh, False]


def test_an_unreached_leaf_keeps_what_it_has() -> None:
    graph = Graph()
    a = graph.leaf("parameter", "a", ())
    graph.leaf("parameter", "idle", ())
    use(graph, "square", a, name="y")
    walk = stepper(graph, {"a": 1.0, "idle": 1.0}, {("idle", GRAD): np.array(7.0)})
    walk.seek(len(walk.plan))
    assert walk.slots["idle", GRAD] == 7.0
