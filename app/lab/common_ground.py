"""The ways of several lanes on one plane, spanned by the principal directions of all of them: the
loss on it, and each way laid onto it. A way ends where its lane is thrown out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import PARAMETER
from app.engine.types import VALUE
from app.lab.landscape import MAX_ITERATIONS, MAX_POINTS, Progress, Survey, side
from app.lab.lanes import MAX_LANES, counted, parse_lanes
from app.lab.planes import Way, trajectory_plane
from app.lab.recorded import Recorded, recorded
from app.train.limits import SpecLimits
from app.train.refined import arrays_of, run_of
from app.train.run import Run

PLACES = 30  # of each way, at most
LOST = 3.0
"""A lane is thrown out where its loss comes above this many times that of its start."""


def common_ground(
    document: Mapping[str, Any],
    lanes: Any,
    iterations: int,
    points: Any,
    progress: Progress | None = None,
    *,
    limits: SpecLimits | None = None,
    max_lanes: int = MAX_LANES,
    max_iterations: int = MAX_ITERATIONS,
    max_points: int = MAX_POINTS,
) -> dict[str, Any]:
    """What `Survey.grid` tells, around the first lane's start, with a `paths` of one way a lane."""
    count = counted(iterations, max_iterations, "a landscape's lanes may have", low=2)
    n = side(points, max_points)
    wanted = parse_lanes(lanes, max_lanes)
    runs = [arrays_of(run_of(one.spec(dict(document), limits))) for one in wanted]
    f = recorded(runs[0], 0)
    for i, run in enumerate(runs):
        if _shapes(run) != _shapes(runs[0]):
            raise BackstepError(
                "the networks of these lanes differ, so there is no plane through them",
                where=f"lanes[{i}]",
            )
    if f.start.size < 2 or not np.isfinite(f.start).all():
        raise BackstepError("a plane needs two parameters or more that are numbers", where="lanes")
    total = count * len(runs) + n * n
    done = 0

    def further(at: int) -> bool:
        return progress is None or progress(done + at, total)

    ways = []
    for run in runs:
        ways.append(_way(run, count, f, further))
        done += count
    if max(map(len, ways)) < 2:
        raise BackstepError(
            "every lane is thrown out at its first steps: there is no way to be drawn",
            where="lanes",
        )
    with np.errstate(all="ignore"):
        plane = trajectory_plane(f, [place for way in ways for place in way], 1.0)
    laid = Survey(f, plane, [], 0, n).grid(lambda at, _: further(at))
    return {
        **laid,
        "paths": [[_laid(plane.place(w), i, f.loss(w)) for i, w in way] for way in ways],
    }


def _shapes(run: Run) -> list[tuple[str, tuple[int, ...]]]:
    return [(node.name, node.shape) for node in run.graph(0).kind(PARAMETER)]


def _laid(place: tuple[float, float], iteration: int, loss: float) -> dict[str, Any]:
    return {"iteration": iteration, "a": place[0], "b": place[1], "loss": loss}


def _way(run: Run, count: int, f: Recorded, further: Callable[[int], bool]) -> Way:
    """Weights at evenly spread iterations, until the lane is thrown out."""
    found: Way = []
    most = np.inf
    for i in sorted({round(count * k / (PLACES - 1)) for k in range(PLACES)}):
        if run.train(i, further) < i:
            break
        slots = run.carried(i)
        weights = f.flat({node.name: slots[node.name, VALUE] for node in f.parameters})
        loss = f.loss(weights)
        if not np.isfinite(weights).all() or not loss <= most:
            break
        if not found:
            most = loss + (LOST - 1) * abs(loss)
        found.append((i, weights.copy()))
    return found
