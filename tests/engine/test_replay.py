"""Recorded calls in a loop: as one straight function, or one by one where there are too many; both
fill what changes before every iteration, and compute what the calls themselves compute."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from app.engine import replay as module
from app.engine.replay import replay, straight, taken
from tests.engine.checks import same_bits

WAYS = pytest.mark.parametrize("longest", [4_000, 0], ids=["straight", "one by one"])


def product() -> tuple[list[partial[Any]], dict[str, np.ndarray]]:
    """y = tanh(x · w) · rate; loss = Σ y²."""
    rng = np.random.default_rng(5)
    a = {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=(2, 4)), "rate": np.array(0.5)}
    a |= {"y": np.zeros((3, 2)), "loss": np.zeros(())}
    flat = a["y"].reshape(-1)
    calls = [
        partial(np.dot, a["x"], a["w"].T, a["y"]),
        partial(np.maximum, a["y"], np.array(-0.5), out=a["y"]),
        partial(np.multiply, a["y"], a["rate"], a["y"]),
        partial(np.dot, flat, flat, a["loss"]),
    ]
    return calls, a


@WAYS
def test_every_row_is_filled_in_before_its_iteration(
    longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", longest)
    calls, a = product()
    rows = [(0.25, np.full((3, 4), 0.5)), (2.0, np.eye(3, 4))]
    run = straight(calls, a["loss"].item, a["rate"].item, [a["rate"], a["x"]])
    losses: list[float] = []
    rates: list[float] = []
    run(iter(rows), losses, rates)
    assert rates == [0.25, 2.0]
    expected = []
    for rate, x in rows:
        y = np.maximum(x @ a["w"].T, -0.5) * rate
        expected.append(float((y**2).sum()))
    np.testing.assert_allclose(losses, expected, rtol=1e-12)


@WAYS
@pytest.mark.parametrize("one", [True, False], ids=["one buffer", "none"])
def test_few_buffers_or_none_may_change(
    longest: int, one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", longest)
    calls, a = product()
    run = straight(calls, a["loss"].item, a["rate"].item, [a["rate"]] if one else [])
    rates: list[float] = []
    run([(1.0,), (3.0,)] if one else range(2), [], rates)
    assert rates == ([1.0, 3.0] if one else [0.5, 0.5])


@pytest.mark.parametrize("batch", [1, 2, 32])
def test_the_straight_form_gives_the_bits_of_the_calls(batch: int) -> None:
    """A product is called in a shorter way there."""
    rng = np.random.default_rng(batch)
    x, w, g = (rng.normal(size=shape) for shape in ((batch, 5), (3, 5), (batch, 3)))
    pairs = [(x, w.T), (g.T, x), (g, w), (np.ones(batch), g), (x.reshape(-1), x.reshape(-1))]
    outs = [np.zeros(np.shape(np.dot(a, b))) for a, b in pairs]
    calls = [partial(np.dot, a, b, out) for (a, b), out in zip(pairs, outs, strict=True)]
    replay(calls)
    plain = [out.copy() for out in outs]
    straight(calls, float, float)(range(1), [], [])
    assert all(same_bits(a, b) for a, b in zip(outs, plain, strict=True))


@pytest.mark.parametrize("names", [(), ("b",), ("b", "a")])
def test_entries_are_taken_in_the_order_asked_for(names: tuple[str, ...]) -> None:
    known = {"a": 1, "b": 2, "c": 3}
    assert taken(names)(known) == tuple(known[name] for name in names)
