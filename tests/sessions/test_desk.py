"""The desk keeps before it answers, forgets what is idle, makes room, and lets nobody starve."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.engine.errors import BackstepError, LimitError
from app.sessions.actions import Seek, Step, Train
from app.sessions.desk import Desk
from app.sessions.errors import FullError, NotFoundError, StaleError
from app.sessions.frames import Leg, Legs
from app.sessions.moment import Moment
from app.sessions.session import Session
from app.settings import Limits, Settings
from tests.sessions.specs import LINE, NETWORK

DAY = 86_400.0


def settings(tmp_path: Path, *, limits: Limits | None = None, **more: Any) -> Settings:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    return Settings(store=store, browser=False, limits=limits or Limits(), **more)


def run(chosen: Settings, work: Callable[[Desk], Awaitable[Any]], **more: Any) -> Any:
    async def whole() -> Any:
        desk = Desk(chosen, **more)
        try:
            return await work(desk)
        finally:
            await desk.close()

    return asyncio.run(whole())


async def put(desk: Desk, s: Session, node: str, value: Any) -> Any:
    return await desk.change(s, lambda: [s.value_change(node, value)], effect=True)


def test_another_process_goes_on_where_one_ended(tmp_path: Path) -> None:
    async def first(desk: Desk) -> tuple[str, Any, list[bytes]]:
        s = await desk.create(NETWORK)
        await desk.move(s, Step(5))
        await put(desk, s, "2.bias", [0.5])
        await desk.move(s, Train(iterations=30))
        await desk.move(s, Step(4))
        return s.id, await desk.face(s), await desk.frames(s, 30, 0, s.of(30))

    async def second(desk: Desk) -> None:
        s = await desk.get(id)
        assert await desk.face(s) == face
        assert await desk.frames(s, 30, 0, s.of(30)) == frames
        assert s.history(0, None)["iteration"] == list(range(30))

    chosen = settings(tmp_path)
    id, face, frames = run(chosen, first)
    run(chosen, second)


def test_steps_answer_with_the_frames_run_or_undone(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        of = s.of(0)
        all_of_it = await desk.frames(s, 0, 0, of) + await desk.frames(s, 1, 0, of)
        _, on = await desk.move(s, Step(of + 3))
        assert on == all_of_it[: of + 3] and s.position == (1, 3)
        _, back = await desk.move(s, Step(-5))
        assert back == all_of_it[of - 2 : of + 3][::-1] and s.position == (0, of - 2)
        _, phase = await desk.move(s, Step(1, "phase"))
        assert phase == all_of_it[of - 2 : of]
        for quiet in (Step(1, "iteration"), Seek(0, 2)):
            assert (await desk.move(s, quiet))[1] == []
        assert (await desk.move(s, Step(1), frames=False))[1] == []

    run(settings(tmp_path), work)


def test_a_revision_counts_changes_and_only_those(tmp_path: Path) -> None:
    told: list[str] = []

    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        assert s.revision == 1
        await desk.move(s, Step(-1))
        await desk.move(s, Seek(0, 0))
        assert (s.revision, told) == (1, [])
        await desk.move(s, Step(1))
        await put(desk, s, "w", 3)
        assert (s.revision, told) == (3, ["session", "session"])
        for make in (
            lambda: desk.move(s, Step(1), lambda r: r == 2),
            lambda: desk.delete(s.id, lambda r: r == 2),
        ):
            with pytest.raises(StaleError) as error:
                await make()
            assert error.value.revision == 3
        assert s.position == (0, 1)

    run(settings(tmp_path), work, publish=lambda id, event, data: told.append(event))


def test_a_call_that_the_store_refuses_has_not_happened(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        await desk.move(s, Step(3))
        before = await desk.face(s)
        store = desk.cabinet.store
        desk.cabinet._store = Broken(store)  # type: ignore[assignment]
        with pytest.raises(sqlite3.OperationalError):
            await desk.move(s, Step(1))
        assert await desk.face(s) == before
        with pytest.raises(sqlite3.OperationalError):
            await put(desk, s, "w", 100)
        desk.cabinet._store = store
        again = await desk.get(s.id)
        assert again is not s, "the run has the change already, so it is read anew"
        assert await desk.face(again) == before
        assert again.log == []

    run(settings(tmp_path), work)


class Broken:
    """A store whose disk is full."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def move(self, *_: Any) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    change = move


def test_a_change_by_another_process_is_no_lost_update(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        other = Desk(desk.settings)
        theirs = await other.get(s.id)
        await other.move(theirs, Step(5))
        with pytest.raises(StaleError):
            await desk.move(s, Step(1))
        again = await desk.get(s.id)
        assert again.position == (0, 5)
        await desk.move(again, Step(1))
        await other.close()

    run(settings(tmp_path), work)


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


def test_far_moves_have_limits(tmp_path: Path) -> None:
    limits = Limits(
        iterations_per_request=50,
        iterations_per_session=70,
        steps_per_request=20,
        frames_per_request=10,
    )

    async def work(desk: Desk) -> None:
        s = await desk.create(LINE)
        for move, name in (
            (Train(iterations=51), "ITERATIONS_PER_REQUEST"),
            (Step(51, "iteration"), "ITERATIONS_PER_REQUEST"),
            (Seek(51, 0), "ITERATIONS_PER_REQUEST"),
            (Step(21), "STEPS_PER_REQUEST"),
            (Step(-(10**30)), "STEPS_PER_REQUEST"),
            (Step(10**30, "epoch"), "ITERATIONS_PER_SESSION"),
            (Step(11), "FRAMES_PER_REQUEST"),
        ):
            with pytest.raises(LimitError, match=f"BACKSTEP_{name}"):
                await desk.move(s, move)
        assert (s.position, s.revision) == ((0, 0), 1)
        await desk.move(s, Step(20), frames=False)
        await desk.move(s, Train(iterations=50))
        with pytest.raises(LimitError, match="BACKSTEP_ITERATIONS_PER_SESSION"):
            await desk.move(s, Train(iterations=30))
        await desk.move(s, Step(-(10**30), "epoch"))
        await desk.move(s, Seek(50, 1))
        with pytest.raises(BackstepError, match="iteration 50 has"):
            await desk.move(s, Seek(50, 99))

    run(settings(tmp_path, limits=limits), work)


def test_everybody_on_one_lesson_shares_its_frames(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        one, two = await desk.create(LINE), await desk.create(LINE)
        a, b = await desk.frames(one, 0, 0, 5), await desk.frames(two, 0, 0, 5)
        assert all(x is y for x, y in zip(a, b, strict=True))
        await put(desk, two, "w", 5)
        assert await desk.frames(two, 0, 0, 5) != a
        assert await desk.frames(one, 0, 0, 5) == a

    run(settings(tmp_path), work)


def test_frames_that_nobody_wants_go_first() -> None:
    legs = Legs(most_bytes=1_000)
    for i in range(5):
        legs.put((b"run", i), Leg([None, 1.0]))
        legs.add((b"run", i), {0: b"x" * 100})
        legs.get((b"run", 0))
    assert legs.get((b"run", 0)) and legs.get((b"run", 4))
    assert legs.get((b"run", 1)) is None
    assert legs.size <= 1_000
    legs.add((b"run", 1), {0: b"late"})
    assert legs.size <= 1_000


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


def test_a_session_may_begin_anywhere(tmp_path: Path) -> None:
    async def work(desk: Desk) -> None:
        changes = [{"type": "settings", "iteration": 2, "lr": 0.5}]
        s = await desk.create(NETWORK, changes=changes, position=Moment(4, 3), title="Mine")
        assert (s.position, s.seen, s.title, s.log) == ((4, 3), (4, 3), "Mine", changes)
        with pytest.raises(BackstepError, match="iteration 0 has"):
            await desk.create(LINE, position=Moment(0, 99))
        with pytest.raises(BackstepError, match="must be a whole number"):
            await desk.create(LINE, changes=[{"type": "nothing"}])
        with pytest.raises(LimitError):
            await desk.create(LINE, position=Moment(10**9, 0))
        assert desk.cabinet.store.count() == 1

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
