"""A run is a pure function of its spec and changes: stepped, replayed, sought and edited, its
numbers are the same bits."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from app.engine.types import GRAD, VALUE
from app.train.run import Run
from app.train.spec import parse_spec

LINEAR = {"type": "linear", "out_features": 3}
SHAPES: dict[str, dict[str, Any]] = {
    "one neuron": {
        "model": {"layers": [{"type": "linear", "out_features": 1}, "sigmoid"]},
        "loss": "half_squared_error",
        "data": {"inputs": [[1.0, 2.0]], "targets": [[1.0]]},
    },
    "mini-batches, the last one smaller": {
        "model": {"layers": [LINEAR, "tanh", {"type": "linear", "out_features": 1}]},
        "loss": "mse",
        "data": {"dataset": "plane", "samples": 11, "validation": 0.2},
        "batch_size": 4,
        "shuffle": True,
    },
    "classes and a residual": {
        "model": {
            "layers": [
                LINEAR,
                {"type": "residual", "layers": [LINEAR, {"type": "leaky_relu"}]},
                "gelu",
            ]
        },
        "loss": "cross_entropy",
        "data": {
            "inputs": [[0.1, 0.2], [0.5, -1.0], [2.0, 1.0], [1.0, 1.0]],
            "targets": [0, 2, 1, 1],
        },
    },
    "standardised pictures, shifted and jittered": {
        "model": {"layers": ["flatten", {"type": "linear", "out_features": 10}]},
        "loss": "cross_entropy",
        "data": {
            "dataset": "digits",
            "samples": 22,
            "validation": 0.3,
            "standardise": True,
            "augment": {"jitter": 0.2, "shift": 1},
        },
        "batch_size": 6,
        "shuffle": True,
    },
    "a program": {
        "program": "a = w*x + b\nL = mean((tanh(a) - 0.5)**2)",
        "values": {"w": 2, "x": [3, -1, 0.5], "b": 1},
        "parameters": ["w", "b"],
    },
}
EXTRAS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": {"type": "sgd", "lr": 0.1}},
    "momentum and decay": {
        "optimizer": {"type": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}
    },
    "adam, clipped by norm": {"optimizer": {"type": "adam", "lr": 0.05}, "clip": {"max_norm": 0.1}},
    "clipped by value, decaying rate": {
        "clip": {"clip_value": 0.05},
        "schedule": {"type": "step", "step_size": 7, "gamma": 0.5},
    },
    "without zero_grad": {"zero_grad": False, "optimizer": {"type": "sgd", "lr": 0.001}},
}
SPECS = {
    f"{shape}; {extra}": SHAPES[shape] | EXTRAS[extra]
    for shape, extra in itertools.product(SHAPES, EXTRAS)
}


def run_of(spec: dict[str, Any]) -> Run:
    return Run(parse_spec(spec))


def same(a: dict[Any, Any], b: dict[Any, Any]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


@pytest.mark.parametrize("name", SPECS)
def test_stepped_and_full_speed_are_bit_identical(name: str) -> None:
    fast, stepped = run_of(SPECS[name]), run_of(SPECS[name])
    fast.train(70)
    for i in range(70):
        stepped.stepper(i).seek(len(stepped.plan(i)))
        stepped.slots(i + 1, 0)
    assert fast.history.table() == stepped.history.table()
    assert same(fast.slots(70, 0), stepped.slots(70, 0))
    assert len(fast.history) == 70


@pytest.mark.parametrize("name", SPECS)
def test_any_moment_is_reached_again_exactly(name: str) -> None:
    one, other = run_of(SPECS[name]), run_of(SPECS[name])
    of = len(one.plan(0))
    moments = [(40, 3), (0, of), (39, of), (7, of - 1), (65, 0), (2, 5)]
    seen = {moment: dict(one.slots(*moment)) for moment in moments}
    one.train(90)
    for moment in reversed(moments):
        assert same(one.slots(*moment), seen[moment])
        assert same(other.slots(*moment), seen[moment])


def test_the_end_of_an_iteration_is_the_start_of_the_next() -> None:
    run = run_of(SPECS["one neuron; sgd"])
    assert same(dict(run.slots(3, len(run.plan(3)))), dict(run.slots(4, 0)))


def test_memory_is_bounded_over_thousands_of_iterations() -> None:
    run = run_of(SPECS["one neuron; sgd"])
    run.train(20_000)
    assert len(run._snapshots) <= 64
    early = run.slots(1234, 5)[("0.weight", VALUE)]
    again = run_of(SPECS["one neuron; sgd"])
    assert np.array_equal(again.slots(1234, 5)[("0.weight", VALUE)], early)


@pytest.mark.parametrize("name", ["one neuron; sgd", "a program; adam, clipped by norm"])
def test_an_edit_starts_its_iteration_anew_and_drops_the_later_past(name: str) -> None:
    run = run_of(SPECS[name])
    parameter = next(n for n in run.graph(0).nodes.values() if n.kind == "parameter")
    run.train(30)
    before = run.slots(12, 4)[(parameter.name, VALUE)]
    run.set_value(12, parameter.name, np.full(parameter.shape, 0.25))
    assert np.all(run.slots(12, 0)[(parameter.name, VALUE)] == 0.25)
    assert len(run.history) <= 12
    assert not np.array_equal(before, run.slots(12, 4)[(parameter.name, VALUE)])
    run.train(30)
    again = run_of(SPECS[name])
    again.set_value(12, parameter.name, np.full(parameter.shape, 0.25))
    again.train(30)
    assert same(run.slots(30, 0), again.slots(30, 0))
    assert run.history.table() == again.history.table()


@pytest.mark.parametrize(
    "name",
    ["mini-batches, the last one smaller; momentum and decay", "a program; without zero_grad"],
)
def test_former_weights_taken_up_again_are_a_pure_function(name: str) -> None:
    runs = [run_of(SPECS[name]) for _ in range(3)]
    straight, late, stepped = runs
    parameter = straight.graph(0).kind("parameter")[0].name
    straight.restore(600, 260)
    straight.train(900)
    late.train(900)
    late.restore(600, 260)
    for run in (late, stepped):
        assert len(run.history) <= 600
    stepped.restore(600, 260)
    late.train(900)
    for i in range(590, 610):
        stepped.slots(i, 2)
    there = [run.slots(600, 0)[parameter, VALUE] for run in runs]
    former = straight.slots(260, 0)[parameter, VALUE]
    assert all(np.array_equal(value, former) for value in there)
    assert not np.array_equal(former, straight.slots(599, 0)[parameter, VALUE])
    assert straight.history.table() == late.history.table()
    for i in (601, 609):
        assert same(dict(straight.slots(i, 0)), dict(stepped.slots(i, 0)))
    straight.configure(400, lr=0.2)
    assert straight.restored == {}, "an edit in the past drops it"


def test_an_edited_input_stays_for_the_iterations_after() -> None:
    run = run_of(SPECS["one neuron; sgd"])
    run.train(5)
    run.set_value(5, "input", np.array([[3.0, 4.0]]))
    assert run.slots(4, 1)[("input", VALUE)].tolist() == [[1.0, 2.0]]
    assert run.slots(9, 1)[("input", VALUE)].tolist() == [[3.0, 4.0]]


def test_zero_grad_can_be_switched_off_and_on_while_running() -> None:
    spec = SPECS["one neuron; sgd"]
    fast, stepped = run_of(spec), run_of(spec)
    for run in (fast, stepped):
        run.configure(10, zero_grad=False)
    assert [s.phase for s in fast.plan(9)].count("zero_grad") == 1
    assert [s.phase for s in fast.plan(10)].count("zero_grad") == 0
    fast.train(25)
    for i in range(26):
        stepped.slots(i, 0)
    assert same(fast.slots(25, 0), stepped.slots(25, 0))
    with_it = run_of(spec).slots(11, 0)[("0.weight", GRAD)]
    assert np.abs(fast.slots(11, 0)[("0.weight", GRAD)]).sum() > np.abs(with_it).sum() * 1.5


def test_a_new_learning_rate_counts_from_its_iteration_on() -> None:
    run = run_of(SPECS["one neuron; sgd"])
    run.configure(3, lr=0.5)
    run.train(6)
    assert run.history.table()["lr"] == [0.1, 0.1, 0.1, 0.5, 0.5, 0.5]


def test_validation_loss_comes_at_the_end_of_each_epoch() -> None:
    run = run_of(SPECS["mini-batches, the last one smaller; sgd"])
    batches = run.problem.batches
    assert batches is not None and batches.count == 3 and batches.size(2) == 1
    run.train(7)
    known = [v is not None for v in run.history.table()["validation_loss"]]
    assert known == [False, False, True, False, False, True, False]


SCRIPT = """
import hashlib
from app.train.run import Run
from app.train.spec import parse_spec
run = Run(parse_spec({spec!r}))
run.train(50)
slots = run.slots(50, 6)
print(hashlib.sha256(b"".join(slots[k].tobytes() for k in sorted(slots))).hexdigest())
"""


@pytest.mark.parametrize(
    "shape", ["mini-batches, the last one smaller", "standardised pictures, shifted and jittered"]
)
def test_two_processes_compute_the_same_bytes(shape: str) -> None:
    spec = SPECS[f"{shape}; adam, clipped by norm"]
    script = SCRIPT.format(spec=spec)
    outs = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(outs) == 1 and len(outs.pop()) == 65


def test_what_is_remembered_of_a_large_network_stays_as_it_was() -> None:
    """Its copies lie in memory that is used again, but not while somebody looks at them."""
    hidden = [{"type": "linear", "out_features": 200}, "tanh"]
    spec = {
        "model": {"layers": [*hidden, *hidden, {"type": "linear", "out_features": 1}]},
        "loss": "bce_with_logits",
        "optimizer": {"type": "adam", "lr": 0.01},
        "data": {"dataset": "moons", "samples": 10},
    }
    run, looked = run_of(spec), []
    for iteration in range(1, 12):
        run.train(iteration)
        looked.append(run.carried(iteration))
    for iteration, seen in enumerate(looked, 1):
        fresh = run_of(spec)
        fresh.train(iteration)
        assert same(fresh.carried(iteration), seen)
        assert same(run.carried(iteration), seen)
