"""Every check of the doctor on a run that is sick in just this way, on the same run healed by the
first cure that is offered, and on healthy ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.lab.cures import CURES
from app.lab.doctor import CHECKS, Finding, examine, report
from app.lab.evidence import Evidence
from app.lab.lanes import merged
from app.lab.sweep import sweep
from app.lessons import lessons
from app.train.run import Run
from app.train.spec import parse_spec
from tests.lessons.named import STOPPED_AT_ONCE

Spec = dict[str, Any]


def net(*widths: int, bend: str = "tanh", end: str | None = None, outputs: int = 1) -> Spec:
    layers: list[Spec] = []
    for width in widths:
        layers += [{"type": "linear", "out_features": width}, {"type": bend}]
    layers.append({"type": "linear", "out_features": outputs})
    return {"layers": [*layers, *([{"type": end}] if end else [])]}


def moons(*widths: int, lr: float = 0.5, bend: str = "tanh", **more: Any) -> Spec:
    return {
        "model": net(*widths, bend=bend),
        "loss": {"type": "bce_with_logits"},
        "data": {"dataset": "moons", "samples": 100, "noise": 0.1},
        "optimizer": {"type": "sgd", "lr": lr},
        "seed": 1,
        **more,
    }


SINE = {"dataset": "sine", "samples": 60, "noise": 0.05}
BOWL = {"program": "L = x**2", "values": {"x": 3}}
METHODS: list[Spec] = [
    {"accumulate": 4},
    {"checkpoint": 2},
    {"regularisation": {"l2": 0.1}},
    {"precision": {"type": "float16", "loss_scale": 8}},
    {"optimizer": None},
    {"forward_mode": {"node": "0.bias", "index": [0]}},
    {"fault": {"type": "in_place", "node": "1.a"}},
    {"clip": {"max_norm": 0.1}},
]
GENTLE = (
    "x-plus-2-squared gradient-descent neuron network-2-2-1 network-2-3-1 relu-sigmoid-network "
    "batch-norm-by-hand convolution-by-hand attention-by-hand bptt-three-steps residual"
).split()
RNG = np.random.default_rng(0)
WIDE = (RNG.normal(size=(40, 2)) * [1.0, 300.0] + [0.0, 900.0]).round(3).tolist()
NOISE = RNG.normal(size=(24, 4)).round(3).tolist()
COIN = (RNG.random(24) < 0.5).astype(float)[:, None].tolist()

SICK: dict[str, tuple[Spec, int]] = {
    "vanishing": (moons(*[6] * 10, bend="sigmoid"), 20),
    "exploding": (moons(8, lr=0.5, loss="mse", data=SINE, optimizer={"type": "sgd", "lr": 5}), 60),
    "dead_relu": (
        moons(12, bend="relu", parameters={"0.bias": [-9.0] * 8 + [0.1] * 4}),
        10,
    ),
    "saturation": (moons(12, init={"type": "normal", "std": 12}), 10),
    "oscillation": ({**BOWL, "optimizer": {"type": "sgd", "lr": 0.98}}, 30),
    "too_slow": ({**BOWL, "optimizer": {"type": "sgd", "lr": 0.0005}}, 60),
    "plateau": (moons(4, init="zeros", lr=0.1), 200),
    "overfitting": (
        moons(
            32,
            lr=0.05,
            data={"inputs": NOISE, "targets": COIN, "validation": 0.4},
            optimizer={"type": "adam", "lr": 0.05},
        ),
        150,
    ),
    "underfitting": (
        moons(loss="mse", lr=0.3, data={"dataset": "xor", "samples": 80, "noise": 0.02}),
        200,
    ),
    "forgotten_zero_grad": (moons(8, zero_grad=False), 10),
    "unnormalised_input": (
        moons(8, lr=0.01, data={"inputs": WIDE, "targets": [[0.0], [1.0]] * 20}),
        5,
    ),
    "symmetric_init": (moons(8, init={"type": "constant", "value": 0.3}), 20),
    "wrong_loss": (moons(loss="mse", model=net(8, end="sigmoid")), 5),
}
HEALTHY: dict[str, tuple[Spec, int]] = {
    "moons": (moons(8), 300),
    "at the start": (moons(8), 0),
    "after one": (moons(8), 1),
    "batches": (moons(8, 8, bend="relu", lr=0.2, batch_size=20, shuffle=True), 250),
    "sine": (moons(16, lr=0.1, loss="mse", data=SINE), 400),
    "adam": (
        moons(
            12,
            data={"dataset": "circle", "samples": 200, "validation": 0.3},
            optimizer={"type": "adam", "lr": 0.02},
            batch_size=30,
        ),
        200,
    ),
    "bowl": ({**BOWL, "optimizer": {"type": "sgd", "lr": 0.1}}, 60),
    "deep": (moons(*[10] * 8, bend="relu", init="kaiming_uniform", lr=0.05), 150),
}


def found(spec: Spec, iterations: int) -> dict[str, Finding]:
    run = Run(parse_spec(spec))
    return {finding.check.name: finding for finding in examine(run, iterations)}


def test_every_check_has_a_sick_run() -> None:
    assert set(SICK) == set(CHECKS)
    for check in CHECKS.values():
        assert check.title and check.source and check.looks_at and set(check.cures) <= set(CURES)


@pytest.mark.parametrize("name", SICK)
def test_a_sick_run_is_found_out(name: str) -> None:
    spec, iterations = SICK[name]
    finding = found(spec, iterations)[name]
    check, sign = finding.check, finding.sign
    assert sign.says.endswith(".") and finding.cures
    assert sign.iteration <= iterations
    limit = check.threshold if sign.threshold is None else sign.threshold
    passed = sign.measured > limit if check.above else sign.measured < limit
    assert passed, check.compared(sign)


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_found_in_a_healthy_run(name: str) -> None:
    assert found(*HEALTHY[name]) == {}


@pytest.mark.parametrize("name", SICK)
def test_a_cure_heals(name: str) -> None:
    """At least one of those offered takes the finding away, run as a lane would run it."""
    spec, iterations = SICK[name]
    run = Run(parse_spec(spec))
    finding = next(f for f in examine(run, iterations) if f.check.name == name)
    healed = [
        cure.name
        for cure in finding.cures
        if (cure.changes is None and cure.until is not None and name not in found(spec, cure.until))
        or (cure.changes is not None and name not in found(merged(spec, cure.changes), iterations))
    ]
    assert healed, [cure.name for cure in finding.cures]


def test_cures_are_lanes() -> None:
    spec, iterations = SICK["dead_relu"]
    (finding,) = [f for f in found(spec, iterations).values() if f.check.name == "dead_relu"]
    lanes = [cure.changes for cure in finding.cures if cure.changes]
    assert len(lanes) >= 4
    assert len(sweep(spec, [{"lr": 0.5}, *lanes], 5)) == len(lanes) + 1


def test_the_first_number_that_is_not_finite_has_a_place_and_a_reason() -> None:
    spec = {"program": "L = exp(w*x)", "values": {"w": 3, "x": 2}, "parameters": ["w"]}
    up = {**spec, "program": "L = -exp(w*x)", "optimizer": {"type": "sgd", "lr": 1.0}}
    finding = found(up, 4)["exploding"]
    run = Run(parse_spec(up))
    sign = finding.sign
    assert sign.node is not None and sign.step is not None and "float64" in sign.says
    stepper = run.stepper(sign.iteration)
    stepper.seek(sign.step)
    assert all(
        np.isfinite(v).all() for (n, s), v in stepper.slots.items() if s in ("value", "grad")
    )
    record = stepper.step()
    assert any(v is not None and not np.isfinite(v).all() for v in record.writes.values())
    log = {"program": "L = log(x)", "values": {"x": 0.5}, "optimizer": {"type": "sgd", "lr": 0.1}}
    assert "log has no value at −" in found(log, 6)["exploding"].sign.says


def test_it_looks_where_the_gradient_shrinks() -> None:
    sign = found(*SICK["vanishing"])["vanishing"].sign
    assert sign.node == "0.weight" and sign.layer == "0" and sign.measured < 1e-3
    run = Run(parse_spec(SICK["vanishing"][0]))
    assert sign.step is not None
    assert run.plan(sign.iteration)[sign.step].phase == "backward"


def test_dead_units_are_counted() -> None:
    sign = found(*SICK["dead_relu"])["dead_relu"].sign
    assert sign.measured == pytest.approx(8 / 12)
    assert sign.says.startswith("8 of 12 units")


def test_a_recurrent_layer_is_one_place() -> None:
    sequence = [[[9.0]] * 5, [[-9.0]] * 5]
    spec = {
        "model": {
            "layers": [
                {"type": "rnn", "hidden_size": 3, "return_sequences": False},
                {"type": "linear", "out_features": 1},
            ]
        },
        "loss": "mse",
        "init": {"type": "normal", "std": 5},
        "data": {"inputs": sequence, "targets": [[0.5], [0.1]]},
        "seed": 1,
    }
    finding = found(spec, 3)["saturation"]
    assert finding.sign.says.endswith(" So it is in 4 more places of this layer.")
    assert [f.check.name for f in examine(Run(parse_spec(spec)), 3)].count("saturation") == 1


def test_the_way_is_that_of_the_weights_as_they_stand() -> None:
    """Read without walking, edits by hand included."""
    run = Run(parse_spec(moons(4)))
    run.train(6)
    run.set_value(4, "0.bias", np.full(4, 0.5))
    evidence = Evidence(run, 6)
    for iteration in range(7):
        slots = run.slots(iteration, 0)
        parts = [slots[n.name, "value"].reshape(-1) for n in run.graph(0).kind("parameter")]
        np.testing.assert_array_equal(evidence._flat(iteration), np.concatenate(parts))


def test_changes_by_hand_count() -> None:
    run = Run(parse_spec(moons(8)))
    run.train(10)
    run.configure(4, zero_grad=False)
    (finding,) = examine(run, 10)
    assert (finding.check.name, finding.sign.iteration) == ("forgotten_zero_grad", 4)
    run.configure(4, zero_grad=True)
    assert examine(run, 10) == []


def test_a_look_changes_nothing() -> None:
    spec, iterations = SICK["exploding"]
    run, other = Run(parse_spec(spec)), Run(parse_spec(spec))
    before = dict(run.slots(3, 2))
    first = report(run, iterations)
    assert first["findings"] and report(run, iterations)["findings"] == first["findings"]
    other.train(iterations)
    np.testing.assert_array_equal(other.history.train_loss, run.history.train_loss[:iterations])
    after = run.slots(3, 2)
    assert set(after) == set(before)
    assert all(np.array_equal(after[slot], before[slot]) for slot in before)


def test_the_report() -> None:
    told = report(Run(parse_spec(moons(8, 8))), 40)
    assert told["verdict"] == "Nothing found: all 13 checks are passed."
    assert [row["name"] for row in told["checks"]] == list(CHECKS)
    vitals = told["vitals"]
    assert vitals["iterations"] == [0, 10, 20, 30, 40]
    assert [layer["node"] for layer in vitals["layers"]] == ["0.weight", "2.weight", "4.weight"]
    look = vitals["layers"][0]["looks"][0]
    assert 0 < look["update_ratio"] < 1 and sum(look["outputs"]["counts"]) == 800


@pytest.mark.parametrize("lesson", [id for id in lessons() if id not in STOPPED_AT_ONCE])
def test_every_lesson_can_be_examined(lesson: str) -> None:
    told = report(Run(parse_spec(lessons()[lesson].spec)), 7)
    assert told["verdict"] and told["vitals"]["iterations"][-1] == 7


@pytest.mark.parametrize("lesson", GENTLE)
def test_nothing_is_found_in_a_gentle_lesson(lesson: str) -> None:
    assert found(lessons()[lesson].spec, 200) == {}


SICK_LESSONS = {
    "rate-too-small": (100, "too_slow"),
    "rate-oscillating": (20, "oscillation"),
    "rate-too-large": (30, "exploding"),
    "vanishing-ten-layers": (100, "vanishing"),
    "exploding-nan": (20, "exploding"),
    "dead-relu": (10, "dead_relu"),
    "init-zeros": (100, "symmetric_init"),
    "init-alike": (100, "symmetric_init"),
    "inputs-unscaled": (100, "unnormalised_input"),
    "softmax-twice": (10, "wrong_loss"),
    "relu-killed": (10, "dead_relu"),
    "underfitting": (200, "underfitting"),
    "overfitting": (200, "overfitting"),
}


def test_what_a_lesson_about_a_mistake_is_about_is_found() -> None:
    assert set(found(lessons()["forgotten-zero-grad"].spec, 200)) == {"forgotten_zero_grad"}
    for lesson, (iterations, check) in SICK_LESSONS.items():
        assert check in found(lessons()[lesson].spec, iterations), lesson


def test_a_link_to_the_doctor_leads_to_a_finding() -> None:
    links = [link.href for lesson in lessons().values() for link in lesson.links]
    asked = [href for href in links if "?doctor#at=" in href]
    assert len(asked) >= 8
    for href in asked:
        lesson, _, at = href.removeprefix("/walk/").partition("?doctor#at=")
        assert found(lessons()[lesson].spec, int(at.partition(".")[0])), href


@pytest.mark.parametrize("more", METHODS, ids=lambda more: next(iter(more)))
def test_every_plan_can_be_examined(more: Spec) -> None:
    told = report(Run(parse_spec({**moons(4, 4), **more})), 3)
    assert {f["check"] for f in told["findings"]} <= {"too_slow", "underfitting"}
