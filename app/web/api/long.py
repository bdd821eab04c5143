"""Long work: in a thread, in turns with others, and only while somebody waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from app.sessions.desk import Desk
from app.web.api.answers import desk_of

T = TypeVar("T")

KeepOn = Callable[[], bool]
"""To be asked now and then: it lets others go first, and says whether to go on."""

LOOK_SECONDS = 0.2  # between two looks whether somebody still waits for the answer


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


async def awaited(
    request: Request, work: Callable[[KeepOn], T], wanted: Callable[[], bool] = lambda: True
) -> T:
    """The result; the work is told to end when the caller hangs up."""
    desk, there = desk_of(request), True
    task = asyncio.create_task(desk.workers.run(in_turn(desk, work, lambda: there and wanted())))
    try:
        while not task.done():
            await asyncio.wait([task], timeout=LOOK_SECONDS)
            there = there and not await request.is_disconnected()
    finally:
        there = False
    return task.result()
