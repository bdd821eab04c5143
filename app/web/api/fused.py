"""Recurrent layers fused for training: all steps of time in one op, and step by step again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from app.web.api.answers import CHANGE, Id, IfMatch, answer, desk_of, known, says
from app.web.api.models import fused as models
from app.web.api.models.scalars import TakenApart
from app.web.api.sessions import whole

router = APIRouter(prefix="/api/sessions/{id}", tags=["changing"])

EXAMPLES = {
    "fused": {"summary": "fused for training", "value": {"fused": True, "node": "0.h_2"}},
    "steps": {"summary": "time steps as nodes", "value": {"fused": False, "node": "0.H"}},
}


@router.put(
    "/fused",
    summary="Fuse recurrent layers for training",
    responses=says(TakenApart, "fused", *CHANGE),
)
async def put(
    request: Request,
    id: Id,
    body: Annotated[models.FusedBody, Body(openapi_examples=EXAMPLES)],
    if_match: IfMatch = None,
) -> Response:
    """`true`: each layer of type `rnn` is one node, and from where the run has come to it is
    trained so, about a fifth faster; what lies behind stays as it is. `false`: a node for every
    step of time again, while training stays fast. Values and gradients are the same up to rounding,
    parameters keep their names, changes and the place in the iteration go along. 422 where there is
    no such layer, or the plan speaks of single steps (precision, fault, forward_mode).
    """
    desk = desk_of(request)
    session = await desk.get(id)
    node = await desk.turn(session, "fused", body.fused, body.node, known(if_match))
    told = {**await whole(desk, session), "node": node}
    return answer(told, revision=session.revision)
