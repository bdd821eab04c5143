"""The range test: its rates, its reading, and that its interval holds what it promises."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine.errors import BackstepError
from app.lab.range_test import range_test
from app.lab.sweep import sweep
from tests.lab.test_doctor import moons

BOWL = {"program": "L = x**2", "values": {"x": 3}}


def test_rates_climb_evenly_in_their_logarithm() -> None:
    found = range_test(BOWL, low=1e-3, high=1e1, iterations=41)
    assert found.lr[0] == 1e-3 and found.lr[-1] == pytest.approx(10)
    assert found.lr[10] == pytest.approx(1e-2) and len(found.loss) == 41


def test_on_the_bowl_it_climbs_above_the_limit() -> None:
    """x² has the curvature 2, so the limit is a rate of 1."""
    found = range_test(BOWL, low=1e-4, high=100, iterations=300)
    assert found.interval is not None and found.diverges is not None
    assert 1e-4 < found.interval[0] < found.interval[1] < 1.0
    assert 0.5 < found.diverges < 20


@pytest.mark.parametrize("more", [{}, {"batch_size": 20, "shuffle": True}], ids=str)
def test_its_interval_is_worth_trying(more: dict[str, Any]) -> None:
    spec = moons(8, **more)
    found = range_test(spec, low=1e-4, high=100, iterations=200)
    assert found.interval is not None
    middle = (found.interval[0] * found.interval[1]) ** 0.5
    lanes = sweep(spec, [{"lr": 1e-4}, {"lr": middle}, {"lr": 100}], 200)
    assert lanes[1].final < min(lanes[0].final, lanes[2].final) and lanes[1].final < 0.6


def test_where_nothing_falls() -> None:
    flat = {"program": "L = 0*x + 5", "values": {"x": 1}}
    found = range_test(flat, iterations=20)
    assert found.interval is None and "not fall" in found.says
    broken = {"program": "L = log(x)", "values": {"x": -1}}
    assert range_test(broken, iterations=20).interval is None


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"low": 0.0}, "high"),
        ({"low": 2.0, "high": 1.0}, "high"),
        ({"low": 1e-5, "high": 1e308}, "high"),
        ({"iterations": 3}, "iterations"),
        ({"iterations": 10**7}, "iterations"),
    ],
)
def test_what_cannot_be_tested(more: dict[str, Any], where: str) -> None:
    with pytest.raises(BackstepError) as error:
        range_test(BOWL, **more)
    assert error.value.where == where
