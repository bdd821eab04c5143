"""Penalties on the weights that come, change and go while a run goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.types import GRAD, VALUE
from app.train.run import Run
from app.train.spec import parse_spec
from tests.train.specs import hidden

SPEC: dict[str, Any] = {
    "model": hidden(3),
    "loss": "mse",
    "data": {"dataset": "plane", "samples": 24},
    "optimizer": {"type": "sgd", "lr": 0.1},
    "batch_size": 8,
    "shuffle": True,
}
CHANGES: list[tuple[int, Any]] = [(7, {"l2": 0.1}), (15, {"l2": 0.3, "l1": 0.05}), (20, None)]


def changed_run() -> Run:
    run = Run(parse_spec(SPEC))
    for iteration, penalty in CHANGES:
        run.train(iteration)
        run.configure(iteration, regularisation=penalty)
    return run


def test_the_gradient_has_the_penalty_from_then_on() -> None:
    run, plain = changed_run(), Run(parse_spec(SPEC))
    ends = {i: [s.phase for s in run.plan(i)].index("update") for i in (6, 7, 15, 20)}
    for iteration, penalty in CHANGES[:2]:
        slots = dict(run.slots(iteration, ends[iteration]))
        w = slots["0.weight", VALUE]
        bare = _bare(run, iteration)
        added = penalty["l2"] * w + penalty.get("l1", 0.0) * np.sign(w)
        assert slots["0.weight", GRAD] == pytest.approx(bare + added)
    assert "l2.lambda" not in run.graph(6).nodes and "l2.lambda" in run.graph(7).nodes
    assert "l2.lambda" not in run.graph(20).nodes
    plain.train(7)
    assert list(run.history.train_loss[:7]) == list(plain.history.train_loss[:7])


def _bare(run: Run, iteration: int) -> Any:
    """The gradient of that batch's loss at those parameters, without a penalty."""
    slots, feed = run.slots(iteration, 0), run.problem.feed(iteration)
    alone = {
        **SPEC,
        "data": {"inputs": feed["input"].tolist(), "targets": feed["target"].tolist()},
        "parameters": {
            n.name: slots[n.name, VALUE].tolist() for n in run.graph(0).kind("parameter")
        },
    }
    bare = Run(parse_spec(alone))
    plan = [s.phase for s in bare.plan(0)]
    return bare.slots(0, plan.index("update"))["0.weight", GRAD]


def test_full_speed_and_steps_agree_across_the_changes() -> None:
    fast, slow = changed_run(), changed_run()
    fast.train(30)
    for iteration in range(31):
        slow.slots(iteration, 0)
    assert list(fast.history.train_loss) == list(slow.history.train_loss)
    for iteration in (3, 7, 10, 15, 17, 20, 25, 30):  # back in time
        ours, theirs = fast.slots(iteration, 0), slow.slots(iteration, 0)
        for name in ("0.weight", "2.bias"):
            assert np.array_equal(ours[name, VALUE], theirs[name, VALUE])


def test_a_rate_that_is_dragged_costs_no_replay() -> None:
    run = Run(parse_spec(SPEC))
    run.train(40)
    before = run.slots(40, 0)["0.weight", VALUE].copy()
    run.configure(40, lr=0.2)
    assert 40 in run._snapshots
    run.train(50)
    again = Run(parse_spec(SPEC))
    again.configure(40, lr=0.2)
    again.train(50)
    assert list(run.history.train_loss) == list(again.history.train_loss)
    assert np.array_equal(run.slots(40, 0)["0.weight", VALUE], before)
