"""Training that is watched: play, pause, a stream of pictures, and the maps of all neurons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response, StreamingResponse

from app.engine.errors import BackstepError
from app.lab.portrait import Portrait
from app.render.arrays import plain
from app.sessions.game import Wish
from app.sessions.moment import settled
from app.sessions.playing import Playroom
from app.sessions.session import Session, worded
from app.sessions.viewer import Viewer
from app.web.api.answers import FRESH, READ, Id, Iteration, answer, desk_of, says
from app.web.api.looking import look, view
from app.web.api.models import playing as models
from app.web.events import COMMENT, message

router = APIRouter(prefix="/api/sessions/{id}", tags=["playing"])

PLAYS = {
    "full": {"summary": "at full speed", "value": {}},
    "until": {"summary": "until the loss is small", "value": {"until": {"loss_below": 0.01}}},
    "gentle": {
        "summary": "slowly at first, a thousand updates",
        "value": {"gentle": True, "iterations": 1000},
    },
}
PLAY = models.PlayBody.model_validate({})


def playroom_of(request: Request) -> Playroom:
    room: Playroom = request.app.state.playroom
    return room


@router.post(
    "/play",
    summary="Train and go on",
    responses=says(models.Played, "played", 400, 404, 413, 415, 422),
)
async def play(
    request: Request,
    id: Id,
    body: Annotated[models.PlayBody, Body(openapi_examples=PLAYS)] = PLAY,
) -> Response:
    """Trains until DELETE on the same address, until what `until` waits for, until the first number
    that is none, or until nobody has watched /live for ten seconds; the answer comes at once.
    Learning rate and regularisation may be changed meanwhile. Asked again while it plays, speed
    and end are the new ones.
    """
    desk = desk_of(request)
    session = await desk.get(id)
    stop = None
    if body.iterations is not None:
        stop = settled(session.position, session.of).iteration + body.iterations
    wish = Wish(
        body.speed,
        body.gentle,
        stop,
        forever=body.iterations is not None,
        until=body.until,
        restore_best=body.restore_best,
    )
    await playroom_of(request).play(session, wish)
    return await told(request, session)


@router.delete("/play", summary="Pause", responses=says(models.Played, "played", 404))
async def pause(request: Request, id: Id) -> Response:
    """Stands still at a whole iteration; the answer says which, and that iteration's loss."""
    session = await desk_of(request).get(id)
    await playroom_of(request).pause(session)
    return await told(request, session)


@router.get("/play", summary="Does it play?", responses=says(models.Played, "played", 404))
async def playing(request: Request, id: Id) -> Response:
    """Whether it is training now, and if not, why it stopped."""
    return await told(request, await desk_of(request).get(id))


async def told(request: Request, session: Session) -> Response:
    desk, room = desk_of(request), playroom_of(request)
    standing, loss = room.standing(session.id), None
    face = await desk.face(session)
    if not standing["playing"]:
        at = settled(session.position, session.of).iteration
        loss = plain(await desk.compute(session, lambda: session.run.loss(at), at))
    return answer({**face, **standing, "batch_loss": loss}, revision=face["revision"])


@router.get(
    "/maps", summary="What each neuron has learned", responses=says(models.Maps, "maps", *READ)
)
async def maps(
    request: Request,
    id: Id,
    iteration: Iteration = None,
    size: Annotated[int, Query(ge=2, le=100, description="points along each axis")] = 32,
) -> Response:
    """Every neuron's value over the plane of the inputs (or along the line, where there is one
    input), and the answer; with the losses over all samples. Of a model that looks at pictures:
    what each unit of its first layer looks for, and what the others say to some samples. Of one
    that reads tokens: what each unit says at every step of a few sequences, beside what was to be
    said and what was.
    """
    at = await look(request, id, iteration)
    return await view(at, lambda: maps_view(at.session, at.moment.iteration, size))


def maps_view(session: Session, iteration: int, size: int) -> dict[str, Any]:
    portrait = Portrait(session.run, size)
    slots = session.run.carried(iteration)
    found = portrait.maps(slots)
    recital, gallery = portrait.recital, portrait.gallery
    if not found:
        raise BackstepError(
            "maps are drawn over one or two inputs, over rows of tokens, or of the weights that "
            "look at a picture",
            where="id",
        )
    columns = [
        {**vars(column), "limit": limit, "maps": array.tolist()}
        for column, limit, array in zip(
            portrait.columns, portrait.limits(found), found, strict=not portrait.picture
        )
    ]
    view: dict[str, Any] = worded(
        {
            "iteration": iteration,
            "domain": portrait.domain.axes,
            "shape": found[-1].shape[1:],
            "classes": portrait.answer.classes,
            "columns": columns,
            "scores": portrait.scores(slots),
            "sequences": recital and {**recital.scene, **recital.answers()},
            "gallery": gallery and {**gallery.scene, **gallery.answers()},
        }
    )
    return view


@router.get(
    "/live",
    summary="Watch it learn",
    responses={
        200: {
            "description": "`scene` first and after a change by hand, then `picture`s: weights, "
            "maps as base64 of signed bytes, losses and points of their curve",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **{k: v for k, v in says(models.Played, "", 404, 422, 503).items() if k != 200},
    },
)
async def live(request: Request, id: Id) -> Response:
    """Server-sent events, about fifteen pictures a second while it plays, the latest one only: who
    reads slowly sees fewer.
    """
    desk, room = desk_of(request), playroom_of(request)
    session = await desk.get(id)
    viewer = await room.watch(session)
    headers = {**FRESH, "x-accel-buffering": "no"}
    stream = _stream(room, session.id, viewer)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(room: Playroom, id: str, viewer: Viewer) -> AsyncIterator[bytes]:
    try:
        yield b"retry: 1000\n\n"
        async for event, data in viewer.messages():
            yield COMMENT if event == "alive" else message(event, data)
        yield message("deleted", {})
    finally:
        room.leave(id, viewer)
