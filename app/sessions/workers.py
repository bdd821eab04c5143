"""Threads for work that would hold up the event loop, and turns for long work: however many
sessions train, only one of them computes at a time and passes on after some milliseconds, so that
everybody else keeps stepping.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

THREADS = 16
PASS_SECONDS = 0.001


class Workers:
    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "backstep")
        self._lock = threading.Lock()
        self._waiting = 0
        self.stopping = False

    async def run(self, work: Callable[[], T]) -> T:
        """The result of work done in a thread. Who is cancelled meanwhile waits for its end all the
        same: what the work uses is locked by the caller and must not be let go before.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            with suppress(BaseException):
                await asyncio.wait([future])
            raise

    def take_turn(self) -> None:
        self._waiting += 1
        self._lock.acquire()
        self._waiting -= 1

    def pass_turn(self) -> None:
        """Let others go first, if there are any."""
        if self._waiting:
            self._lock.release()
            time.sleep(PASS_SECONDS)
            self.take_turn()

    def end_turn(self) -> None:
        self._lock.release()

    def close(self) -> None:
        self.stopping = True
        self._pool.shutdown(wait=False, cancel_futures=True)
