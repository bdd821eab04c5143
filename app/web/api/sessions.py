"""Sessions: make one, look at it, delete it, follow it."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response, StreamingResponse

from app.lessons import lessons
from app.sessions.desk import Desk
from app.sessions.errors import NotFoundError
from app.sessions.graphs import Collapse
from app.sessions.moment import Moment
from app.sessions.session import Session
from app.web.api.answers import FRESH, READ, Id, IfMatch, answer, desk_of, known, says
from app.web.api.models import sessions as models
from app.web.events import message

router = APIRouter(prefix="/api/sessions", tags=["sessions"])

OfIteration = Annotated[int | None, Query(ge=0, le=2**31, description="default: the current one")]
EXAMPLES = {
    "lesson": {"summary": "a lesson", "value": {"lesson": "neuron"}},
    "program": {
        "summary": "a program",
        "value": {"spec": {"program": "L = (w*x + b)**2", "values": {"w": 2, "x": 3, "b": 1}}},
    },
    "model": {
        "summary": "a network",
        "value": {
            "spec": {
                "model": {
                    "input_shape": [2],
                    "layers": [
                        {"type": "linear", "out_features": 3},
                        {"type": "sigmoid"},
                        {"type": "linear", "out_features": 1},
                    ],
                },
                "loss": {"type": "half_squared_error"},
                "optimizer": {"type": "sgd", "lr": 0.1},
                "data": {"inputs": [[1, 2]], "targets": [[1]]},
            }
        },
    },
}


def chosen_spec(lesson: str | None, spec: dict[str, Any] | None) -> tuple[dict[str, Any], str]:
    """A lesson's spec and title, or the spec that was given."""
    if lesson is None:
        return spec or {}, ""
    found = lessons().get(lesson)
    if found is None:
        there = ", ".join(lessons())
        raise NotFoundError(
            f"there is no lesson of this name: {lesson[:80]!r}; there are {there}", where="lesson"
        )
    return found.spec, found.title


async def whole(desk: Desk, session: Session) -> dict[str, object]:
    """The session as `GET /api/sessions/{id}` gives it."""
    lesson = lessons().get(session.lesson or "")
    iteration = session.position.iteration
    noted = lesson.noted(session.run.plan(iteration)) if lesson else []
    return {
        **await desk.face(session),
        "title": session.title,
        "lesson": session.lesson,
        "spec": orjson.Fragment(session.document),
        "graph": orjson.Fragment(await desk.graph(session)),
        "plan": orjson.Fragment(await desk.plan(session)),
        "changes": session.log,
        "notes": [{"index": index, "says": sentence} for index, sentence in noted],
    }


@router.post(
    "",
    status_code=201,
    summary="Make a session",
    responses=says(models.Session, "session", 400, 404, 413, 415, 422, 503, status=201),
)
async def create(
    request: Request,
    body: Annotated[models.NewSession, Body(openapi_examples=EXAMPLES)],
) -> Response:
    """From a lesson or from a spec of one's own. `changes` and `position` restore what somebody
    else shared.
    """
    desk = desk_of(request)
    spec, title = chosen_spec(body.lesson, body.spec)
    at = body.position
    place = Moment(at.iteration, at.step) if at else None
    session = await desk.create(
        spec, lesson=body.lesson, title=body.title or title, changes=body.changes, position=place
    )
    told = await whole(desk, session)
    return answer(
        told, revision=session.revision, status=201, location=f"/api/sessions/{session.id}"
    )


@router.get("/{id}", summary="A session", responses=says(models.Session, "session", 404))
async def read(request: Request, id: Id) -> Response:
    desk = desk_of(request)
    session = await desk.get(id)
    revision = session.revision
    return answer(await whole(desk, session), revision=revision)


@router.delete(
    "/{id}",
    status_code=204,
    summary="Delete a session",
    responses={k: v for k, v in says(models.Session, "", 404, 412).items() if k != 200},
)
async def delete(request: Request, id: Id, if_match: IfMatch = None) -> Response:
    await desk_of(request).delete(id, known(if_match))
    return Response(status_code=204)


@router.get("/{id}/graph", summary="Its graph", responses=says(models.Graph, "graph", 404, 422))
async def graph(
    request: Request,
    id: Id,
    collapse: Annotated[
        Collapse,
        Query(description="auto: scopes are closed in a graph above 150 nodes; all; none"),
    ] = "auto",
    open: Annotated[
        list[str] | None, Query(description="scopes that are open in any case; may be repeated")
    ] = None,
    iteration: OfIteration = None,
) -> Response:
    """Nodes with their places (top left corner, CSS px) and edges with their ways. What lies in a
    closed scope stands where the scope's box stands.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    content = await desk.graph(session, collapse, open or (), iteration)
    return answer(orjson.Fragment(content), revision=session.revision)


@router.get("/{id}/plan", summary="Its plan", responses=says(list[models.PlanStep], "plan", *READ))
async def plan(
    request: Request,
    id: Id,
    iteration: OfIteration = None,
) -> Response:
    """The steps of an iteration, one line each."""
    desk = desk_of(request)
    session = await desk.get(id)
    return answer(orjson.Fragment(await desk.plan(session, iteration)), revision=session.revision)


@router.get(
    "/{id}/events",
    summary="Follow it",
    responses={
        200: {
            "description": "`session` after a change, `progress` in training, `deleted` at the end",
            "content": {
                "text/event-stream": {"schema": {"type": "string"}, "example": {"made": "event"}}
            },
        },
        **{k: v for k, v in says(models.Session, "", 404, 503).items() if k != 200},
    },
)
async def events(request: Request, id: Id) -> Response:
    """Server-sent events. The first one tells how the session stands now."""
    desk, state = desk_of(request), request.app.state
    session = await desk.get(id)
    first = message("session", await desk.face(session))
    stream = state.hub.listen(id, desk.limits.streams_per_session, first)
    headers = {**FRESH, "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
