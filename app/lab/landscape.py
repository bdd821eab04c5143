"""The loss on a plane through the weights, with the way that the run took over it.

The plane is spanned by two random directions, each filter of which is as long as the weights' own
(Li et al. 2018); by the first two principal directions of the trajectory; or by two chosen
parameters. Every point of the grid is one replay of recorded forward calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import real, whole
from app.engine.graph import PARAMETER
from app.engine.types import VALUE, Array
from app.lab.recorded import Recorded, recorded
from app.train.run import Run

PLANES = ("random", "trajectory", "parameters")
POINTS, MAX_POINTS = 25, 10_201
PATH = 60  # places of the way that are drawn, at most
MARGIN = 0.25  # of the way's extent, left free around it
SPAN = 1.0  # how far a random plane reaches: the filters' own lengths
AROUND = 1.0  # how far a plane reaches at least where the way is a point

Progress = Callable[[int, int], bool]
"""Called with points done and wanted; False ends the survey there."""


@dataclass(frozen=True)
class Plane:
    """w = centre + a·first + b·second; the grid covers these two ranges of a and b."""

    centre: Array
    first: Array
    second: Array
    a: tuple[float, float]
    b: tuple[float, float]
    names: tuple[str, str]
    explained: tuple[float, float] | None = None

    def place(self, weights: Array) -> tuple[float, float]:
        """The point of the plane that is nearest to these weights."""
        axes = np.column_stack([self.first, self.second])
        found, *_ = np.linalg.lstsq(axes, weights - self.centre, rcond=None)
        return float(found[0]), float(found[1])


@dataclass(frozen=True)
class Survey:
    """What a grid needs: the recorded loss, the plane, the way. It does not use the run any more,
    which may go on meanwhile.
    """

    f: Recorded
    plane: Plane
    path: list[dict[str, Any]]
    iteration: int
    points: int

    def grid(self, progress: Progress | None = None) -> dict[str, Any]:
        """Losses row by row: `loss[j][i]` is that at a[i], b[j]; None where it was ended early."""
        plane, n = self.plane, self.points
        a, b = np.linspace(*plane.a, n), np.linspace(*plane.b, n)
        rows: list[list[float] | None] = []
        with np.errstate(all="ignore"):
            for j in range(n):
                if progress is not None and not progress(j * n, n * n):
                    break
                row = plane.centre + b[j] * plane.second
                rows.append([self.f.loss(row + x * plane.first) for x in a])
            here = self.f.loss(plane.centre)
        done = len(rows)
        return {
            "iteration": self.iteration,
            "axes": list(plane.names),
            "explained": plane.explained and list(plane.explained),
            "a": a.tolist(),
            "b": b.tolist(),
            "loss": rows + [None] * (n - done),
            "complete": done == n,
            "here": {"a": 0.0, "b": 0.0, "loss": here},
            "path": self.path,
        }


def survey(
    run: Run,
    iteration: int,
    *,
    plane: str = "random",
    parameters: Any = None,
    points: int = POINTS,
    span: float = SPAN,
    seed: int = 0,
    max_points: int = MAX_POINTS,
) -> Survey:
    """Around the weights from which this iteration starts."""
    n = whole(points, "points", low=2)
    if n * n > max_points:
        raise LimitError(
            f"a landscape may have at most {max_points:,} points: {n}² is {n * n:,}", where="points"
        )
    if plane not in PLANES:
        raise BackstepError(f"must be one of {', '.join(PLANES)}: {plane!r}"[:200], where="plane")
    reach = real(span, "span")
    if not 0 < reach <= 1e6:
        raise BackstepError(f"must be above 0 and at most 1e6: {reach:g}", where="span")
    f = recorded(run, iteration)
    if f.start.size < 2:
        raise BackstepError(f"a plane needs at least two parameters: {f.start.size}", where="plane")
    if not np.isfinite(f.start).all():
        raise BackstepError(
            f"at iteration {iteration} the weights are no finite numbers any more",
            where="iteration",
        )
    track = _track(run, iteration, f)
    if plane == "random":
        found = _random(f, reach, seed)
    elif plane == "trajectory":
        found = _trajectory(f, track, reach)
    else:
        found = _chosen(f, track, parameters, reach)
    path = []
    for i, weights in track:
        a, b = found.place(weights)
        path.append({"iteration": i, "a": a, "b": b, "loss": f.loss(weights)})
    return Survey(f, found, path, iteration, n)


def _track(run: Run, iteration: int, f: Recorded) -> list[tuple[int, Array]]:
    """The weights at evenly spread iterations up to this one, as far as they are numbers."""
    count = min(PATH, iteration + 1)
    places = sorted({round(iteration * k / max(1, count - 1)) for k in range(count)} | {iteration})
    found = []
    for i in places:
        slots = run.slots(i, 0)
        weights = f.flat({node.name: slots[node.name, VALUE] for node in f.parameters})
        if np.isfinite(weights).all():
            found.append((i, weights))
    return found


def _random(f: Recorded, reach: float, seed: int) -> Plane:
    rng = np.random.default_rng([seed, 11])
    first, second = (_filter_normalised(f, rng.normal(size=f.start.size)) for _ in range(2))
    ranges = (-reach, reach)
    return Plane(f.start.copy(), first, second, ranges, ranges, ("random 1", "random 2"))


def _filter_normalised(f: Recorded, direction: Array) -> Array:
    """Each row of a matrix and each kernel as long as the weights' own; biases stay where they are,
    unless there is nothing else.
    """
    out = direction.copy()
    weights = f.parts(f.start)
    bare = all(part.ndim < 2 for part in weights.values())
    for name, part in f.parts(out).items():
        if part.ndim < 2 and not bare:
            part[...] = 0.0
            continue
        rows = part.reshape(len(part), -1) if part.ndim > 1 else part.reshape(1, -1)
        own = weights[name].reshape(rows.shape)
        length = np.linalg.norm(own, axis=1, keepdims=True)
        length = np.where(length > 0, length, 1.0)
        rows *= length / np.linalg.norm(rows, axis=1, keepdims=True)
    return out


def _trajectory(f: Recorded, track: list[tuple[int, Array]], reach: float) -> Plane:
    """Principal directions of the way, seen from its end."""
    way = np.array([weights - f.start for _, weights in track])
    if len(way) < 3:
        raise BackstepError(
            "the trajectory has no two directions yet: train for two iterations or more",
            where="plane",
        )
    _, values, axes = np.linalg.svd(way, full_matrices=False)
    squares = np.square(values)
    if not squares[0] > 0:
        raise BackstepError("the weights have not moved", where="plane")
    if len(values) < 2 or not values[1] > 1e-12 * values[0]:
        raise BackstepError(
            "the weights have moved along one line only: choose another plane", where="plane"
        )
    shares = squares / squares.sum()
    at = way @ axes[:2].T
    return Plane(
        f.start.copy(),
        axes[0],
        axes[1],
        _range(at[:, 0], reach),
        _range(at[:, 1], reach),
        ("principal 1", "principal 2"),
        (float(shares[0]), float(shares[1])),
    )


def _chosen(f: Recorded, track: list[tuple[int, Array]], given: Any, reach: float) -> Plane:
    """Two numbers of the parameters; a and b are how far they are moved."""
    if not isinstance(given, list) or len(given) != 2:
        raise BackstepError(
            'must be two places such as [{"node": "0.weight", "index": [0, 1]}, {"node": "b"}]',
            where="parameters",
        )
    numbers = np.arange(f.start.size, dtype=np.float64)
    places = [_place(f, numbers, each, f"parameters[{i}]") for i, each in enumerate(given)]
    if places[0][0] == places[1][0]:
        raise BackstepError("must be two different numbers", where="parameters")
    axes, ranges = [], []
    for at, _ in places:
        axis = np.zeros(f.start.size)
        axis[at] = 1.0
        axes.append(axis)
        ranges.append(_range(np.array([w[at] - f.start[at] for _, w in track]), reach))
    names = (places[0][1], places[1][1])
    return Plane(f.start.copy(), axes[0], axes[1], ranges[0], ranges[1], names)


def _place(f: Recorded, numbers: Array, given: Any, where: str) -> tuple[int, str]:
    """Where in the vector one number of a parameter stands, and what it is called."""
    if not isinstance(given, Mapping) or not set(given) <= {"node", "index"}:
        raise BackstepError(
            'must be an object such as {"node": "0.weight", "index": [0, 1]}', where=where
        )
    parts = f.parts(numbers)
    name, index = given.get("node"), given.get("index", [])
    if not isinstance(name, str) or name not in parts:
        raise BackstepError(
            f"there is no such {PARAMETER}: {str(name)[:80]!r}; there are {', '.join(parts)}"[:400],
            where=f"{where}.node",
        )
    part = parts[name]
    if not isinstance(index, list) or len(index) != part.ndim:
        raise BackstepError(
            f"{name} has the shape {list(part.shape)}: needs {part.ndim} numbers",
            where=f"{where}.index",
        )
    for k, (i, size) in enumerate(zip(index, part.shape, strict=True)):
        whole(i, f"{where}.index[{k}]", low=0, high=size - 1)
    at = int(part[tuple(int(i) for i in index)])
    return at, f"{name}[{', '.join(str(int(i)) for i in index)}]" if index else name


def _range(way: Array, reach: float) -> tuple[float, float]:
    """All of the way with some room around it, `reach` times as much as usual."""
    low, high = min(0.0, float(way.min())), max(0.0, float(way.max()))
    extent = high - low
    room = reach * (MARGIN * extent if extent > 0 else AROUND)
    if not math.isfinite(low - room) or not math.isfinite(high + room):
        raise BackstepError("the weights have run too far away to be drawn", where="plane")
    return low - room, high + room
