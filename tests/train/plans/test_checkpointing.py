"""Checkpointing changes when values are there, never what they are; memory falls, work rises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import BackstepError
from app.engine.plan import backward_steps, forward_steps
from app.engine.types import GRAD, VALUE
from app.train.iteration import iteration_plan
from app.train.plans.checkpointing import Checkpoint, checkpointed, layers_of
from app.train.plans.memory import account, memory_view
from tests.train.plans.specs import CLASSES, NETWORK, PROGRAM, end, linear, run_of, same

DEEP: dict[str, Any] = NETWORK | {
    "model": {"layers": [layer for _ in range(8) for layer in (linear(16), "tanh")] + [linear(1)]}
}
WAYS = [1, 2, 3, 5, 100]


def gradients_and_updates(spec: dict[str, Any]) -> dict[Any, Any]:
    run = run_of(spec)
    leaves = {n.name for n in run.graph(0).nodes.values() if n.op is None}
    run.train(10)
    return {slot: v for slot, v in end(run, 10).items() if slot[0] in leaves or slot[1] == GRAD}


@pytest.mark.parametrize(
    "spec", [NETWORK, CLASSES, PROGRAM, DEEP], ids=["net", "ce", "text", "deep"]
)
@pytest.mark.parametrize("every", WAYS)
def test_same_bits_as_the_plain_plan(spec: dict[str, Any], every: int) -> None:
    deep = max(layers_of(run_of(spec).graph(0)).values()) + 1
    checkpoint = {"checkpoint": min(every, deep)}
    assert same(gradients_and_updates(spec | checkpoint), gradients_and_updates(spec))


def test_named_nodes_stay_and_others_are_released() -> None:
    run = run_of(NETWORK | {"checkpoint": ["1.a", "5.a"]})
    plan = run.plan(0)
    phases = [step.phase for step in plan]
    ends = phases.index("loss")
    slots = run.slots(0, ends + 1)
    there = {name for name, slot in slots if slot == VALUE}
    assert {"1.a", "5.a", "6.z", "loss"} <= there
    assert not {"0.z", "2.z", "3.a", "4.z"} & there
    again = [step.node for step in plan if step.phase == "recompute"]
    assert again == ["2.z", "3.a", "4.z", "0.z"]


def test_recomputed_values_are_the_ones_that_were_released() -> None:
    run = run_of(DEEP | {"checkpoint": 4})
    stepper = run.stepper(0)
    stepper.seek(len(stepper.plan))
    values: dict[str, Any] = {}
    seen = 0
    for step, record in zip(stepper.plan, stepper.records, strict=True):
        value = record.writes.get((step.node or "", VALUE))
        if step.phase == "forward":
            values[step.node or ""] = value
        if step.phase == "recompute":
            seen += 1
            assert np.array_equal(value, values[step.node or ""])
    assert seen >= 8


def test_the_peak_is_lower_and_the_root_of_the_depth_is_a_good_choice() -> None:
    plain = account_of(DEEP)
    peaks = {every: account_of(DEEP | {"checkpoint": every}).peak for every in (1, 2, 4, 8)}
    assert peaks[4] < 0.7 * plain.peak
    assert peaks[4] <= min(peaks.values()) * 1.2
    assert plain.live[0] == 0 and plain.live[-1] == 0
    assert min(plain.live) >= 0


def account_of(spec: dict[str, Any]) -> Any:
    run = run_of(spec)
    return account(run.graph(0), run.plan(0))


def test_the_plain_plans_memory_is_what_backward_still_needs() -> None:
    """tanh needs its output, a linear layer its input: 8 bytes each, until their step is done."""
    spec = PROGRAM | {"program": "a = tanh(w)\nb = tanh(a)\nL = tanh(b)", "values": {"w": 1}}
    run = run_of(spec | {"parameters": ["w"]})
    phases = [step.phase for step in run.plan(0)]
    assert phases[2:8] == ["forward", "forward", "loss", "backward", "backward", "backward"]
    live = account(run.graph(0), run.plan(0)).live
    assert live[2:8] == (8, 16, 24, 16, 8, 0)


def test_float16_values_take_a_quarter() -> None:
    wide, half = account_of(DEEP), account_of(DEEP | {"precision": {"loss_scale": None}})
    assert half.peak < 0.45 * wide.peak


def test_the_view_gives_both_series() -> None:
    view = memory_view(run_of(DEEP | {"checkpoint": 4}), 0)
    assert len(view["plan"]["bytes"]) == len(view["plan"]["phases"])
    assert view["plan"]["peak"] < view["plain"]["peak"]
    assert view["recomputed"] == sum(1 for p in view["plan"]["phases"] if p == "recompute") > 0
    assert view["plain"]["peak"] == max(view["plain"]["bytes"])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["tanh", "sigmoid", "relu", "gelu", "residual", "linear"]),
        min_size=1,
        max_size=7,
    ),
    st.integers(1, 4),
    st.integers(0, 1000),
)
def test_random_networks(kinds: list[str], every: int, seed: int) -> None:
    made: dict[str, Any] = {
        "linear": linear(2),
        "residual": {"type": "residual", "layers": ["tanh", linear(2)]},
    }
    layers = [made.get(kind, kind) for kind in kinds] + [linear(1)]
    spec = NETWORK | {"model": {"layers": layers}, "seed": seed}
    plain, other = run_of(spec), run_of(spec | {"checkpoint": min(every, len(layers))})
    a, b = end(plain, 2), end(other, 2)
    keys = [key for key in a if key[1] in (GRAD, VALUE) and key in b]
    assert {key for key in a if key[1] == GRAD} <= set(keys)
    assert all(np.array_equal(a[key], b[key]) for key in keys)


@pytest.mark.parametrize(
    ("spec", "most"), [(NETWORK, "7, the number of layers"), (PROGRAM, "the number of computed")]
)
def test_no_further_apart_than_the_graph_is_deep(spec: dict[str, Any], most: str) -> None:
    with pytest.raises(BackstepError, match=f"must be at most .*{most}.*: 100") as refused:
        run_of(spec | {"checkpoint": 100})
    assert refused.value.where == "checkpoint"


def test_one_segment_is_the_plain_plan() -> None:
    graph = run_of(NETWORK).graph(0)
    assert checkpointed(graph, Checkpoint(100)) == forward_steps(graph) + backward_steps(graph)
    assert iteration_plan(graph, None)
