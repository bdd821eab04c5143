"""Planes through the weights: spanned by two random directions, each filter of which is as long as
the weights' own (Li et al. 2018); by the first two principal directions of the trajectory; or by
two chosen parameters. A single parameter gives a line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import real, whole
from app.engine.graph import PARAMETER
from app.engine.types import Array
from app.lab.recorded import Recorded

MARGIN = 0.25  # of the way's extent, left free around it
AROUND = 1.0  # how far a plane reaches at least where the way is a point

Way = list[tuple[int, Array]]
"""Iterations, and the weights from which they start."""


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


def random_plane(f: Recorded, reach: float, seed: int) -> Plane:
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


def trajectory_plane(f: Recorded, track: Way, reach: float) -> Plane:
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


def chosen_plane(f: Recorded, track: Way, given: Any, reach: float) -> Plane:
    """Two numbers of the parameters, or one; a and b are how far they are moved."""
    if not isinstance(given, list) or len(given) not in (1, 2):
        raise BackstepError(
            'must be two places such as [{"node": "0.weight", "index": [0, 1]}, {"node": "b"}]',
            where="parameters",
        )
    numbers = np.arange(f.start.size, dtype=np.float64)
    places = [_place(f, numbers, each, f"parameters[{i}]") for i, each in enumerate(given)]
    if len({at for at, _ in places}) < len(places):
        raise BackstepError("must be two different numbers", where="parameters")
    axes, ranges = [], []
    for at, _ in places:
        axis = np.zeros(f.start.size)
        axis[at] = 1.0
        axes.append(axis)
        ranges.append(_range(np.array([w[at] - f.start[at] for _, w in track]), reach))
    if len(places) == 1:
        axes.append(np.zeros(f.start.size))
        ranges.append((0.0, 0.0))
    names = (places[0][1], places[-1][1])
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


def given_range(ranges: Any, which: int) -> tuple[float, float]:
    """One of the two pairs [from, to] in a request."""
    if not isinstance(ranges, list) or len(ranges) != 2:
        raise BackstepError("must be two pairs such as [[-1, 1], [-2, 2]]", where="ranges")
    where, pair = f"ranges[{which}]", ranges[which]
    if not isinstance(pair, list) or len(pair) != 2:
        raise BackstepError("must be a pair such as [-1, 1]", where=where)
    low, high = (real(end, where) for end in pair)
    if not -1e9 <= low <= high <= 1e9:
        raise BackstepError(f"must go up, within ±1e9: {low:g}, {high:g}", where=where)
    return low, high


def _range(way: Array, reach: float) -> tuple[float, float]:
    """All of the way with some room around it, `reach` times as much as usual."""
    low, high = min(0.0, float(way.min())), max(0.0, float(way.max()))
    extent = high - low
    room = reach * (MARGIN * extent if extent > 0 else AROUND)
    if not math.isfinite(low - room) or not math.isfinite(high + room):
        raise BackstepError("the weights have run too far away to be drawn", where="plane")
    return low - room, high + room
