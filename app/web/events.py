"""Server-sent events for everybody who follows a session. A message is written once and put into
each listener's small queue; who reads too slowly loses the oldest, since only the latest state
matters.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from app.sessions.errors import FullError
from app.sessions.frames import encode

QUEUE = 16
ALIVE_SECONDS = 15.0
COMMENT = b": still here\n\n"

Queue = asyncio.Queue[bytes | None]


class StreamsError(FullError):
    """Too many listeners on one session."""

    code = "too_many_streams"


def message(event: str, data: dict[str, Any]) -> bytes:
    """As it goes over the wire; the revision is the event's id."""
    head = f"event: {event}\n"
    if "revision" in data:
        head += f"id: {data['revision']}\n"
    return head.encode() + b"data: " + encode(data) + b"\n\n"


class Hub:
    def __init__(self) -> None:
        self.listeners: dict[str, set[Queue]] = {}
        self.others: list[Callable[[str, str, dict[str, Any]], None]] = []  # who wants to know, too

    def publish(self, id: str, event: str, data: dict[str, Any]) -> None:
        """To be called in the event loop."""
        for tell in self.others:
            tell(id, event, data)
        queues = self.listeners.get(id)
        if not queues:
            return
        text = message(event, data)
        for queue in list(queues):
            self._put(queue, text)
            if event == "deleted":
                self._put(queue, None)

    @staticmethod
    def _put(queue: Queue, text: bytes | None) -> None:
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(text)

    def listen(self, id: str, most: int, first: bytes) -> AsyncIterator[bytes]:
        """What a response streams; it begins with the state as it is now."""
        queues = self.listeners.setdefault(id, set())
        if len(queues) >= most:
            raise StreamsError(
                f"at most {most} event streams may be open on one session "
                "(BACKSTEP_STREAMS_PER_SESSION)",
                where=id,
            )
        queue: Queue = asyncio.Queue(QUEUE)
        queues.add(queue)
        queue.put_nowait(b"retry: 1000\n\n" + first)
        return self._stream(id, queue)

    async def _stream(self, id: str, queue: Queue) -> AsyncIterator[bytes]:
        try:
            while (text := await queue.get()) is not None:
                yield text
        finally:
            queues = self.listeners.get(id, set())
            queues.discard(queue)
            if not queues:
                self.listeners.pop(id, None)

    async def tend(self, stopping: asyncio.Event) -> None:
        """One task for all streams: a sign of life now and then, an end when the server ends."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), ALIVE_SECONDS)
            except TimeoutError:
                self._all(COMMENT)
        self._all(None)

    def _all(self, text: bytes | None) -> None:
        for queues in list(self.listeners.values()):
            for queue in list(queues):
                self._put(queue, text)
