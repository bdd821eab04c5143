"""Landscape and sharpness without a session: a spec, or a lane of it, is trained and looked at."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from app.lab.common_ground import common_ground
from app.lab.landscape import landscape as survey_of
from app.lab.lanes import laned
from app.lab.sharpness import course_of
from app.sessions.errors import limited
from app.sessions.session import spec_limits, worded
from app.web.api.answers import desk_of, says
from app.web.api.long import streams, told
from app.web.api.models.lab import SharpnessBody, SharpnessCourse
from app.web.api.models.landscape import Landscape, PlaneBody, SurveyBody
from app.web.api.sessions import chosen_spec

router = APIRouter(prefix="/api", tags=["experiments"])

SURVEYS = {
    "ravine": {
        "summary": "a ravine, and the way that Adam takes",
        "value": {
            "spec": {"program": "L = 0.5*(x**2 + 25*y**2)", "values": {"x": -4, "y": 1.5}},
            "lane": {"optimizer": {"type": "adam", "lr": 0.2}},
            "iterations": 20,
            "plane": "parameters",
            "parameters": [{"node": "x"}, {"node": "y"}],
            "points": 9,
        },
    },
    "lanes": {
        "summary": "two lanes on one plane",
        "value": {
            "lesson": "network-2-3-1",
            "lanes": [{"lr": 0.1}, {"optimizer": {"type": "adam", "lr": 0.1}}],
            "iterations": 20,
            "points": 9,
        },
    },
}


@router.post(
    "/landscape",
    summary="The loss on a plane, of a spec",
    responses=streams(says(Landscape, "landscape", 400, 404, 413, 415, 422)),
)
async def landscape(
    request: Request, body: Annotated[SurveyBody, Body(openapi_examples=SURVEYS)]
) -> Response:
    """As POST /api/sessions/{id}/landscape, for a run that follows from a spec alone. With
    `Accept: text/event-stream` the answer tells its progress first. Hanging up ends it.
    """
    limits = desk_of(request).limits
    spec, _ = chosen_spec(body.lesson, body.spec)
    if body.lanes is not None:
        ground = partial(
            common_ground,
            spec,
            body.lanes,
            body.iterations,
            body.points,
            limits=spec_limits(limits),
            max_lanes=limits.sweep_lanes,
            max_iterations=limits.sweep_iterations,
            max_points=limits.landscape_points,
        )
        return await told(request, [ground], lambda found: worded(found[0]))
    asked = {name: getattr(body, name) for name in PlaneBody.model_fields}
    task = partial(
        survey_of,
        spec,
        body.lane,
        body.iterations,
        asked,
        limits=spec_limits(limits),
        max_iterations=limits.sweep_iterations,
        max_points=limits.landscape_points,
    )
    return await told(request, [task], lambda found: worded(found[0]))


SHARP = {
    "ravine": {
        "summary": "a ravine, just below its limit",
        "value": {
            "spec": {"program": "L = 0.5*(x**2 + 25*y**2)", "values": {"x": -4, "y": 1.5}},
            "lane": {"lr": 0.079},
            "iterations": 20,
            "points": 4,
        },
    }
}


@router.post(
    "/sharpness",
    summary="How sharp the valley is, of a spec",
    responses=streams(says(SharpnessCourse, "sharpness_course", 400, 404, 413, 415, 422)),
)
async def sharpness(
    request: Request, body: Annotated[SharpnessBody, Body(openapi_examples=SHARP)]
) -> Response:
    """As GET /api/sessions/{id}/sharpness, along a run that follows from a spec alone, with its
    losses. With `Accept: text/event-stream` the answer tells its progress first. Hanging up ends
    it.
    """
    limits = desk_of(request).limits
    spec, _ = chosen_spec(body.lesson, body.spec)
    limited(limits, "sharpness_points", body.points, "points")
    limited(limits, "sweep_iterations", body.iterations, "iterations")
    laned(spec, body.lane, spec_limits(limits))  # what is wrong is said before anything is begun
    task = partial(
        course_of, spec, body.lane, body.iterations, body.points, limits=spec_limits(limits)
    )
    return await told(request, [task], lambda found: worded(found[0]))
