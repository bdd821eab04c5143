"""What routes that look at a run share: the moment asked for, refused where it is not there or too
far ahead to be computed for a look, and the JSON that is made of it. Nothing here moves anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fastapi import Request
from starlette.responses import Response

from app.engine.errors import BackstepError
from app.sessions.desk import Desk
from app.sessions.frames import encode
from app.sessions.moment import Moment
from app.sessions.processes import Watch
from app.sessions.session import Session, worded
from app.web.api.answers import desk_of, encoded, here
from app.web.api.long import STREAM, KeepOn, attended, in_turn, streamed


class UnheardError(Exception):
    """Who asked has hung up."""


class Look(NamedTuple):
    desk: Desk
    session: Session
    moment: Moment


async def look(request: Request, id: str, iteration: int | None, step: int | None = 0) -> Look:
    """At a step of an iteration; where nothing is said, at the session's own."""
    desk = desk_of(request)
    session = await desk.get(id)
    moment = here(session, iteration, step)
    within(desk, session, moment)
    return Look(desk, session, moment)


def within(desk: Desk, session: Session, moment: Moment) -> None:
    desk.check_reach(session, moment)
    of = session.of(moment.iteration)
    if moment.step > of:
        raise BackstepError(
            f"iteration {moment.iteration} has {of} steps: {moment.step}", where="step"
        )


async def view(at: Look, make: Callable[[], Any], reach: bool = True) -> Response:
    """`reach`: the run has to be computed up to there."""
    until = at.moment.iteration if reach else 0
    content = await at.desk.compute(at.session, lambda: encode(make()), until)
    return encoded(content, at.session.revision)


class Heard:
    """What work asks now and then, and tells how far it is if that is known: it lets others go
    first, and ends where nobody waits.
    """

    def __init__(self, watch: Watch, keep_on: KeepOn) -> None:
        self.watch, self.keep_on = watch, keep_on

    def __call__(self, done: int = 0, of: int = 0) -> bool:
        if of:
            self.watch.done, self.watch.of = done, of
        if not self.watch.on:
            raise UnheardError
        return self.keep_on()


async def examine(request: Request, at: Look, work: Callable[[Heard], Any]) -> Response:
    """As `view`, of what takes longer; with progress, to who accepts an event stream."""
    watch = Watch()
    content = examined(request, at, lambda heard: encode(worded(work(heard))), watch)
    if STREAM in request.headers.get("accept", ""):
        return streamed(content, watch)
    return encoded(await content, at.session.revision)


async def examined(
    request: Request, at: Look, work: Callable[[Heard], bytes], watch: Watch | None = None
) -> bytes:
    """Work that lets others go first, and ends with the server, or when the caller hangs up."""
    watch = watch or Watch()

    def heard(keep_on: KeepOn) -> bytes:
        return work(Heard(watch, keep_on))

    run = at.desk.compute(at.session, in_turn(at.desk, heard), at.moment.iteration)
    try:
        return await attended(request, run, watch)
    except UnheardError:
        raise BackstepError("nobody waits for this answer any more", where="id") from None


def whole_numbers(text: str, where: str, example: str) -> list[int]:
    """Of a query such as "0,1"."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise BackstepError(
            f"must be whole numbers with commas between, such as {example}: {text[:40]!r}",
            where=where,
        ) from None
