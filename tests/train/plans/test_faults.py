"""What is broken on purpose breaks as it does elsewhere, and is repaired as it is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import LimitError
from app.engine.types import GRAD, VALUE
from app.sessions.views import frame_view, plan_view
from app.train.plans.faults import LEAF_ERROR
from tests.train.plans.specs import NETWORK, end, run_of

FAN_OUT: dict[str, Any] = {
    "program": "b = a + a\nt = 3*b\nc = b*t",
    "values": {"a": 1.0},
    "parameters": ["a"],
}
NAIVE = {"fault": {"type": "naive_recursion"}}


def in_place(spec: dict[str, Any], node: str, **more: Any) -> dict[str, Any]:
    return spec | {"fault": {"type": "in_place", "node": node, **more}}


def test_naive_recursion_gives_36_instead_of_24() -> None:
    assert end(run_of(FAN_OUT))["a", GRAD] == 24
    broken = run_of(FAN_OUT | NAIVE)
    slots = end(broken)
    assert slots["a", GRAD] == 36
    walk = [step.node for step in broken.plan(0) if step.phase == "backward"]
    assert walk == ["c", "b", "t", "b"]


def micrograd(children: dict[str, tuple[str, ...]], local: dict[tuple[str, str], float]) -> float:
    """The proposal itself: pass on what has come in, then let every child do the same."""
    grad = dict.fromkeys("abct", 0.0) | {"c": 1.0}

    def visit(name: str) -> None:
        for child in children[name]:
            grad[child] += local[name, child] * grad[name]
        for child in dict.fromkeys(children[name]):
            visit(child)

    visit("c")
    return grad["a"]


def test_it_is_what_the_proposal_computes_in_either_order() -> None:
    """Local derivatives at a = 1: b = 2, t = 6."""
    local = {("c", "b"): 6.0, ("c", "t"): 2.0, ("t", "b"): 3.0, ("b", "a"): 1.0}
    one: dict[str, tuple[str, ...]] = {"c": ("b", "t"), "t": ("b",), "b": ("a", "a"), "a": ()}
    assert micrograd(one, local) == 36
    assert micrograd(one | {"c": ("t", "b")}, local) == 48
    swapped = FAN_OUT | {"program": "b = a + a\nt = 3*b\nc = t*b"} | NAIVE
    assert end(run_of(swapped))["a", GRAD] == 48


def test_where_no_paths_meet_recursion_is_right() -> None:
    chain = NETWORK | NAIVE
    a, b = end(run_of(chain)), end(run_of(NETWORK))
    assert all(np.array_equal(a[key], b[key]) for key in b if key[1] == GRAD)


def test_a_recursion_that_never_ends_is_refused() -> None:
    lines = ["a0 = w + w"] + [f"a{i + 1} = a{i} + a{i} * a{i}" for i in range(12)]
    with pytest.raises(LimitError, match="visits"):
        run_of({"program": "\n".join(lines), "values": {"w": 0.1}} | NAIVE)


# Each message is what PyTorch 2 says to the same network (the class names as they were until 2.12).


def test_an_output_that_is_needed() -> None:
    run = run_of(in_place(NETWORK, "1.a"))
    plan = run.plan(0)
    last = plan_view(run, 0)[-1]
    assert (last["phase"], last["node"]) == ("backward", "1.a") and len(plan) == last["index"] + 1
    frame = frame_view(run, 0, last["index"])
    assert frame["error"]["type"] == "RuntimeError"
    assert frame["error"]["message"].startswith(
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.DoubleTensor [12, 4]], which is output 0 of TanhBackward0, is at "
        "version 1; expected version 0 instead."
    )
    assert frame["writes"] == [] and frame["contributions"] == []
    assert "update" not in [step.phase for step in plan]
    assert run.slots(0, len(plan))["1.a", "version"] == 1


def test_an_operand_that_is_needed() -> None:
    run = run_of(in_place(NETWORK, "1.a", after="2.z"))
    view = plan_view(run, 0)[-1]
    assert view["node"] == "2.z"
    assert "output 0 of AddBackward0" in view["error"]


def test_a_value_that_nobody_needs_may_be_overwritten() -> None:
    """tanh keeps its output: its input may change before it is read, and the gradient is right."""
    broken = run_of(in_place(NETWORK, "0.z"))
    assert [step.phase for step in broken.plan(0)].count("in_place") == 1
    assert broken.plan(0)[-1].phase == "update"
    repaired = run_of(in_place(NETWORK, "0.z", repaired=True))
    a, b = end(broken), end(repaired)
    for node in repaired.graph(0).kind("parameter"):
        assert np.array_equal(a[node.name, GRAD], b[node.name, GRAD])


def test_a_parameter_cannot_be_overwritten_at_all() -> None:
    run = run_of(in_place(NETWORK, "0.weight"))
    plan = plan_view(run, 0)
    assert plan[-1]["error"] == LEAF_ERROR and plan[-1]["phase"] == "in_place"
    run.train(3)
    assert np.isnan(run.history.train_loss[0])


def test_the_repaired_walk_goes_through_and_its_gradient_is_the_slope() -> None:
    run = run_of(in_place(NETWORK, "1.a", repaired=True))
    slots = end(run)
    w = run.slots(0, 0)["0.weight", VALUE]
    h = 1e-6
    for index in np.ndindex(*w.shape):
        ends = []
        for step in (h, -h):
            moved = w.copy()
            moved[index] += step
            ends.append(run.loss(0, {"0.weight": moved}))
        np.testing.assert_allclose(
            slots["0.weight", GRAD][index], (ends[0] - ends[1]) / (2 * h), rtol=1e-5, atol=1e-9
        )


def test_a_walk_that_stopped_stops_again_and_moves_nothing() -> None:
    run = run_of(in_place(NETWORK, "1.a"))
    run.train(5)
    first, later = run.slots(0, 0), run.slots(5, 0)
    for node in run.graph(0).kind("parameter"):
        assert np.array_equal(first[node.name, VALUE], later[node.name, VALUE])
    assert len(set(run.history.train_loss)) == 1
