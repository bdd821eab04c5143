"""Experiments: is the gradient right, and which learning rate is."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from app.lab import gradient_check as checking
from app.lab import sharpness as sharpening
from app.lab import sweep as sweeping
from app.lab.range_test import range_task
from app.lab.runner import Ran
from app.sessions.errors import limited
from app.sessions.session import spec_limits, worded
from app.web.api.answers import READ, Id, Iteration, desk_of, says
from app.web.api.long import KeepOn, streams, told
from app.web.api.looking import examine, look
from app.web.api.models import lab as models
from app.web.api.sessions import chosen_spec

router = APIRouter(prefix="/api", tags=["experiments"])

RANGES = {
    "lesson": {"summary": "on a lesson", "value": {"lesson": "network-2-3-1", "iterations": 60}}
}
CHECKS = {"default": {"summary": "as usual", "value": {}}}
SWEEPS = {
    "lesson": {
        "summary": "three rates on a lesson",
        "value": {
            "lesson": "gradient-descent",
            "lanes": [{"lr": 0.01}, {"lr": 0.1}, {"lr": 1.1}],
            "iterations": 20,
        },
    },
    "optimizers": {
        "summary": "one start, three ways down",
        "value": {
            "lesson": "network-2-3-1",
            "lanes": [
                {"optimizer": {"type": "sgd", "lr": 0.1}},
                {"optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.9}},
                {"optimizer": {"type": "adam", "lr": 0.1}, "schedule": None},
            ],
            "iterations": 20,
        },
    },
}
CHECK = models.CheckBody.model_validate({})


@router.post(
    "/sessions/{id}/gradient-check",
    summary="Check the gradient",
    responses=says(models.GradientCheck, "check", 400, 404, 413, 415, 422),
)
async def gradient_check(
    request: Request,
    id: Id,
    body: Annotated[models.CheckBody, Body(openapi_examples=CHECKS)] = CHECK,
) -> Response:
    """Every parameter and input entry is moved up and down a little; the slope measured so is
    compared with the gradient of the backward pass. Nothing is changed.
    """
    at = await look(request, id, None, None)
    (iteration, step), run = at.moment, at.session.run
    position = {"iteration": iteration, "step": step, "of": at.session.of(iteration)}

    def work(keep_on: KeepOn) -> Any:
        check = checking.gradient_check(run, iteration, epsilon=body.epsilon, progress=keep_on)
        return {"position": position, **checking.as_json(check)}

    return await examine(request, at, work)


@router.post(
    "/sweeps",
    summary="Compare lanes",
    responses=streams(says(models.Sweep, "sweep", 400, 404, 413, 415, 422)),
)
async def sweep(
    request: Request, body: Annotated[models.SweepBody, Body(openapi_examples=SWEEPS)]
) -> Response:
    """The same network from the same start, once for each lane (a rate, an optimizer, a batch
    size, …: any fields of the spec), in lock-step; with a verdict for each. `loss[k]` is the loss
    after k updates. With `Accept: text/event-stream` the answer tells its progress first. Hanging
    up ends it.
    """
    limits = desk_of(request).limits
    spec, _ = chosen_spec(body.lesson, body.spec)

    tasks = sweeping.lane_tasks(
        spec,
        body.lanes,
        body.iterations,
        limits=spec_limits(limits),
        max_lanes=limits.sweep_lanes,
        max_iterations=limits.sweep_iterations,
        specs=body.specs,
    )

    def finish(ran: list[Ran]) -> Any:
        return {"lanes": [worded(sweeping.as_json(lane)) for lane in sweeping.judged(ran)]}

    return await told(request, tasks, finish)


@router.post(
    "/range-test",
    summary="Where rates are worth trying",
    responses=streams(says(models.RangeTest, "range_test", 400, 404, 413, 415, 422)),
)
async def range_test(
    request: Request, body: Annotated[models.RangeTestBody, Body(openapi_examples=RANGES)]
) -> Response:
    """The learning-rate range test (Smith 2017): one run from the start whose rate climbs from
    `low` to `high`, and the interval in which its loss falls. With `Accept: text/event-stream` the
    answer tells its progress first. Hanging up ends it.
    """
    limits = desk_of(request).limits
    spec, _ = chosen_spec(body.lesson, body.spec)

    asked = {
        "low": body.low,
        "high": body.high,
        "iterations": body.iterations,
        "limits": spec_limits(limits),
        "max_iterations": limits.sweep_iterations,
    }
    return await told(request, [partial(range_task, spec, asked)], lambda it: worded(vars(it[0])))


@router.get(
    "/sessions/{id}/sharpness",
    summary="How sharp the valley is",
    responses=says(models.Sharpness, "sharpness", *READ),
)
async def sharpness(
    request: Request,
    id: Id,
    iteration: Iteration = None,
    points: Annotated[
        int, Query(ge=1, description="at so many iterations, evenly up to this one")
    ] = 1,
) -> Response:
    """λmax of the loss at the weights there, and the limit 2/λmax of plain gradient descent, beside
    the rate in use. Nothing is changed.
    """
    at = await look(request, id, iteration)
    limited(at.desk.limits, "sharpness_points", points, "points")

    def work(keep_on: KeepOn) -> Any:
        found = sharpening.course(at.session.run, at.moment.iteration, points, keep_on)
        return sharpening.as_json(found)

    return await examine(request, at, work)
