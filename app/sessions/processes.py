"""Processes for long experiments, so that the server's own one stays free for everybody's steps.

They are started when first needed and end with the server, however that ends: each listens at a
pipe whose other end only the server holds. Progress and the wish to stop lie in shared memory: a
few numbers for each task.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from app.sessions.errors import FullError

T = TypeVar("T")

Progress = Callable[[int, int], bool]
"""Called with what is done and what is wanted; False ends the work there."""
Task = Callable[[Progress], T]
"""What can be sent to another process: a function of a module, or a partial of one."""

SLOTS = 256  # tasks at once
DONE, OF, STOP, WIDTH = 0, 1, 2, 3
LOOK_SECONDS = 0.05
REST_SECONDS = 300.0  # unused for so long, the processes end

_slots: Any = None


def _begin(lifeline: Connection, slots: Any) -> None:
    """In a new process: Ctrl-C in the terminal is the server's, which then closes the pipe."""
    global _slots
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _slots = slots
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv()
    os._exit(0)


def _work(slot: int, task: Task[T]) -> T:
    slots, first = _slots, slot * WIDTH

    def progress(done: int, of: int) -> bool:
        slots[first + DONE], slots[first + OF] = done, of
        return not slots[first + STOP]

    return task(progress)


class Watch:
    """What the two sides of a long work tell each other."""

    def __init__(self) -> None:
        self.done, self.of, self.on = 0, 0, True

    def told(self, parts: Sequence[tuple[int, int]]) -> None:
        """Those that have not begun are taken to be as long as the longest."""
        most = max((of for _, of in parts), default=0)
        self.done, self.of = sum(done for done, _ in parts), sum(of or most for _, of in parts)


class Processes:
    def __init__(self, count: int) -> None:
        self.count = count or max(1, (os.cpu_count() or 2) - 1)
        self.stopping = False
        self._pool: ProcessPoolExecutor | None = None
        self._writer: Connection | None = None
        self._context = multiprocessing.get_context("spawn")
        self._slots: Any = None
        self._free = list(range(SLOTS))
        self._used = 0.0

    async def run(self, tasks: Sequence[Task[T]], watch: Watch) -> list[T]:
        """Their results in order. Should a process die under its work, it is done once more."""
        for last in (False, True):
            try:
                return await self._run(tasks, watch)
            except BrokenProcessPool:
                self._drop()
                if self.stopping:
                    raise asyncio.CancelledError from None
                if last:
                    raise
        raise AssertionError

    async def _run(self, tasks: Sequence[Task[T]], watch: Watch) -> list[T]:
        if len(self._free) < len(tasks):
            raise FullError("too many experiments are under way; try again in a moment")
        pool = self._ready()
        slots = [self._free.pop() for _ in tasks]
        memory = self._slots
        for slot in slots:
            memory[slot * WIDTH : (slot + 1) * WIDTH] = [0, 0, 0]
        futures: list[asyncio.Future[T]] = []
        try:
            for slot, task in zip(slots, tasks, strict=True):
                job = pool.submit(_work, slot, task)
                job.add_done_callback(partial(self._over, slot))
                futures.append(asyncio.wrap_future(job))
            while not all(future.done() for future in futures):
                await asyncio.wait(futures, timeout=LOOK_SECONDS)
                watch.told([(memory[s * WIDTH + DONE], memory[s * WIDTH + OF]) for s in slots])
                if self.stopping or not watch.on:
                    self._stop(slots)
            return [future.result() for future in futures]
        finally:
            self._stop(slots)
            self._free += slots[len(futures) :]
            for future in futures:
                future.cancel()
                future.add_done_callback(_heard)

    def _over(self, slot: int, job: Future[Any]) -> None:
        self._free.append(slot)

    def _stop(self, slots: Sequence[int]) -> None:
        for slot in slots:
            self._slots[slot * WIDTH + STOP] = 1

    def _ready(self) -> ProcessPoolExecutor:
        self._used = time.monotonic()
        if self._pool is None:
            reader, self._writer = self._context.Pipe(duplex=False)
            self._slots = self._slots or self._context.RawArray("q", SLOTS * WIDTH)
            self._pool = ProcessPoolExecutor(
                self.count,
                mp_context=self._context,
                initializer=_begin,
                initargs=(reader, self._slots),
            )
        return self._pool

    def _drop(self) -> None:
        pool, self._pool = self._pool, None
        if self._writer is not None:
            self._writer.close()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def rest(self) -> None:
        """End them while nobody needs them."""
        idle = len(self._free) == SLOTS and time.monotonic() - self._used > REST_SECONDS
        if self._pool is not None and idle:
            self._drop()

    def close(self) -> None:
        self.stopping = True
        self._drop()


def _heard(future: asyncio.Future[Any]) -> None:
    """An error that nobody waits for any more is no news."""
    if not future.cancelled():
        future.exception()
