"""What a vjp is said not to need may hold anything: the gradient stays the same to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.graph import Graph
from app.engine.jvp import flows_of
from app.engine.needs import needed, needs, saved_slots, value_bytes
from app.engine.op import OPS, Op, Sample, make
from app.engine.plan import Backward, Forward
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array
from tests.engine import checks
from tests.engine.walks import network

CASES = [
    pytest.param(make(name, sample.attrs), sample, id=f"{name}-{number}")
    for name, op_class in OPS.items()
    for number, sample in enumerate(op_class.samples())
    if op_class.rules
]


def spoilt(array: Array) -> Array:
    return np.full_like(array, np.nan) if array.dtype.kind == "f" else np.zeros_like(array)


@pytest.mark.parametrize(("op", "sample"), CASES)
def test_the_rest_may_hold_anything(op: Op, sample: Sample) -> None:
    graph = Graph()
    leaves = [
        graph.leaf("input", f"x{i}", x.shape, dtype=x.dtype) for i, x in enumerate(sample.operands)
    ]
    node = graph.add(op, *leaves, name="y")
    start: dict[Any, Array] = {(f"x{i}", VALUE): x for i, x in enumerate(sample.operands)}
    grads: list[dict[int, Array]] = []
    for spoil in (False, True):
        walk = Stepper([Forward(node), Backward(node, flows_of(graph, node))], start, {}, {})
        walk.step()
        walk.slots["y", GRAD] = checks.upstream(op, sample.operands)
        if spoil:
            for name in {*node.inputs, "y"} - needed(graph, node):
                walk.slots[name, VALUE] = spoilt(walk.slots[name, VALUE])
        record = walk.step()
        grads.append({c.operand: c.value for c in record.contributions})
        kept = {slot for name, slot in walk.slots if name == "y" and slot.startswith("saved.")}
        assert kept == set(saved_slots(graph, node))
    assert grads[0].keys() == grads[1].keys()
    assert all(checks.same_bits(grads[0][i], grads[1][i]) for i in grads[0])


def test_of_the_network() -> None:
    graph, _ = network()
    assert needed(graph, graph["z"]) == {"x", "w1"}
    assert needed(graph, graph["h"]) == {"h"}
    assert needs(graph, graph["loss"]).saved == (("saved.difference", 16),)
    assert value_bytes(graph["h"]) == 2 * 3 * 8
