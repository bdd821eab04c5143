"""Small random graphs, in which nodes are used once, often or never: the gradient is the slope, and
any walk through the plan ends where a straight one does."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.engine.graph import Graph
from app.engine.op import OPS
from app.engine.plan import forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array
from tests.engine.checks import same_bits
from tests.engine.walks import leaves, replayed, stepper, use

SMOOTH = ["add", "sub", "mul", "neg", "square", "tanh", "sigmoid", "softplus", "exp", "gelu"]
Case = tuple[Graph, dict[str, Any]]
steadily = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def graphs(draw: st.DrawFn) -> Case:
    """Two or three leaves of one shape, up to seven uses of ops on any nodes before, and a sum."""
    shape = draw(st.sampled_from([(), (2,), (2, 1)]))
    entries = st.floats(-1.5, 1.5, allow_subnormal=False, width=32)
    graph, values, nodes = Graph(), {}, []
    for name in ("a", "b", "c")[: draw(st.integers(2, 3))]:
        size = int(np.prod(shape))
        values[name] = np.array(draw(st.lists(entries, min_size=size, max_size=size)))
        values[name] = values[name].reshape(shape)
        nodes.append(graph.leaf(draw(st.sampled_from(["parameter", "input"])), name, shape))
    for _ in range(draw(st.integers(1, 7))):
        op = draw(st.sampled_from(SMOOTH))
        operands = [draw(st.sampled_from(nodes)) for _ in OPS[op].operands]
        nodes.append(use(graph, op, *operands))
    if shape:
        use(graph, "sum", nodes[-1])
    return graph, values


def output(graph: Graph, values: dict[str, Array]) -> float:
    walk = Stepper(forward_steps(graph), leaves(values), {}, {})
    walk.seek(len(walk.plan))
    return float(walk.slots[graph.output, VALUE])


@steadily
@given(graphs())
def test_gradient_is_the_slope(case: Case) -> None:
    graph, values = case
    walk = stepper(graph, values)
    walk.seek(len(walk.plan))
    assume(all(np.all(np.abs(array) < 1e3) for array in walk.slots.values()))
    h = 1e-5
    for name, value in values.items():
        for index in np.ndindex(*value.shape):
            ends = []
            for step in (h, -h):
                moved = value.copy()
                moved[index] += step
                ends.append(output(graph, {**values, name: moved}))
            slope = (ends[0] - ends[1]) / (2 * h)
            np.testing.assert_allclose(
                walk.slots[name, GRAD][index], slope, rtol=1e-4, atol=1e-5, err_msg=name
            )


@steadily
@given(graphs(), st.lists(st.integers(0, 30), max_size=8))
def test_any_walk_ends_where_a_straight_one_does(case: Case, turns: list[int]) -> None:
    graph, values = case
    walk, straight = stepper(graph, values), stepper(graph, values)
    states = [dict(straight.slots)]
    for _ in straight.plan:
        straight.step()
        states.append(dict(straight.slots))
    for turn in turns:
        walk.seek(turn % len(states))
        here = states[walk.position]
        assert walk.slots.keys() == here.keys()
        assert all(same_bits(walk.slots[slot], here[slot]) for slot in here)
    walk.seek(0)
    assert walk.slots.keys() == states[0].keys()


@steadily
@given(graphs())
def test_a_replay_gives_the_bits_of_stepping(case: Case) -> None:
    graph, values = case
    walk = stepper(graph, values)
    walk.seek(len(walk.plan))
    buffers = replayed(graph, values)
    assert buffers.keys() == walk.slots.keys()
    assert all(same_bits(buffers[slot], walk.slots[slot]) for slot in buffers)


@steadily
@given(graphs())
def test_each_gradient_is_the_sum_of_its_contributions(case: Case) -> None:
    graph, values = case
    walk = stepper(graph, values)
    walk.seek(len(walk.plan))
    told: dict[str, list[Array]] = {}
    for record in walk.records:
        for c in record.contributions:
            assert c.first == (c.target not in told)
            told.setdefault(c.target, []).append(c.value)
    for name, terms in told.items():
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        assert same_bits(np.asarray(total), np.asarray(walk.slots[name, GRAD]))
    idle = {n for n in values if n not in told}
    assert all(not np.any(walk.slots[name, GRAD]) for name in idle)
