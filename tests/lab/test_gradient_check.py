"""The gradient check: right rules pass, a wrong one is found, kinks are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.ops.activation import Tanh
from app.lab.gradient_check import MAX_ENTRIES, GradientCheck, as_json, gradient_check
from app.lessons import Lesson, lessons
from app.train.run import Run
from app.train.spec import parse_spec
from tests.train.plans.specs import NETWORK


def check(program: str, values: dict[str, Any], **options: Any) -> GradientCheck:
    return gradient_check(Run(parse_spec({"program": program, "values": values})), 0, **options)


# Entries whose slope is 0 or nearly so: what is measured there is mostly noise and the bend beside.
HARD_TO_MEASURE = {
    "convolution-by-hand": 1e-5,
    "bptt-three-steps": 1e-4,
    "truncated-bptt": 1e-5,
    "float16-underflow": 1e-5,
    "loss-scaling": 1e-5,
    "transformer-block": 1e-4,
    "digits-cnn": 1e-5,
    "regression-10-64-1": 1e-5,
    "digits": 1e-5,
    "overfitting-dropout": 1e-5,
    "vanishing-chain": 1e-5,
    "vanishing-ten-layers": 1e-5,
    "vanishing-batch-norm": 1e-5,
    "augmentation": 1e-5,
    "one-batch-first": 1e-5,
    "eight-lines": 1e-5,
}
RIGHT = [lesson for lesson in lessons().values() if "fault" not in lesson.spec]


@pytest.mark.parametrize("lesson", RIGHT, ids=lambda lesson: lesson.id)
def test_every_lesson_is_right_now_and_after_training(lesson: Lesson) -> None:
    run = Run(parse_spec(lesson.spec))
    for iteration in (0, 7):
        run.train(iteration)
        found = gradient_check(run, iteration)
        assert found.ok and found.worst < HARD_TO_MEASURE.get(lesson.id, 1e-6), found.verdict
        assert min(found.total, MAX_ENTRIES) == len(found.entries) >= 1
        assert "agree" in found.verdict


def test_every_parameter_and_input_entry_is_tried() -> None:
    found = check("L = sum((W@x + b)**2)", {"W": [[1, 2], [3, 4]], "x": [0.5, -1], "b": 0.25})
    places = [("W", [i, j]) for i in (0, 1) for j in (0, 1)] + [("x", [0]), ("x", [1]), ("b", [])]
    assert [(entry.node, entry.index) for entry in found.entries] == places
    assert found.entries[0].automatic == pytest.approx(2 * -1.25 * 0.5)
    assert found.entries[0].numerical == pytest.approx(2 * -1.25 * 0.5)
    assert found.verdict.startswith("All 7 gradients agree with the measured slope")


def test_a_wrong_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Any, k: Any, g: Any, y: Any, x: Any, dx: Any) -> None:
        k(np.multiply, g, y, dx)

    monkeypatch.setattr(Tanh, "vjp", wrong)
    found = check("L = sum(tanh(x))", {"x": [0.5, 1.0]})
    assert not found.ok and found.worst > 0.1
    assert found.verdict.startswith("2 of 2 gradients differ from the measured slope. Worst is x[")
    assert [entry.ok for entry in found.entries] == [False, False]


@pytest.mark.parametrize(
    ("program", "x", "kinks"),
    [
        ("L = sum(relu(x))", [1.0, 0.0, -1.0], [None, "u_1", None]),
        ("L = sum(relu(x - 1)**2)", [1.000001, 3.0, 0.0], ["u_2", None, None]),
        ("L = sum(leaky_relu(x, 0.1))", [0.0, 1.0, 2.0], ["u_1", None, None]),
        ("L = sum(elu(x, 2))", [0.0, 1.0, 2.0], ["u_1", None, None]),
        ("L = sum(elu(x))", [0.0, 1.0, 2.0], [None, None, None]),
        ("L = sum(abs(x))", [0.0, 1.0, -2.0], ["u_1", None, None]),
        ("L = max(x)", [2.0, 1.0, 2.0], ["L", None, "L"]),
        ("L = sum(max(reshape(x, 1, 3), axis=1))", [2.0, 1.0, 2.0], ["u_2", None, "u_2"]),
        ("L = sum(maximum(x, 1))", [2.0, 1.0, 0.0], [None, "u_1", None]),
        ("L = sum(where(x > 1, x, 0))", [2.0, 1.0, 0.0], [None, "u_1", None]),
        ("L = mae(x, 1)", [2.0, 1.0, 0.0], [None, "L", None]),
    ],
)
def test_a_kink_is_named_and_no_fault(program: str, x: list[float], kinks: list[Any]) -> None:
    found = check(program, {"x": x})
    assert [entry.kink for entry in found.entries] == kinks
    assert found.ok
    count = sum(kink is not None for kink in kinks)
    told = "1 entry moves" if count == 1 else f"{count} entries move"
    assert (told in found.verdict) == (count > 0)


def test_large_and_tiny_numbers_are_measured_fairly() -> None:
    assert check("L = (w*x + b)**2", {"w": 2e6, "x": 3e-3, "b": 5e4}).ok
    assert check("L = exp(-x)", {"x": 40.0}).ok
    assert check("L = 0*x", {"x": 1.0}).worst == 0
    assert check("L = sum(sigmoid(x))", {"x": [30.0, -30.0, 0.0]}).ok


def test_no_number_no_verdict() -> None:
    found = check("L = log(x)", {"x": -1.0})
    assert not found.ok and "NaN" in found.verdict
    assert "no slope to compare" in check("L = x/y", {"x": 1.0, "y": 0}).verdict
    spec = {"program": "L = 2*3", "values": {}}
    assert gradient_check(Run(parse_spec(spec)), 0).ok


def test_many_entries_are_sampled_evenly() -> None:
    found = check("L = sum(x*x)", {"x": [float(i) for i in range(300)]}, max_entries=50)
    assert len(found.entries) == 50 and found.total == 300
    assert found.entries[0].index == [0] and found.entries[-1].index == [299]
    assert "50 of 300 entries were tried" in found.verdict


def test_clipping_and_kept_gradients_are_left_out_and_the_run_stays() -> None:
    spec = {
        "program": "L = (w*x + b)**2",
        "values": {"w": 1, "x": 2, "b": 3},
        "clip": {"type": "norm", "max_norm": 0.1},
        "zero_grad": False,
    }
    run = Run(parse_spec(spec))
    run.train(5)
    before = {slot: value.copy() for slot, value in run.slots(5, 0).items()}
    assert gradient_check(run, 5).ok
    after = run.slots(5, 0)
    assert all(np.array_equal(after[slot], value) for slot, value in before.items())
    assert run.history.train_loss[:5] and len(run.history) == 5


def test_the_batch_and_edits_of_the_iteration_are_used() -> None:
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": 1}]},
        "loss": {"type": "mse"},
        "data": {"inputs": [[1.0], [2.0], [3.0]], "targets": [[2.0], [4.0], [9.0]]},
        "batch_size": 2,
        "parameters": {"0.weight": [[1.0]], "0.bias": [0.0]},
    }
    run = Run(parse_spec(spec))
    assert len(gradient_check(run, 0).entries) == 4
    assert len(gradient_check(run, 1).entries) == 3
    run.set_value(0, "0.weight", np.array([[5.0]]))
    found = {entry.node: entry for entry in gradient_check(run, 0).entries}
    assert found["0.weight"].automatic == pytest.approx((3 * 1 + 6 * 2) * 1.0)


def test_epsilon_and_json() -> None:
    assert check("L = x**3", {"x": 1.0}, epsilon=1e-3).epsilon == 1e-3
    for epsilon in (0.0, 1.0, float("nan")):
        with pytest.raises(BackstepError, match="1e-9 to 0.1"):
            check("L = x**3", {"x": 1.0}, epsilon=epsilon)
    told = as_json(check("L = x**3", {"x": 1.0}))
    assert told["entries"][0].keys() >= {"node", "index", "automatic", "numerical", "ok"}


def test_a_cut_in_time_is_no_fault() -> None:
    spec = lessons()["truncated-bptt"].spec
    found = gradient_check(Run(parse_spec(spec)), 0)
    before_the_cut = [e for e in found.entries if e.node == "input" and e.automatic == 0.0]
    assert before_the_cut and all(e.numerical == 0.0 for e in before_the_cut)
    assert found.ok


@pytest.mark.parametrize(
    "method",
    [
        {"accumulate": 3},
        {"accumulate": 2, "precision": "float16"},
        {"precision": {"loss_scale": None}},
        {"checkpoint": 1, "regularisation": {"l1": 0.01, "l2": 0.1}},
        {"optimizer": None, "forward_mode": {"node": "0.weight"}},
        {"data": {"dataset": "plane", "samples": 2}, "scalars": True},
        {"fault": {"type": "in_place", "node": "0.z", "repaired": True}},
        {"fault": {"type": "in_place", "node": "0.z"}},
    ],
    ids=str,
)
def test_other_plans_are_right(method: dict[str, Any]) -> None:
    run = Run(parse_spec({**NETWORK, **method}))
    for iteration in (0, 2):
        found = gradient_check(run, iteration)
        assert found.ok and len(found.entries) == found.total >= 40, found.verdict


def test_the_recursion_is_found_out() -> None:
    found = gradient_check(Run(parse_spec(lessons()["naive-recursion"].spec)), 0)
    (entry,) = found.entries
    assert not found.ok and entry.automatic == 36 and entry.numerical == pytest.approx(24)


def test_a_walk_that_stops_is_not_right() -> None:
    spec = {**NETWORK, "fault": {"type": "in_place", "node": "1.a"}}
    found = gradient_check(Run(parse_spec(spec)), 0)
    assert not found.ok and found.verdict.startswith("An error stops this walk")
    assert all(entry.ok for entry in found.entries)
