"""The desk keeps before it answers, and answers with what was done."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app.engine.errors import BackstepError, LimitError
from app.sessions.actions import Seek, Step, Train
from app.sessions.desk import Desk
from app.sessions.errors import StaleError
from app.sessions.frames import Leg, Legs
from app.sessions.moment import Moment
from app.settings import Limits
from tests.sessions.desks import put, run, settings
from tests.sessions.specs import LINE, NETWORK


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
