"""Moving in time: step, seek, train. What may take long runs in a thread and tells its progress on
/events.
"""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from app.sessions.actions import Seek, Step, Train
from app.sessions.frames import encode
from app.web.api.answers import CHANGE, Id, IfMatch, answer, desk_of, known, raw, says
from app.web.api.direct import Direct
from app.web.api.models import moves as models
from app.web.api.models.base import Place, State

router = APIRouter(prefix="/api/sessions/{id}", tags=["moving"], route_class=Direct)

STEPS = {
    "node": {"summary": "one node", "value": {"count": 1, "unit": "node"}},
    "back": {"summary": "one node back", "value": {"count": -1, "unit": "node"}},
    "phase": {"summary": "to the end of the phase", "value": {"count": 1, "unit": "phase"}},
    "epoch": {"summary": "ten epochs", "value": {"count": 10, "unit": "epoch"}},
}
SEEKS = {"start": {"summary": "to the start", "value": {"iteration": 0, "step": 0}}}
STEP = models.StepBody.model_validate({})
TRAINS = {
    "iterations": {"summary": "100 iterations", "value": {"iterations": 100}},
    "epochs": {"summary": "10 epochs", "value": {"epochs": 10}},
    "until": {
        "summary": "until the loss is small or breaks",
        "value": {"iterations": 500, "until": {"loss_below": 0.01, "nonfinite": True}},
    },
}


@router.post("/step", summary="Step on or back", responses=says(models.Moved, "moved", *CHANGE))
async def step(
    request: Request,
    id: Id,
    body: Annotated[models.StepBody, Body(openapi_examples=STEPS)] = STEP,
    if_match: IfMatch = None,
) -> Response:
    """Steps by node or phase answer with their frames; iterations and epochs run at full speed."""
    desk = desk_of(request)
    session = await desk.get(id)
    face, frames = await desk.move(
        session, Step(body.count, body.unit), known(if_match), frames=body.frames
    )
    face["frames"] = raw(frames)
    return answer(face, revision=face["revision"])


@router.post("/seek", summary="Go to a moment", responses=says(models.Moved, "sought", *CHANGE))
async def seek(
    request: Request,
    id: Id,
    body: Annotated[Place, Body(openapi_examples=SEEKS)],
    if_match: IfMatch = None,
) -> Response:
    """To any moment, seen before or not."""
    desk = desk_of(request)
    session = await desk.get(id)
    face, _ = await desk.move(session, Seek(body.iteration, body.step), known(if_match))
    return answer({**face, "frames": []}, revision=face["revision"])


@router.post("/train", summary="Train", responses=says(models.Trained, "trained", *CHANGE))
async def train(
    request: Request,
    id: Id,
    body: Annotated[models.TrainBody, Body(openapi_examples=TRAINS)],
    if_match: IfMatch = None,
) -> Response:
    """Whole iterations at full speed. It goes on when the caller hangs up; DELETE on the same
    address ends it early, and so does what `until` waits for: `ended` says what it was, and the
    position is before the iteration in which it happens.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    if body.restore_best:
        session.check_validation()
    iterations = body.iterations or 0
    if body.iterations is None and body.epochs is None:
        iterations = desk.most_iterations(session)
    move = Train(iterations, body.epochs or 0, body.until)
    face, _ = await desk.move(session, move, known(if_match))
    ended = {name: face.pop(name) for name in ("ended", "best")}
    best = ended["best"]
    if body.restore_best and best and best["iteration"] < face["position"]["iteration"]:
        face, _ = await desk.change(session, lambda: [session.restore_change(None)])
    told = {**face, **ended, "changes": session.log, "frames": []}
    if body.history:
        history = await desk.compute(session, lambda: encode(session.history()))
        told["history"] = orjson.Fragment(history)
    return answer(told, revision=face["revision"])


@router.delete("/train", summary="End a training early", responses=says(State, "state", 404))
async def stop(request: Request, id: Id) -> Response:
    """The training under way ends after the iteration that it is at; its own request answers where
    that was.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    session.stopped = True
    async with session.turn:
        face = await desk.look(session)
    return answer(face, revision=face["revision"])
