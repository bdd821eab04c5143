"""One spec, several lanes: runs from the same start that differ in their rate, optimizer, batch
size or whatever else a lane may change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.lab.lanes import MAX_LANES, counted, parse_lanes
from app.lab.runner import Former, Progress, Ran, run_lane
from app.lab.verdicts import Verdict, judge
from app.train.limits import SpecLimits

MAX_ITERATIONS = 5_000


@dataclass(frozen=True)
class Lane:
    """`loss[k]` is the loss after k updates, `smooth[k]` its mean over an epoch where batches
    differ, `samples[k]` how many samples those updates have seen. `path` is the parameter itself
    if there is one number, pairs if there are two (`axes` names them); `rates` the rate of each
    iteration where a schedule bends it; `spec` the lane's own, if asked for.
    """

    label: str
    lr: float
    loss: list[float]
    verdict: Verdict
    final: float
    path: list[float] | list[list[float]] | None
    axes: list[dict[str, Any]] | None
    rates: list[float | None] | None
    smooth: list[float] | None
    samples: list[int] | None
    batches: int
    spec: dict[str, Any] | None


def lane_tasks(
    document: dict[str, Any],
    lanes: Any,
    iterations: Any,
    *,
    limits: SpecLimits | None = None,
    max_lanes: int = MAX_LANES,
    max_iterations: int = MAX_ITERATIONS,
    specs: bool = False,
) -> list[Callable[[Progress | None], Ran]]:
    """One function of a `progress` for each of `[{"lr": 0.1, "label"?: …}, …]`; each may
    run in a process of its own, and takes over from the one before it what both have in common if
    that ran in the same one. What is wrong with one is said here already.
    """
    count = counted(iterations, max_iterations, "a sweep may have")
    wanted = parse_lanes(lanes, max_lanes)
    former = Former()
    return [
        partial(run_lane, document, one, count, limits=limits, spec=specs, former=former)
        for one in wanted
    ]


def sweep(
    document: dict[str, Any],
    lanes: Any,
    iterations: Any,
    *,
    progress: Progress | None = None,
    **more: Any,
) -> list[Lane]:
    """Train the spec once for each lane and say how each did. `more` is what `lane_tasks` takes."""
    return judged([run(progress) for run in lane_tasks(document, lanes, iterations, **more)])


def judged(ran: list[Ran]) -> list[Lane]:
    """Each lane beside those whose loss measures the same thing."""
    found: dict[int, Verdict] = {}
    for kind in dict.fromkeys(one.kind for one in ran):
        places = [i for i, one in enumerate(ran) if one.kind == kind]
        found |= dict(zip(places, judge([ran[i].course for i in places]), strict=True))
    return [Lane(verdict=found[i], **one.told) for i, one in enumerate(ran)]


def as_json(lane: Lane) -> dict[str, Any]:
    """For an answer: the fields as they are named."""
    return {**vars(lane), "verdict": vars(lane.verdict)}
