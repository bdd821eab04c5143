"""A session taken apart into numbers and put together again: the same values, the same changes, the
same place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.types import GRAD, VALUE
from app.sessions.actions import Seek, Train
from app.sessions.desk import Desk
from app.sessions.errors import StaleError
from app.sessions.moment import Moment
from app.sessions.scalars import apart, exploded, scalars_view
from app.sessions.session import Session
from app.settings import Settings
from app.train.run import Run

NETWORK: dict[str, Any] = {
    "model": {
        "layers": [
            {"type": "linear", "out_features": 3},
            {"type": "tanh"},
            {"type": "linear", "out_features": 1},
        ]
    },
    "loss": "mse",
    "data": {"inputs": [[1.0, 2.0], [0.5, -1.0]], "targets": [[1.0], [0.0]]},
    "optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.9},
}
THREE = {"inputs": [[1.0, 2.0], [0.5, -1.0], [0.0, 1.0]], "targets": [[1.0], [0.0], [1.0]]}


def at_a_desk(work: Any) -> Any:
    async def run() -> Any:
        desk = Desk(Settings(store="sqlite://"))
        try:
            return await work(desk)
        finally:
            await desk.close()

    return asyncio.run(run())


async def to(desk: Desk, session: Session, iteration: int, step: int) -> None:
    await desk.move(session, Seek(iteration, step))


def numbers(session: Session, slot: str) -> dict[str, Any]:
    """Every tensor at the session's place, from its numbers if it is taken apart."""
    slots = session.run.slots(*session.position)
    if not apart(session):
        return {n: v for (n, s), v in slots.items() if s == slot}
    there = exploded(session, session.position.iteration)
    known = {n: v for (n, s), v in slots.items() if s == slot}
    return {
        name: there.gather(name, known)
        for name, places in there.places.items()
        if all(scalar in known for scalar in places.values())
    }


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() <= b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_every_place_of_an_iteration_is_kept_with_its_numbers() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(NETWORK)
        plan = session.run.plan(1)
        for step in range(0, session.of(1) + 1, 3):
            await to(desk, session, 1, step)
            values, grads = numbers(session, VALUE), numbers(session, GRAD)
            await desk.turn(session, "scalars", True, None)
            assert apart(session) and session.position.iteration == 1
            same(values, numbers(session, VALUE))
            same(grads, numbers(session, GRAD))
            await desk.turn(session, "scalars", False, None)
            assert session.position == Moment(1, step), (step, plan[step - 1])

    at_a_desk(work)


def test_the_chosen_node_and_the_step_inside_a_tensor_lead_to_the_tensor() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(NETWORK)
        assert await desk.turn(session, "scalars", True, "0.weight") == "0.weight[0,0]"
        steps = session.run.plan(0)
        product = next(k for k, s in enumerate(steps) if s.node == "0.z[1,2].mul")
        await to(desk, session, 0, product + 1)
        assert await desk.turn(session, "scalars", False, "0.z[1,2].mul_2") == "0.z"
        done = session.run.plan(0)[session.position.step - 1]
        assert (done.phase, done.node) == ("forward", "0.z")
        assert await desk.turn(session, "scalars", True, "nothing") is None

    at_a_desk(work)


def test_what_was_changed_by_hand_goes_along_both_ways() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(NETWORK)
        await to(desk, session, 2, 0)
        weight = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
        await desk.change(session, lambda: [session.value_change("0.weight", weight)])
        await desk.change(session, lambda: session.setting_changes({"lr": 0.01}))
        await to(desk, session, 4, 5)
        before = numbers(session, VALUE)
        await desk.turn(session, "scalars", True, None)
        same(before, numbers(session, VALUE))
        await desk.change(session, lambda: [session.value_change("0.weight[2,1]", -1.0)])
        await to(desk, session, 6, 0)
        edited = numbers(session, VALUE)["0.weight"]
        await desk.turn(session, "scalars", False, None)
        np.testing.assert_allclose(numbers(session, VALUE)["0.weight"], edited, rtol=1e-9)
        assert [change["iteration"] for change in session.log] == [2, 2, 4]

    at_a_desk(work)


def test_a_session_far_along_is_turned_without_training_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Arrays train, numbers are looked at: nothing drifts apart, however long the run."""
    replayed: list[int] = []
    replay = Run._replay

    def counted(run: Run, slots: Any, start: int, stop: int, progress: Any) -> Any:
        found = replay(run, slots, start, stop, progress)
        replayed.append(found[1] - start)
        return found

    async def work(desk: Desk) -> None:
        session = await desk.create(NETWORK)
        await desk.move(session, Train(1_000))
        losses = session.history()["train_loss"]
        monkeypatch.setattr(Run, "_replay", counted)
        for scalars in (True, False, True):
            await desk.turn(session, "scalars", scalars, None)
            assert session.history()["train_loss"] == losses
        await desk.leg(session, 1_000)
        assert sum(replayed) <= 2, "what lies behind is known"
        await to(desk, session, 1_200, 7)
        await to(desk, session, 31, 7)
        await desk.turn(session, "scalars", False, None)
        there = {name: numbers(session, VALUE)[name] for name in ("0.weight", "2.bias")}
        again = Session(session.record(), session.limits)
        again.reach(31)
        for name, array in there.items():
            assert np.array_equal(again.leaf(31, name), array), "bit for bit"

    at_a_desk(work)


def test_a_number_changed_far_along_is_found_again_after_a_restart() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(NETWORK)
        await desk.move(session, Train(40))
        await desk.turn(session, "scalars", True, None)
        await desk.change(session, lambda: [session.value_change("0.weight[2,1]", 3.0)])
        await desk.change(session, lambda: [session.value_change("input[1,0]", -2.0)])
        await desk.move(session, Train(40))
        again = Session(session.record(), session.limits)
        again.reach(80)
        assert again.history() == session.history()
        place = {name: again.leaf(80, name) for name in ("0.weight[2,1]", "2.weight[0,0]")}
        assert place == {name: session.leaf(80, name) for name in place}
        await desk.turn(session, "scalars", False, None)
        whole = Session(session.record(), session.limits)
        whole.reach(80)
        assert whole.history() == again.history()
        assert whole.leaf(40, "0.weight")[2, 1] == 3.0
        assert whole.leaf(40, "input")[1, 0] == -2.0 == whole.leaf(80, "input")[1, 0]
        assert whole.leaf(39, "input")[1, 0] == 0.5

    at_a_desk(work)


def test_it_is_kept_and_comes_back_after_a_restart(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 's.db'}"

    async def first() -> tuple[str, int]:
        desk = Desk(Settings(store=store))
        session = await desk.create(NETWORK, lesson=None, title="Two layers")
        await to(desk, session, 1, 4)
        await desk.turn(session, "scalars", True, None)
        with pytest.raises(StaleError):
            await desk.turn(session, "scalars", False, None, lambda revision: revision == 1)
        found = session.id, session.position.step
        await desk.close()
        return found

    async def second(id: str, step: int) -> None:
        desk = Desk(Settings(store=store))
        session = await desk.get(id)
        assert apart(session) and session.position == Moment(1, step)
        await desk.turn(session, "scalars", False, None)
        assert session.position == Moment(1, 4) and session.title == "Two layers"
        await desk.close()

    asyncio.run(second(*asyncio.run(first())))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"batch_size": 1, "checkpoint": 1}, "is shown without checkpoint"),
        ({"batch_size": 2, "data": THREE}, "every batch must have the same size"),
        ({"model": {"layers": [{"type": "linear", "out_features": 900}]}}, "at most 1,000 entries"),
    ],
)
def test_what_cannot_be_taken_apart_stays_as_it_is(more: dict[str, Any], words: str) -> None:
    spec = {**NETWORK, **more}
    if "model" in more:
        spec["data"] = {"inputs": [[1.0, 2.0]], "targets": [[0.0] * 900]}

    async def work(desk: Desk) -> None:
        session = await desk.create(spec)
        with pytest.raises(BackstepError, match=words):
            await desk.turn(session, "scalars", True, None)
        assert not apart(session) and session.revision == 1
        assert words in scalars_view(session, 0)["why"]

    at_a_desk(work)


def test_the_view_says_which_number_is_which_node() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(NETWORK)
        before = scalars_view(session, 0)
        await desk.turn(session, "scalars", True, None)
        after = scalars_view(session, 0)
        assert (before["scalars"], after["scalars"]) == (False, True)
        assert before["tensors"] == after["tensors"] and before["why"] is None
        assert after["nodes"] == len(session.run.graph(0).nodes)
        assert after["tensors"]["0.weight"]["nodes"][2][1] == "0.weight[2,1]"

    at_a_desk(work)
