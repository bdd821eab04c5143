"""Tensors taken apart: a small graph with every product and every sum as a node of its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from app.sessions.frames import encode
from app.sessions.scalars import scalars_view
from app.web.api.answers import CHANGE, Id, IfMatch, answer, desk_of, encoded, known, says
from app.web.api.models import scalars as models
from app.web.api.sessions import whole

router = APIRouter(prefix="/api/sessions/{id}", tags=["changing"])

EXAMPLES = {
    "apart": {"summary": "every number a node", "value": {"scalars": True, "node": "0.weight"}},
    "together": {"summary": "arrays again", "value": {"scalars": False, "node": "0.weight[0,1]"}},
}


@router.get(
    "/scalars",
    summary="Which number is which node",
    tags=["looking"],
    responses=says(models.Scalars, "scalars", 404),
)
async def read(request: Request, id: Id) -> Response:
    """For every tensor the names of the scalar nodes that hold its entries, whether the session is
    taken apart or not. `why` says why a graph cannot be: most often it is too large.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    i = session.position.iteration
    content = await desk.compute(session, lambda: encode(scalars_view(session, i)))
    return encoded(content, session.revision)


@router.put(
    "/scalars",
    summary="Take the graph apart",
    responses=says(models.TakenApart, "taken_apart", *CHANGE),
)
async def put(
    request: Request,
    id: Id,
    body: Annotated[models.ScalarsBody, Body(openapi_examples=EXAMPLES)],
    if_match: IfMatch = None,
) -> Response:
    """The same run with every number as a node, or with whole arrays again: the same values and
    gradients, the changes made so far, and the same place in the iteration. Arrays go on training;
    the iteration that is looked at is taken apart, so this takes no longer far along than at the
    start. `node` in the answer stands for the one in the body.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    node = await desk.turn(session, "scalars", body.scalars, body.node, known(if_match))
    told = {**await whole(desk, session), "node": node}
    return answer(told, revision=session.revision)
