"""Whatever the plan: stepped, at full speed or reached again, the bits are the same."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from app.engine.errors import BackstepError
from tests.train.plans.specs import CLASSES, NETWORK, PROGRAM, run_of, same

METHODS: dict[str, dict[str, Any]] = {
    "micro-batches": {"accumulate": 3},
    "micro-batches of changing samples": {"accumulate": 2, "batch_size": 4, "shuffle": True},
    "micro-batches without zero_grad": {"accumulate": 2, "zero_grad": False},
    "checkpoints": {"checkpoint": 1},
    "half precision": {"precision": {"type": "float16"}},
    "half precision, overflowing": {
        "precision": {"type": "float16", "loss_scale": 2.0**30, "growth_interval": 3}
    },
    "half precision, unscaled": {"precision": {"type": "float16", "loss_scale": None}},
    "penalties": {"regularisation": {"l1": 0.01, "l2": 0.1}},
    "recursion": {"fault": {"type": "naive_recursion"}},
    "all at once": {
        "accumulate": 2,
        "checkpoint": 2,
        "precision": {"loss_scale": 2.0**24, "growth_interval": 4},
        "regularisation": {"l2": 0.01},
        "clip": {"max_norm": 0.5},
        "optimizer": {"type": "adamw", "lr": 0.02},
    },
}
SPECS = {
    f"{shape}; {method}": spec | METHODS[method]
    for (shape, spec), method in itertools.product(
        {"network": NETWORK, "classes": CLASSES, "program": PROGRAM}.items(), METHODS
    )
    if shape != "program" or not {"accumulate", "batch_size"} & METHODS[method].keys()
}
ITERATIONS = 25


@pytest.mark.parametrize("name", SPECS)
def test_stepped_and_full_speed_are_bit_identical(name: str) -> None:
    fast, stepped = run_of(SPECS[name]), run_of(SPECS[name])
    fast.train(ITERATIONS)
    for i in range(ITERATIONS):
        stepped.slots(i + 1, 0)
    assert str(fast.history.table()) == str(stepped.history.table())
    assert same(fast.slots(ITERATIONS, 0), stepped.slots(ITERATIONS, 0))


@pytest.mark.parametrize("name", SPECS)
def test_any_moment_is_reached_again_exactly(name: str) -> None:
    one, other = run_of(SPECS[name]), run_of(SPECS[name])
    of = len(one.plan(0))
    moments = [(17, of // 2), (0, of), (2, of - 1), (9, 0)]
    seen = {moment: dict(one.slots(*moment)) for moment in moments}
    one.train(ITERATIONS)
    for moment in reversed(moments):
        assert same(one.slots(*moment), seen[moment])
        assert same(other.slots(*moment), seen[moment])


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"accumulate": 5}, "accumulate"),
        ({"accumulate": 0}, "accumulate"),
        ({"checkpoint": ["nowhere"]}, "checkpoint"),
        ({"checkpoint": 0}, "checkpoint"),
        ({"precision": "float8"}, "precision.type"),
        ({"precision": {"loss_scale": -1}}, "precision.loss_scale"),
        ({"regularisation": {}}, "regularisation"),
        ({"regularisation": {"l3": 1}}, "regularisation.l3"),
        ({"fault": {"type": "in_place"}}, "fault.node"),
        ({"fault": {"type": "in_place", "node": "nowhere"}}, "fault.node"),
        ({"fault": {"type": "in_place", "node": "loss"}}, "fault.node"),
        ({"fault": {"type": "typo"}}, "fault"),
        ({"fault": {"type": "naive_recursion"}, "checkpoint": 1}, "fault"),
    ],
)
def test_errors_name_the_field(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(BackstepError) as error:
        run_of(NETWORK | wrong)
    assert error.value.where == where
