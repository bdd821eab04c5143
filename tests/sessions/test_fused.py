"""A session whose recurrent layers are fused for training and shown step by step again: the same
numbers, changes and place, and nothing that is known is trained again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.types import VALUE
from app.sessions.actions import Train
from app.sessions.desk import Desk
from app.sessions.moment import Moment
from app.sessions.session import Session
from tests.sessions.test_scalars import NETWORK, at_a_desk, to

SEQUENCE: dict[str, Any] = {
    "model": {
        "layers": [
            {"type": "rnn", "hidden_size": 3, "num_layers": 2, "return_sequences": False},
            {"type": "linear", "out_features": 1},
        ]
    },
    "loss": "mse",
    "data": {
        "inputs": np.random.default_rng(3).normal(size=(4, 5, 2)).tolist(),
        "targets": [[0.1], [0.4], [-0.3], [0.2]],
    },
    "optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.9},
}


def parameters(session: Session) -> dict[str, Any]:
    slots = session.run.slots(*session.position)
    graph = session.run.graph(session.position.iteration)
    return {node.name: slots[node.name, VALUE] for node in graph.kind("parameter")}


def last(session: Session) -> tuple[str, str | None]:
    step = session.run.plan(session.position.iteration)[session.position.step - 1]
    return step.phase, step.node


def test_a_run_is_fused_and_unrolled_with_its_numbers_changes_and_place() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(SEQUENCE)
        plain = await desk.create(SEQUENCE)
        for one in (session, plain):
            await desk.move(one, Train(20))
            await desk.change(one, lambda one=one: one.setting_changes({"lr": 0.05}))  # type: ignore[misc]
        known = list(session.run.history.train_loss[:20])
        forward = [k for k, s in enumerate(session.run.plan(20)) if s.node == "0.h_3"]
        await to(desk, session, 20, forward[0] + 1)
        assert await desk.turn(session, "fused", True, "0.h_2") == "0.l1_H"
        assert last(session) == ("forward", "0.l1_H") and session.position.iteration == 20
        assert await desk.turn(session, "fused", True, "1.bias") == "1.bias"
        for one in (session, plain):
            await desk.move(one, Train(20))
        assert list(session.run.history.train_loss[:20]) == known, "what lies behind stays"
        assert session.log == plain.log
        np.testing.assert_allclose(
            session.run.history.train_loss[:40], plain.run.history.train_loss[:40], rtol=1e-12
        )
        await to(desk, session, 31, session.of(31))
        fused = parameters(session)
        await desk.turn(session, "fused", False, None)
        assert (
            session.position == Moment(31, session.of(31))
            and "0.l1_h_5" in session.run.graph(31).nodes
        )
        await to(desk, plain, 31, plain.of(31))
        for name, value in parameters(plain).items():
            for other in (fused[name], parameters(session)[name]):
                np.testing.assert_allclose(other, value, rtol=1e-12, atol=1e-14)
        again = Session(session.record(), session.limits)
        again.reach(40)
        assert again.history() == session.history()
        assert again.key(31) == session.key(31)

    at_a_desk(work)


def test_before_anything_is_trained_nothing_is_left_unfused() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(SEQUENCE)
        await to(desk, session, 0, 4)
        await desk.turn(session, "fused", True, None)
        assert b'"fused":true' in session.document
        await desk.turn(session, "fused", False, None)
        assert b'"fused":{"shown":false}' in session.document
        await desk.turn(session, "scalars", True, None)
        with pytest.raises(BackstepError, match="numbers together"):
            await desk.turn(session, "fused", True, None)
        await desk.turn(session, "scalars", False, None)
        assert "0.h_1" in session.run.graph(0).nodes

    at_a_desk(work)


def test_a_layer_that_its_spec_fuses_is_shown_step_by_step_and_keeps_what_was_trained() -> None:
    layers = [dict(SEQUENCE["model"]["layers"][0], fused=True), SEQUENCE["model"]["layers"][1]]

    async def work(desk: Desk) -> None:
        session = await desk.create({**SEQUENCE, "model": {"layers": layers}})
        await desk.move(session, Train(30))
        losses = session.history()["train_loss"]
        assert await desk.turn(session, "fused", False, "0.l1_H") == "0.l1_h_5"
        assert session.history()["train_loss"] == losses
        again = Session(session.record(), session.limits)
        again.reach(30)
        assert again.history()["train_loss"] == losses

    at_a_desk(work)


def test_without_such_a_layer_it_says_so() -> None:
    async def work(desk: Desk) -> None:
        session = await desk.create(NETWORK)
        with pytest.raises(BackstepError, match="of type rnn") as error:
            await desk.turn(session, "fused", True, None)
        assert error.value.where == "fused" and session.revision == 1

    at_a_desk(work)
