"""The loss on a plane through the weights, with the way that the run took over it. Every point is
one replay of recorded forward calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import real, whole
from app.engine.types import VALUE
from app.lab.lanes import counted, laned
from app.lab.planes import (
    Plane,
    Way,
    chosen_plane,
    given_range,
    random_plane,
    trajectory_plane,
)
from app.lab.recorded import Recorded, recorded
from app.train.limits import SpecLimits
from app.train.refined import run_of
from app.train.run import Run

PLANES = ("random", "trajectory", "parameters")
POINTS, MAX_POINTS = 25, 10_201
MAX_ITERATIONS = 5_000
PATH = 60  # places of the way that are drawn, at most
SPAN = 1.0  # how far a random plane reaches: the filters' own lengths

Progress = Callable[[int, int], bool]
"""Called with points done and wanted; False ends the survey there."""


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

    @property
    def rows(self) -> int:
        """Of a curve there is one."""
        return self.points if self.plane.second.any() else 1

    def grid(self, progress: Progress | None = None) -> dict[str, Any]:
        """Losses row by row: `loss[j][i]` is that at a[i], b[j]; None where it was ended early."""
        plane, n, m = self.plane, self.points, self.rows
        a, b = np.linspace(*plane.a, n), np.linspace(*plane.b, m)
        rows: list[list[float] | None] = []
        with np.errstate(all="ignore"):
            for j in range(m):
                if progress is not None and not progress(j * n, m * n):
                    break
                row = plane.centre + b[j] * plane.second
                rows.append(self.f.losses(row, plane.first, a))
            here = self.f.loss(plane.centre)
        done = len(rows)
        return {
            "iteration": self.iteration,
            "axes": list(plane.names),
            "explained": plane.explained and list(plane.explained),
            "a": a.tolist(),
            "b": b.tolist(),
            "loss": rows + [None] * (m - done),
            "complete": done == m,
            "here": {"a": 0.0, "b": 0.0, "loss": here},
            "path": self.path,
            "parameters": [
                {"node": node.name, "shape": list(node.shape)} for node in self.f.parameters
            ],
        }


def side(points: Any, max_points: int = MAX_POINTS) -> int:
    """How many points along each side of a grid, if there may be so many."""
    n = whole(points, "points", low=2)
    if n * n > max_points:
        raise LimitError(
            f"a landscape may have at most {max_points:,} points: {n}² is {n * n:,}", where="points"
        )
    return n


def survey(
    run: Run,
    iteration: int,
    *,
    plane: str = "random",
    parameters: Any = None,
    points: int = POINTS,
    span: float = SPAN,
    seed: int = 0,
    ranges: Any = None,
    max_points: int = MAX_POINTS,
) -> Survey:
    """Around the weights from which this iteration starts; `ranges` of a and b, where given, count
    instead of `span`.
    """
    n = whole(points, "points", low=2)
    if n * n > max_points:
        raise LimitError(
            f"a landscape may have at most {max_points:,} points: {n}² is {n * n:,}",
            where="points",
            setting="landscape_points",
        )
    if plane not in PLANES:
        raise BackstepError(f"must be one of {', '.join(PLANES)}: {plane!r}"[:200], where="plane")
    reach = real(span, "span")
    if not 0 < reach <= 1e6:
        raise BackstepError(f"must be above 0 and at most 1e6: {reach:g}", where="span")
    f = recorded(run, iteration)
    if f.start.size < 2 and plane != "parameters":
        raise BackstepError(f"a plane needs at least two parameters: {f.start.size}", where="plane")
    if not np.isfinite(f.start).all():
        raise BackstepError(
            f"at iteration {iteration} the weights are no finite numbers any more",
            where="iteration",
        )
    track = _track(run, iteration, f)
    try:
        with np.errstate(all="ignore"):
            if plane == "random":
                found = random_plane(f, reach, seed)
            elif plane == "trajectory":
                found = trajectory_plane(f, track, reach)
            else:
                found = chosen_plane(f, track, parameters, reach)
            places = [found.place(weights) for _, weights in track]
    except np.linalg.LinAlgError:
        raise BackstepError(
            f"at iteration {iteration} the weights are so large that their lengths are no finite "
            "numbers any more",
            where="iteration",
        ) from None
    if ranges is not None:
        found = replace(found, a=given_range(ranges, 0), b=given_range(ranges, 1))
    path = [
        {"iteration": i, "a": a, "b": b, "loss": f.loss(weights)}
        for (i, weights), (a, b) in zip(track, places, strict=True)
    ]
    return Survey(f, found, path, iteration, n)


def _track(run: Run, iteration: int, f: Recorded) -> Way:
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


def landscape(
    document: Mapping[str, Any],
    lane: Mapping[str, Any] | None,
    iterations: int,
    asked: Mapping[str, Any],
    progress: Progress | None = None,
    *,
    limits: SpecLimits | None = None,
    max_iterations: int = MAX_ITERATIONS,
    max_points: int = MAX_POINTS,
) -> dict[str, Any]:
    """Of a spec, or of one lane of it, after so many iterations: `asked` is what `survey` takes."""
    count = counted(iterations, max_iterations, "a landscape's run may have", low=0)
    run = run_of(laned(document, lane, limits))
    if progress is None:
        return survey(run, run.train(count), max_points=max_points, **asked).grid()
    ahead = int(asked.get("points", POINTS)) ** 2
    done = run.train(count, lambda i: progress(i, count + ahead))
    laid = survey(run, done, max_points=max_points, **asked)
    return laid.grid(lambda at, of: progress(count + at, count + of))
