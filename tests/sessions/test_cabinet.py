"""Sessions that are idle are forgotten and come back; the oldest make room."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from app.sessions.desk import Desk
from app.sessions.errors import FullError, NotFoundError
from app.settings import Limits
from tests.sessions.desks import run, settings
from tests.sessions.specs import LINE

DAY = 86_400.0


def test_idle_sessions_leave_memory_and_come_back(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        ids = [(await desk.create(LINE)).id for _ in range(5)]
        assert list(desk.cabinet.memory) == ids[-2:], "two may stay"
        first = await desk.get(ids[0])
        assert list(desk.cabinet.memory) == [ids[4], ids[0]]
        one, two = await asyncio.gather(desk.get(ids[1]), desk.get(ids[1]))
        assert one is two
        first.touched -= 3_600
        desk.cabinet.sweep()
        assert ids[0] not in desk.cabinet.memory
        assert await desk.get(ids[0]) is first, "still in our hands: never two of one session"

    run(settings(tmp_path, limits=Limits(sessions_in_memory=2)), work)


def test_who_is_being_used_stays(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        s.touched = 0.0
        async with s.engine:
            desk.cabinet.sweep()
            assert s.id in desk.cabinet.memory
        desk.cabinet.store.touch(s.id, time.time())
        desk.cabinet.sweep()
        assert s.id not in desk.cabinet.memory

    run(settings(tmp_path), work)


def test_sessions_expire(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []

    async def work(desk: Desk) -> None:
        old, older, fresh = [(await desk.create(LINE)).id for _ in range(3)]
        desk.cabinet.memory.clear()
        desk.cabinet.store.touch(old, time.time() - 2 * DAY)
        desk.cabinet.store.touch(older, time.time() - 3 * DAY)
        with pytest.raises(NotFoundError, match="expired after 1 days without use"):
            await desk.get(old)
        desk.cabinet.sweep()
        assert told == [(old, "deleted"), (older, "deleted")]
        assert desk.cabinet.store.count() == 1
        await desk.get(fresh)

    run(
        settings(tmp_path, expiry_days=1.0),
        work,
        publish=lambda id, event, data: told.append((id, event)),
    )


def test_reading_is_use(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        s.touched -= 3_600
        desk.cabinet.store.touch(s.id, s.touched)
        await desk.get(s.id)
        record = desk.cabinet.store.load(s.id)
        assert record is not None and record.touched > time.time() - 10

    run(settings(tmp_path), work)


def test_the_oldest_idle_ones_make_room(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        ids = [(await desk.create(LINE)).id for _ in range(3)]
        with pytest.raises(FullError, match=r"at most 3 sessions \(BACKSTEP_SESSIONS\)"):
            await desk.create(LINE)
        for id, hours in zip(ids, (1, 3, 2), strict=True):
            desk.cabinet.store.touch(id, time.time() - 3_600 * hours)
        desk.cabinet.memory.clear()
        new = await desk.create(LINE)
        assert desk.cabinet.store.load(ids[1]) is None
        assert all(desk.cabinet.store.load(id) for id in (ids[0], ids[2], new.id))

    run(settings(tmp_path, limits=Limits(sessions=3)), work)


def test_zero_sessions_means_none_at_all(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        with pytest.raises(FullError):
            await desk.create(LINE)

    run(settings(tmp_path, limits=Limits(sessions=0)), work)
