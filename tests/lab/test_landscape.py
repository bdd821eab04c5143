"""Landscapes against losses taken one by one, and the geometry of their planes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.lab.common_ground import common_ground
from app.lab.landscape import Survey, landscape, survey
from app.train.run import Run
from app.train.spec import parse_spec
from tests.lab.test_doctor import moons
from tests.lab.test_sharpness import BOWL

PAIR = [{"node": "0.weight", "index": [0, 1]}, {"node": "2.bias", "index": [0]}]


def run_of(spec: dict[str, Any]) -> Run:
    return Run(parse_spec(spec))


def at(found: Survey, a: float, b: float) -> dict[str, Any]:
    plane = found.plane
    return found.f.parts(plane.centre + a * plane.first + b * plane.second)


@pytest.mark.parametrize(
    "more", [{}, {"plane": "trajectory"}, {"plane": "parameters", "parameters": PAIR}], ids=str
)
def test_every_point_is_the_run_s_own_loss(more: dict[str, Any]) -> None:
    run = run_of(moons(4))
    found = survey(run, 12, points=3, **more)
    told = found.grid()
    assert told["complete"] and len(told["loss"]) == 3
    for j, b in enumerate(told["b"]):
        for i, a in enumerate(told["a"]):
            assert told["loss"][j][i] == pytest.approx(run.loss(12, at(found, a, b)), rel=1e-12)
    assert told["here"]["loss"] == pytest.approx(run.loss(12), rel=1e-12)
    assert told["path"][-1]["iteration"] == 12
    assert abs(told["path"][-1]["a"]) + abs(told["path"][-1]["b"]) < 1e-9


def test_filters_are_as_long_as_the_weights_own() -> None:
    found = survey(run_of(moons(4)), 3)
    for direction in (found.plane.first, found.plane.second):
        parts, own = found.f.parts(direction), found.f.parts(found.plane.centre)
        for name in ("0.weight", "2.weight"):
            lengths = np.linalg.norm(parts[name], axis=1)
            np.testing.assert_allclose(lengths, np.linalg.norm(own[name], axis=1))
        assert not parts["0.bias"].any()


def test_the_way_lies_on_the_plane_of_its_principal_directions() -> None:
    """A bowl has two parameters: two directions explain everything."""
    told = survey(run_of(BOWL), 20, plane="trajectory", points=5).grid()
    assert sum(told["explained"]) == pytest.approx(1.0)
    run = run_of(BOWL)
    run.train(21)
    for place in told["path"]:
        assert place["loss"] == pytest.approx(run.history.train_loss[place["iteration"]])
        assert told["a"][0] <= place["a"] <= told["a"][-1]
        assert told["b"][0] <= place["b"] <= told["b"][-1]


def test_chosen_parameters_are_moved_by_a_and_b() -> None:
    pair = [{"node": "x"}, {"node": "y"}]
    told = survey(run_of(BOWL), 4, plane="parameters", parameters=pair, points=4).grid()
    assert told["axes"] == ["x", "y"]
    run = run_of(BOWL)
    x, y = (float(run.slots(4, 0)[name, "value"]) for name in "xy")
    x, y = x + told["a"][1], y + told["b"][2]
    assert told["loss"][2][1] == pytest.approx(3 * x * x + 0.5 * y * y + x * y)


def test_it_is_the_same_each_time_and_moves_nothing() -> None:
    run = run_of(moons(4))
    before = dict(run.slots(5, 3))
    first = survey(run, 9, points=4).grid()
    assert survey(run_of(moons(4)), 9, points=4).grid() == first
    after = run.slots(5, 3)
    assert all(np.array_equal(after[slot], before[slot]) for slot in before)
    assert survey(run, 9, points=4, seed=1).grid() != first


def test_it_can_be_ended() -> None:
    seen: list[tuple[int, int]] = []

    def progress(done: int, of: int) -> bool:
        seen.append((done, of))
        return len(seen) < 3

    told = survey(run_of(moons(4)), 0, points=6).grid(progress)
    assert seen == [(0, 36), (6, 36), (12, 36)]
    assert (
        not told["complete"] and [row is None for row in told["loss"]] == [False] * 2 + [True] * 4
    )


def test_a_run_that_broke_is_refused_in_words() -> None:
    run = run_of({**BOWL, "optimizer": {"type": "sgd", "lr": 9}})
    with pytest.raises(BackstepError, match="finite"):
        survey(run, 2000)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"plane": "flat"}, "plane"),
    ({"points": 1}, "points"),
    ({"points": 5000}, "points"),
    ({"span": 0}, "span"),
    ({"plane": "trajectory"}, "plane"),
    ({"plane": "parameters"}, "parameters"),
    ({"plane": "parameters", "parameters": [{"node": "0.weight"}] * 2}, "parameters[0].index"),
    ({"plane": "parameters", "parameters": [{"node": "q"}] * 2}, "parameters[0].node"),
    ({"plane": "parameters", "parameters": [PAIR[0], PAIR[0]]}, "parameters"),
    (
        {"plane": "parameters", "parameters": [PAIR[1], {"node": "0.weight", "index": [9, 0]}]},
        "parameters[1].index[0]",
    ),
]


@pytest.mark.parametrize(("more", "where"), WRONG)
def test_what_cannot_be_drawn(more: dict[str, Any], where: str) -> None:
    with pytest.raises(BackstepError) as error:
        survey(run_of(moons(4)), 0, **more)
    assert error.value.where == where


def test_one_parameter_makes_no_plane() -> None:
    with pytest.raises(BackstepError, match="at least two"):
        survey(run_of({"program": "L = x**2", "values": {"x": 1}}), 0)


def test_points_cost_little_more_than_a_loop_by_hand() -> None:
    """Generous, since other work goes on beside it; the benchmark is stricter."""
    found = survey(run_of(moons(8)), 0, points=60)
    batches = run_of(moons(8)).problem.batches
    assert batches is not None
    x, t = batches.inputs, batches.targets

    def by_hand() -> float:
        started = time.perf_counter()
        for _ in range(3600):
            p = found.f.parts(found.f.start)
            z = np.tanh(x @ p["0.weight"].T + p["0.bias"]) @ p["2.weight"].T + p["2.bias"]
            float(np.mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))))
        return time.perf_counter() - started

    def ours() -> float:
        started = time.perf_counter()
        found.grid()
        return time.perf_counter() - started

    assert min(ours() for _ in range(3)) < 2.0 * min(by_hand() for _ in range(3))


def test_one_number_gives_a_curve_and_ranges_are_kept() -> None:
    bowl = {"program": "L = x**2", "values": {"x": 3}}
    told = landscape(bowl, {"lr": 0.5}, 1, {"plane": "parameters", "parameters": [{"node": "x"}],
                                            "points": 5, "ranges": [[-2, 2], [0, 0]]})  # fmt: skip
    assert told["a"] == [-2, -1, 0, 1, 2] and told["b"] == [0] and told["axes"][0] == "x"
    assert told["loss"] == [[4, 1, 0, 1, 4]]  # η = 0.5 has led to 0 in one step
    assert [place["a"] for place in told["path"]] == [3, 0]


@pytest.mark.parametrize(
    ("ranges", "where"),
    [
        ([[0, 1]], "ranges"),
        ([[1, 0], [0, 1]], "ranges[0]"),
        ([[0, 1], [0, 1e99]], "ranges[1]"),
        ([[0, 1], [0]], "ranges[1]"),
    ],
)
def test_ranges_that_are_none(ranges: Any, where: str) -> None:
    with pytest.raises(BackstepError) as told:
        survey(run_of(BOWL), 0, ranges=ranges)
    assert told.value.where == where


def test_lanes_share_one_ground_and_one_that_is_thrown_out_leaves_it() -> None:
    spec = moons(4)
    lanes = [{"lr": 0.1}, {"optimizer": {"type": "adam", "lr": 0.05}}, {"lr": 1e300}]
    told = common_ground(spec, lanes, 40, 5)
    slow, adam, lost = told["paths"]
    assert slow[0] == adam[0] == lost[0] and len(lost) < len(slow)
    assert max(abs(slow[0]["a"]), abs(slow[0]["b"])) < 1e-9, "the start is the middle"
    for path, lane in ((slow, lanes[0]), (adam, lanes[1])):
        alone = landscape(spec, lane, 40, {"points": 2})
        assert path[-1]["iteration"] == 40
        assert path[-1]["loss"] == pytest.approx(alone["here"]["loss"], rel=1e-12)
        for place in path:
            assert told["a"][0] < place["a"] < told["a"][-1]
            assert told["b"][0] < place["b"] < told["b"][-1]
    assert len(told["loss"]) == 5 and told["complete"] and 0.5 < sum(told["explained"]) <= 1
    other = {"model": moons(5)["model"]}
    for wrong, where in (([lanes[0], other], "lanes[1]"), ([], "lanes"), ([lanes[2]], "lanes")):
        with pytest.raises(BackstepError) as refused:
            common_ground(spec, wrong, 40, 5)
        assert refused.value.where == where
