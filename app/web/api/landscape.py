"""The loss landscape of a session: the plane is laid while the run is held, the grid is computed
beside it, with progress on /events and an early end by DELETE.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from app.lab.landscape import Survey, survey
from app.sessions.session import worded
from app.web.api.answers import Id, answer, desk_of, says
from app.web.api.long import streams, told
from app.web.api.looking import look
from app.web.api.models import landscape as models
from app.web.api.models.base import State

router = APIRouter(prefix="/api/sessions/{id}/landscape", tags=["experiments"])

PLANES = {
    "matrix": {"summary": "two random directions", "value": {"plane": "random", "points": 9}},
}


@router.post(
    "",
    summary="The loss on a plane",
    responses=streams(says(models.Landscape, "landscape", 400, 404, 413, 415, 422)),
)
async def landscape(
    request: Request, id: Id, body: Annotated[models.LandscapeBody, Body(openapi_examples=PLANES)]
) -> Response:
    """Losses on a plane through the weights, with the way that the run took. Event `landscape` on
    /events tells {done, of}; DELETE on the same address, or hanging up, ends it: rows that are
    missing are then null. Nothing is changed.
    """
    desk, session, moment = await look(request, id, body.iteration)
    revision, called_off = session.revision, session.called_off

    def lay() -> Survey:
        return survey(
            session.run,
            moment.iteration,
            **{name: getattr(body, name) for name in models.PlaneBody.model_fields},
            max_points=desk.limits.landscape_points,
        )

    laid = await desk.compute(session, lay, moment.iteration)
    answered = await told(
        request,
        [laid.grid],
        lambda found: worded(found[0]),
        wanted=lambda: session.called_off == called_off,
        heard=lambda done, of: desk.publish(session.id, "landscape", {"done": done, "of": of}),
    )
    answered.headers["etag"] = f'"{revision}"'
    return answered


@router.delete("", summary="End a landscape early", responses=says(State, "state", 404))
async def stop(request: Request, id: Id) -> Response:
    """Those under way on this session answer with the rows that they have."""
    desk = desk_of(request)
    session = await desk.get(id)
    session.called_off += 1
    face = await desk.face(session)
    return answer(face, revision=face["revision"])
