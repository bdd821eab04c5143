"""Every schedule: equal to PyTorch's or to the formula of the guides, and errors in words."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from app.engine.errors import BackstepError
from app.render.template import Template
from app.train.schedules import SCHEDULES, Schedule, parse_schedule
from tests.train import cases

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "optimizers.json").read_text("utf-8"))


def made(spec: Any) -> Schedule:
    schedule = parse_schedule(spec)
    assert schedule is not None
    return schedule


@pytest.mark.parametrize("row", GOLDEN["schedules"], ids=lambda row: json.dumps(row["schedule"]))
def test_equals_pytorch(row: dict[str, Any]) -> None:
    rates = made(row["schedule"]).curve(row["base"], len(row["lr"]))
    assert rates == pytest.approx(row["lr"], rel=1e-12, abs=1e-15)


def test_the_golden_values_cover_the_table() -> None:
    assert [row["schedule"] for row in GOLDEN["schedules"]] == cases.SCHEDULES
    assert {spec["type"] for spec in cases.SCHEDULES} == set(SCHEDULES)


GUIDES = {
    "step": ({"step_size": 4, "gamma": 0.5}, lambda t: 0.5 ** (t // 4)),
    "exponential": ({"decay_rate": 0.05}, lambda t: math.exp(-0.05 * t)),
    "cosine": ({"T_max": 30}, lambda t: 0.5 * (1 + math.cos(t / 30 * math.pi))),
    "warmup": ({"warmup_steps": 4}, lambda t: [0.25, 0.5, 0.75, 1.0][min(t, 3)]),
    "constant": ({}, lambda t: 1.0),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_guides_formulas(name: str) -> None:
    arguments, formula = GUIDES[name]
    schedule = made({"type": name, **arguments})
    for t in range(31):
        assert schedule.lr(0.3, t) == pytest.approx(0.3 * formula(t), rel=1e-12, abs=1e-15)


def test_cosine_stays_at_its_end() -> None:
    schedule = made({"type": "cosine", "T_max": 10, "eta_min": 0.01})
    assert schedule.lr(0.5, 0) == 0.5
    assert {schedule.lr(0.5, t) for t in (10, 11, 20, 10**9)} == {0.01}


def test_a_rate_that_grows_beyond_all_numbers_is_infinite() -> None:
    assert made({"type": "exponential", "gamma": 10}).lr(0.1, 10**6) == math.inf
    assert made({"type": "exponential", "decay_rate": 1}).lr(0.1, 10**6) == 0.0


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_catalogue_row_is_complete(name: str) -> None:
    cls = SCHEDULES[name]
    assert cls.summary and Template(cls.formula)
    assert all(row["summary"] for row in cls.arguments())
    schedule = made({"type": name, **GUIDES[name][0], "per": "epoch"})
    assert schedule.per == "epoch"
    assert made(json.loads(json.dumps(schedule.spec))) == schedule


@pytest.mark.parametrize(
    ("spec", "where", "words"),
    [
        ({"type": "linear"}, "schedule.type", "constant, step, exponential, cosine, warmup"),
        ("step", "schedule.step_size", "missing: 'step_size'"),
        ({"type": "step", "step_size": 0}, "schedule.step_size", "at least 1: 0"),
        ({"type": "step", "step_size": 2.5}, "schedule.step_size", "whole number: 2.5"),
        ({"type": "cosine", "T_max": 0}, "schedule.T_max", "at least 1"),
        ({"type": "cosine", "t_max": 5}, "schedule.t_max", "accepted: per, T_max, eta_min"),
        ({"type": "exponential"}, "schedule", "either gamma or decay_rate"),
        ({"type": "exponential", "gamma": 0.9, "decay_rate": 0.1}, "schedule", "not both"),
        ({"type": "exponential", "gamma": "x"}, "schedule.gamma", "number: 'x'"),
        ({"type": "warmup", "warmup_steps": 5, "per": "day"}, "schedule.per", "iteration, epoch"),
        ({"type": "constant", "per": ["epoch"]}, "schedule.per", "text"),
    ],
)
def test_errors_say_what_would_be_accepted(spec: Any, where: str, words: str) -> None:
    with pytest.raises(BackstepError) as caught:
        made(spec)
    assert words in caught.value.message and caught.value.where == where
