"""Long work lets others go first, can be ended, and leaves nothing half done."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from app.sessions.actions import Step, Train
from app.sessions.desk import Desk
from app.sessions.frames import Legs
from tests.sessions.desks import put, run, settings
from tests.sessions.specs import LINE, NETWORK


def test_training_can_be_ended_early_and_stands_where_it_ended(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        training = asyncio.create_task(desk.move(s, Train(iterations=90_000)))
        while not seen:
            await asyncio.sleep(0.01)
        s.stopped = True
        face, _ = await training
        at = face["position"]["iteration"]
        assert 0 < at < 90_000 and face["position"]["step"] == 0
        assert len(s.history(0, None)["iteration"]) == at == s.seen.iteration
        assert seen[0]["of"] == 90_000 and isinstance(seen[0]["loss"], float)
        await desk.move(s, Train(iterations=10))
        assert s.position == (at + 10, 0)

    def publish(id: str, event: str, data: dict[str, Any]) -> None:
        if event == "progress":
            seen.append(data)

    run(settings(tmp_path), work, publish=publish)


def test_who_hangs_up_leaves_nothing_half_done(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        calls = [
            asyncio.create_task(desk.move(s, Train(iterations=3_000))),
            asyncio.create_task(put(desk, s, "w", 4)),
            asyncio.create_task(desk.frames(s, 5, 0, 3)),
        ]
        await asyncio.sleep(0.02)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert not s.turn.locked() and not s.engine.locked()
        record = desk.cabinet.store.load(s.id)
        assert record is not None
        assert (record.position, record.revision) == (s.position, s.revision)
        assert len(s.history(0, None)["iteration"]) == s.position.iteration
        await desk.move(s, Train(iterations=5))

    run(settings(tmp_path), work)


def test_others_step_while_many_train(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        mine = await desk.create(LINE)
        await desk.frames(mine, 0, 0, mine.of(0))
        others = [await desk.create(NETWORK) for _ in range(4)]
        training = [asyncio.create_task(desk.move(s, Train(iterations=4_000))) for s in others]
        await asyncio.sleep(0.05)
        took = []
        while not all(task.done() for task in training):
            started = time.perf_counter()
            await desk.move(mine, Step(1 if mine.position.step == 0 else -1))
            took.append(time.perf_counter() - started)
            await asyncio.sleep(0.002)
        await asyncio.gather(*training)
        assert all(s.position == (4_000, 0) for s in others)
        took.sort()
        assert len(took) > 50
        assert took[len(took) // 2] < 0.02, "mostly a fraction of a millisecond"

    run(settings(tmp_path), work)


def test_ending_the_server_ends_long_work(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        stopping = asyncio.Event()
        ending = asyncio.create_task(desk.end_with(stopping))
        training = asyncio.create_task(desk.move(s, Train(iterations=100_000)))
        await asyncio.sleep(0.1)
        stopping.set()
        await asyncio.wait_for(training, 2)
        await ending
        record = desk.cabinet.store.load(s.id)
        assert record is not None and record.position == s.position < (100_000, 0)

    run(settings(tmp_path), work)


def test_reading_while_somebody_changes_sees_before_or_after(tmp_path: Path) -> None:
    """Never a bit of both: each answer's frames are those of one of the values that were set."""

    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        allowed = set()
        for value in range(12):
            fresh = await desk.create(LINE)
            await put(desk, fresh, "w", float(value))
            allowed.add(b"".join(await desk.frames(fresh, 0, 0, fresh.of(0))))
        await put(desk, s, "w", 0.0)
        desk.legs = Legs()

        async def change() -> None:
            for value in range(12):
                await put(desk, s, "w", float(value))

        async def read() -> None:
            for _ in range(30):
                found = await desk.frames(s, 0, 0, s.of(0))
                assert b"".join(found) in allowed
                face = await desk.face(s)
                assert face["revision"] <= s.revision
                await asyncio.sleep(0)

        await asyncio.gather(change(), read(), read())

    run(settings(tmp_path), work)
