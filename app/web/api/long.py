"""Long work: at once in a thread where it is short, else in processes of its own; and only while
somebody waits for the answer. Who asks for an event stream hears how far it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import orjson
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from app.engine.errors import BackstepError
from app.sessions.desk import Desk
from app.sessions.frames import encode
from app.sessions.processes import Task, Watch
from app.web.api.answers import FRESH, desk_of
from app.web.errors import BROKEN, Json, error_body

T = TypeVar("T")

KeepOn = Callable[[], bool]
"""To be asked now and then: it lets others go first, and says whether to go on."""

LOOK_SECONDS = 0.1  # between two looks whether somebody still waits, and how far it is
QUICK_SECONDS = 0.3  # of computing; what takes longer is begun anew in another process
STREAM = "text/event-stream"
STREAMED = 'event: progress\ndata: {"done":120,"of":600}\n\nevent: result\ndata: {…}\n\n'


def streams(answers: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that answers with `told`: JSON, or an event stream."""
    answers[200]["content"][STREAM] = {"schema": {"type": "string"}, "example": STREAMED}
    return answers


class TooLongError(Exception):
    """Not done in the time that a thread of the server may take."""


def in_turn(
    desk: Desk, work: Callable[[KeepOn], T], wanted: Callable[[], bool] = lambda: True
) -> Callable[[], T]:
    """The work as a thread runs it."""

    def keep_on() -> bool:
        desk.workers.pass_turn()
        return wanted() and not desk.workers.stopping

    def run() -> T:
        desk.workers.take_turn()
        try:
            return work(keep_on)
        finally:
            desk.workers.end_turn()

    return run


def _quick(tasks: Sequence[Task[T]], found: list[T]) -> Callable[[KeepOn], None]:
    """As many of them as are likely to be done in a short time together."""

    def work(keep_on: KeepOn) -> None:
        began = time.thread_time()

        def progress(done: int, of: int) -> bool:
            if time.thread_time() - began > QUICK_SECONDS:
                raise TooLongError
            return keep_on()

        for count, task in enumerate(tasks, 1):
            found.append(task(progress))
            if (time.thread_time() - began) * len(tasks) / count > QUICK_SECONDS:
                break

    return work


async def results(
    request: Request,
    tasks: Sequence[Task[T]],
    watch: Watch,
    wanted: Callable[[], bool] = lambda: True,
) -> list[T]:
    """What the tasks find; they are told to end when the caller hangs up."""
    desk = desk_of(request)

    async def run() -> list[T]:
        found: list[T] = []
        with suppress(TooLongError):
            await desk.workers.run(in_turn(desk, _quick(tasks, found), lambda: watch.on))
        rest = tasks[len(found) :]
        return found + await desk.processes.run(rest, watch) if rest else found

    return await attended(request, run(), watch, wanted)


async def attended(
    request: Request,
    work: Coroutine[Any, Any, T],
    watch: Watch,
    wanted: Callable[[], bool] = lambda: True,
) -> T:
    """What the work makes; the watch goes off when the caller hangs up."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=LOOK_SECONDS)
            watch.on = watch.on and wanted() and not await request.is_disconnected()
    finally:
        watch.on = False
    return task.result()


async def told(
    request: Request,
    tasks: Sequence[Task[T]],
    finish: Callable[[list[T]], Any],
    *,
    wanted: Callable[[], bool] = lambda: True,
    heard: Callable[[int, int], None] = lambda done, of: None,
) -> Response:
    """The answer as JSON; to who accepts an event stream, progress before it. `heard` is called
    with every progress, too.
    """
    watch = Watch()

    async def content() -> bytes:
        found = await results(request, tasks, watch, wanted)
        return await desk_of(request).workers.run(lambda: encode(finish(found)))

    if STREAM in request.headers.get("accept", ""):
        return streamed(content(), watch, heard)
    pieces = [piece async for _, piece in _heard(content(), watch, heard)]
    return Json(pieces[-1], 200, FRESH)


def streamed(
    work: Coroutine[Any, Any, bytes],
    watch: Watch,
    heard: Callable[[int, int], None] = lambda done, of: None,
) -> Response:
    """Progress as it comes, and then what the work makes, as events."""
    return StreamingResponse(_events(work, watch, heard), media_type=STREAM, headers=FRESH)


async def _heard(
    work: Any, watch: Watch, heard: Callable[[int, int], None]
) -> AsyncIterator[tuple[str, bytes]]:
    """Progress as it comes, and the result at last."""
    task, known = asyncio.create_task(work), (0, 0)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=LOOK_SECONDS)
            if (watch.done, watch.of) != known and not task.done():
                known = (watch.done, watch.of)
                heard(*known)
                yield "progress", orjson.dumps({"done": known[0], "of": known[1]})
        yield "result", task.result()
    finally:
        watch.on = False


async def _events(
    work: Any, watch: Watch, heard: Callable[[int, int], None]
) -> AsyncIterator[bytes]:
    try:
        async for event, data in _heard(work, watch, heard):
            yield b"event: %b\ndata: %b\n\n" % (event.encode(), data)
    except BackstepError as error:
        yield b"event: error\ndata: %b\n\n" % orjson.dumps(error_body(error))
    except Exception:
        yield b"event: error\ndata: %b\n\n" % orjson.dumps(error_body(BROKEN))
        raise
