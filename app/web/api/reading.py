"""Looking at a run: frames, state, nodes, elements, history. Nothing here moves anything."""

from __future__ import annotations

import io
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from app.sessions.errors import EmptyError, limited
from app.sessions.moment import Moment
from app.sessions.session import Session
from app.sessions.views import element_view, node_view
from app.web.api.answers import (
    FRESH,
    READ,
    Id,
    Iteration,
    StepQuery,
    answer,
    desk_of,
    encoded,
    raw,
    says,
)
from app.web.api.looking import Look, look, view, whole_numbers
from app.web.api.models import reading as models
from app.web.api.models.base import Slot
from app.web.api.models.moves import History

router = APIRouter(prefix="/api/sessions/{id}", tags=["looking"])

NPY = ("application/octet-stream", "application/x-npy")
NodeName = Annotated[
    str, Path(description="a node of the graph, such as 0.weight", examples=["0.weight"])
]


@router.get("/frames", summary="Frames", responses=says(models.Frames, "frames", *READ))
async def frames(
    request: Request,
    id: Id,
    iteration: Iteration = None,
    start: Annotated[int, Query(ge=0, description="plan index of the first")] = 0,
    stop: Annotated[int | None, Query(ge=0, description="plan index after the last")] = None,
) -> Response:
    """What each step of an iteration writes, and why; also of an iteration not yet seen."""
    desk, session, moment = await look(request, id, iteration)
    of = session.of(moment.iteration)
    until = of if stop is None else min(stop, of)
    limited(desk.limits, "frames_per_request", until - start, "stop")
    found = await desk.frames(session, moment.iteration, start, max(start, until))
    told = {"iteration": moment.iteration, "of": of, "frames": raw(found)}
    return answer(told, revision=session.revision)


@router.get(
    "/state", summary="All values there", responses=says(models.Snapshot, "snapshot", *READ)
)
async def state(
    request: Request, id: Id, iteration: Iteration = None, step: StepQuery = None
) -> Response:
    """Every node's value and gradient, and the optimizer's slots, at a moment."""
    desk, session, moment = await look(request, id, iteration, step)
    return encoded(await desk.state(session, moment), session.revision)


NODE_ANSWERS = says(models.Node, "node", 404, 409, 422)
NODE_ANSWERS[200]["content"] |= {kind: {"schema": {"type": "string"}} for kind in NPY}


@router.get("/nodes/{name}", summary="One node", responses=NODE_ANSWERS)
async def node(
    request: Request,
    id: Id,
    name: NodeName,
    iteration: Iteration = None,
    step: StepQuery = None,
    slot: Annotated[
        str, Query(description="which array, for .npy: value, grad or a state")
    ] = "value",
) -> Response:
    """In full, any size. With `Accept: application/x-npy` (or octet-stream) one array as NumPy's
    own file.
    """
    at = await look(request, id, iteration, step)
    desk, session, moment = at
    session.find(name, moment.iteration)
    accept = request.headers.get("accept", "")
    kind = next((kind for kind in NPY if kind in accept), None)
    if kind is None:
        return await view(at, lambda: node_view(session.run, *moment, name))
    content = await desk.compute(
        session, lambda: npy(session, moment, name, slot), moment.iteration
    )
    filename = f'attachment; filename="{name}.npy"' if name.isascii() else "attachment"
    about = {**FRESH, "etag": f'"{session.revision}"', "content-disposition": filename}
    return Response(content, media_type=kind, headers=about)


def npy(session: Session, moment: Moment, name: str, slot: str) -> bytes:
    array = session.run.slots(*moment).get((name, slot))
    if array is None:
        raise EmptyError(f"{name} has no {slot} at this moment", where=name)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


@router.get(
    "/element", summary="One entry written out", responses=says(models.Element, "element", *READ)
)
async def element(
    request: Request,
    id: Id,
    node: Annotated[str, Query(description="whose value or gradient", examples=["loss"])],
    index: Annotated[
        str, Query(description="where in the array: 0,1; empty for a single number")
    ] = "",
    slot: Annotated[Slot, Query(description="value or grad")] = "value",
    operand: Annotated[int, Query(ge=0, description="for a gradient: along which operand")] = 0,
    iteration: Iteration = None,
    step: Annotated[
        int | None, Query(ge=0, description="plan index of the step; default: the last one done")
    ] = None,
) -> Response:
    """How one entry of an array came about: the sum of products behind an entry of a matrix
    product.
    """
    at = await look(request, id, iteration, step)
    i, k = at.moment
    if step is None:
        k = max(0, k - 1)
    at.session.find(node, i)
    place = whole_numbers(index, "index", "0,1") if index.strip() else []
    run = at.session.run
    return await view(at, lambda: element_view(run, i, k, node, slot, operand, place))


@router.get("/history", summary="The history", responses=says(History, "history", *READ))
async def history(
    request: Request,
    id: Id,
    start: Annotated[int, Query(ge=0, description="first iteration")] = 0,
    stop: Annotated[int | None, Query(ge=0, description="iteration after the last")] = None,
    most: Annotated[int | None, Query(ge=8, description="at most so many, at least 8")] = None,
) -> Response:
    """One entry for each iteration seen whole: its batch's loss before the update, the rate, the
    gradient's norm. With `most` a long history is thinned, peaks and valleys kept.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    seen = Moment(session.seen.iteration, 0)
    return await view(Look(desk, session, seen), lambda: session.history(start, stop, most))
