"""Long experiments in processes of their own: the same numbers, an early end, none left over."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.engine.errors import BackstepError, LimitError
from app.lab.sweep import judged, lane_tasks, sweep
from app.sessions.processes import SLOTS, Processes, Progress, Watch

BOWL = {"program": "L = x**2", "values": {"x": 3}}
LANES = [{"lr": 0.1}, {"lr": 1.1}, {"optimizer": {"type": "adam", "lr": 0.1}}]


def square(n: int, progress: Progress) -> tuple[int, int]:
    return n * n, os.getpid()


def endless(progress: Progress) -> int:
    done = 0
    while progress(done, 10**9):
        done += 1
        time.sleep(0.001)
    return done


def refuse(progress: Progress) -> None:
    raise LimitError("a thing may have at most 3 parts: 4", where="parts")


def crash(progress: Progress) -> None:
    os._exit(1)


def test_what_they_do() -> None:
    """One pool for all of it, as starting one takes a second."""

    async def run() -> None:
        processes = Processes(2)
        try:
            squares = await processes.run([partial(square, n) for n in range(5)], Watch())
            assert [n for n, _ in squares] == [0, 1, 4, 9, 16]
            assert os.getpid() not in {pid for _, pid in squares}
            lanes = judged(await processes.run(lane_tasks(BOWL, LANES, 40), Watch()))
            assert lanes == sweep(BOWL, LANES, 40)  # to the last digit
            await an_early_end(processes)
            with pytest.raises(BackstepError, match="at most 3 parts") as told:
                await processes.run([refuse], Watch())
            assert told.value.where == "parts"
            with pytest.raises(Exception, match="terminated abruptly"):
                await processes.run([crash], Watch())
            assert [n for n, _ in await processes.run([partial(square, 3)], Watch())] == [9]
            await asyncio.sleep(0.1)
            assert len(processes._free) == SLOTS
        finally:
            processes.close()

    asyncio.run(run())


async def an_early_end(processes: Processes) -> None:
    watch = Watch()
    task = asyncio.create_task(processes.run([endless, endless, endless], watch))
    while not watch.done:
        await asyncio.sleep(0.01)
    assert watch.of == 3 * 10**9
    watch.on = False
    assert all(done >= 0 for done in await asyncio.wait_for(task, 2))


NET = [{"type": "linear", "out_features": 64}, {"type": "tanh"}] * 3
LONG: dict[str, Any] = {
    "spec": {
        "model": {"layers": [*NET, {"type": "linear", "out_features": 1}]},
        "loss": "bce_with_logits",
        "data": {"dataset": "moons", "samples": 2000},
    },
    "lanes": [{"lr": 0.1}, {"lr": 0.2}],
    "iterations": 5000,
}


def children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGKILL], ids=str)
def test_they_end_with_the_server(start_server: Callable[..., Any], sig: signal.Signals) -> None:
    server = start_server()
    assert server.process is not None
    with server.client() as client:
        asked = {"accept": "text/event-stream"}
        with client.stream("POST", "/api/sweeps", json=LONG, headers=asked) as answer:
            assert next(answer.iter_lines()) == "event: progress"
            assert client.get("/api/health").elapsed.total_seconds() < 0.5
            there = children(server.process.pid)
            assert len(there) >= 2
            began = time.monotonic()
            os.kill(server.process.pid, sig)
            server.process.wait(5)
            assert time.monotonic() - began < 2.5
    until = time.monotonic() + 5
    while left := [pid for pid in there if running(pid)]:
        assert time.monotonic() < until, f"left over: {left}"
        time.sleep(0.05)


def running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
