"""Changing by hand: a value of a leaf, or a setting of the training."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Body, Path, Request
from starlette.responses import Response

from app.web.api.answers import CHANGE, Id, IfMatch, answer, desk_of, known, says
from app.web.api.models import changes as models

router = APIRouter(prefix="/api/sessions/{id}", tags=["changing"])

VALUES = {
    "number": {"summary": "a number", "value": {"value": 0.5}},
    "matrix": {"summary": "a matrix", "value": {"value": [[0.1, 0.2], [0.3, 0.4]]}},
}
SETTINGS = {
    "lr": {"summary": "the learning rate", "value": {"lr": 0.05}},
    "zero_grad": {"summary": "forget zero_grad", "value": {"zero_grad": False}},
    "clip": {"summary": "clip the gradient", "value": {"clip": {"max_norm": 1.0}}},
    "l2": {"summary": "a penalty on weights", "value": {"regularisation": {"l2": 0.01}}},
}
RESTORES = {"start": {"summary": "the weights of the start", "value": {"iteration": 0}}}


@router.put(
    "/nodes/{name}", summary="Set a value", responses=says(models.Changed, "changed", *CHANGE)
)
async def put(
    request: Request,
    id: Id,
    name: Annotated[
        str, Path(description="a parameter, an input or a target", examples=["0.bias"])
    ],
    body: Annotated[models.ValueBody, Body(openapi_examples=VALUES)],
    if_match: IfMatch = None,
) -> Response:
    """From the start of this iteration on, or of the next one if this one has updated it already.
    `effect` compares what the slope said with what happened.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    face, effect = await desk.change(
        session, lambda: [session.value_change(name, body.value)], known(if_match), effect=True
    )
    told = {**face, "effect": effect, "changes": session.log, "frames": []}
    return answer(told, revision=face["revision"])


@router.patch("", summary="Change settings", responses=says(models.Changed, "patched", *CHANGE))
async def patch(
    request: Request,
    id: Id,
    body: Annotated[models.SettingsBody, Body(openapi_examples=SETTINGS)],
    if_match: IfMatch = None,
) -> Response:
    """Counts from this iteration on if none of the steps that it touches has run, else from the
    next.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    settings = {name: getattr(body, name) for name in body.model_fields_set}
    face, _ = await desk.change(session, lambda: session.setting_changes(settings), known(if_match))
    told = {
        **face,
        "effect": None,
        "plan": orjson.Fragment(await desk.plan(session)),
        "changes": session.log,
        "frames": [],
    }
    return answer(told, revision=face["revision"])


@router.post(
    "/restore",
    summary="Take up former weights again",
    responses=says(models.Changed, "restored", *CHANGE),
)
async def restore(
    request: Request,
    id: Id,
    body: Annotated[models.RestoreBody, Body(openapi_examples=RESTORES)],
    if_match: IfMatch = None,
) -> Response:
    """From here on with the parameters of a former iteration, by default the one with the least
    validation loss. The way there stays in the history; what the optimizer remembers stays, too.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    face, _ = await desk.change(
        session, lambda: [session.restore_change(body.iteration)], known(if_match)
    )
    told = {**face, "effect": None, "changes": session.log, "frames": []}
    return answer(told, revision=face["revision"])
