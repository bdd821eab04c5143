"""From when on a change counts, what it does, and that the log gives the same session back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import pytest

from app.engine.errors import BackstepError, LimitError
from app.engine.types import VALUE
from app.sessions.actions import Step, Train, read_change, setting_from
from app.sessions.errors import NotFoundError
from app.sessions.frames import make_frames, make_leg
from app.sessions.moment import Moment
from app.sessions.session import Session, worded
from app.settings import Limits
from tests.sessions.specs import CLASSES, LINE, NETWORK, session


def put(s: Session, node: str, value: Any) -> dict[str, Any]:
    change = s.value_change(node, value)
    effect = s.effect(change)
    s.apply(change)
    s.settle(change.iteration)
    return effect


def configure(s: Session, **settings: Any) -> None:
    changes = s.setting_changes(settings)
    for change in changes:
        s.apply(change)
    s.settle(changes[0].iteration)


def frames(s: Session, iteration: int) -> list[bytes]:
    made = make_frames(s, iteration, 0, s.of(iteration))
    return [made[k] for k in sorted(made)]


def restored(s: Session) -> Session:
    """As from the store: through JSON text."""
    record = s.record()
    record.changes = orjson.loads(orjson.dumps(record.changes))
    return Session(record, s.limits)


def value(s: Session, name: str, iteration: int, step: int) -> float:
    return float(s.run.slots(iteration, step)[name, VALUE].item())


# --- values ---------------------------------------------------------------------------------------


def test_a_value_counts_from_the_start_of_this_iteration() -> None:
    s = session(LINE)
    s.arrive(Moment(0, 4))
    effect = put(s, "w", 1.0)
    assert s.position == (0, 4)
    assert s.log == [{"type": "value", "iteration": 0, "node": "w", "value": 1.0}]
    assert value(s, "w", 0, 4) == 1.0
    assert (effect["before"], effect["after"]) == (49.0, 16.0)
    assert effect["predicted"] == pytest.approx(2 * 7 * 3 * -1.0)
    assert effect["actual"] == -33.0


def test_once_updated_it_counts_from_the_next() -> None:
    s = session(LINE)
    updates = {step.node: k for k, step in enumerate(s.run.plan(0)) if step.phase == "update"}
    s.arrive(Moment(0, updates["w"] + 1))
    assert updates["w"] < updates["b"]
    put(s, "w", 1.0)
    assert s.position == (0, updates["w"] + 1), "the position stays"
    put(s, "b", 5.0)
    assert [(c["node"], c["iteration"]) for c in s.log] == [("b", 0)], "a new future"
    assert value(s, "b", 0, 1) == 5.0


def test_at_the_end_of_an_iteration_it_counts_at_once() -> None:
    s = session(LINE)
    s.arrive(Moment(0, s.of(0)))
    put(s, "w", 1.0)
    assert s.position == (1, 0), "the same state under its other name"
    assert value(s, "w", 1, 0) == 1.0
    assert value(s, "w", 0, s.of(0)) != 1.0, "the past is as it was"


def test_a_change_in_the_past_begins_a_new_future() -> None:
    s = session(LINE)
    for target in (Moment(2, 0), Moment(5, 3)):
        s.reach(target.iteration)
        s.arrive(target)
        put(s, "w", float(target.iteration))
    before = frames(s, 1)
    assert len(s.log) == 2
    s.arrive(Moment(2, 1))
    put(s, "b", 0.5)
    assert [(c["iteration"], c["node"]) for c in s.log] == [(2, "w"), (2, "b")]
    assert s.seen == (2, 1)
    assert len(s.history(0, None)["iteration"]) == 2
    assert frames(s, 1) == before


def test_dragging_leaves_one_entry_in_the_log() -> None:
    s = session(LINE)
    for x in range(20):
        put(s, "w", x / 10)
        put(s, "b", -x / 10)
    assert [(c["node"], c["value"]) for c in s.log] == [("w", 1.9), ("b", -1.9)]
    assert value(s, "w", 0, 0) == 1.9


def test_inputs_and_targets_are_rows_of_the_batch() -> None:
    s = session(NETWORK)
    rows = s.run.problem.batches.rows(0)  # type: ignore[union-attr]
    put(s, "input", [[9, 9], [8, 8], [7, 7]])
    effect = put(s, "target", [[2.0], [3.0], [4.0]])
    assert s.run.slots(0, 1)["input", VALUE].tolist() == [[9, 9], [8, 8], [7, 7]]
    whole = s.run.problem.batches.whole(5, "target")  # type: ignore[union-attr]
    assert whole[rows].tolist() == [[2.0], [3.0], [4.0]]
    assert math.isfinite(effect["predicted"]), "targets have a slope, too, though no gradient"


def test_the_slope_is_right_for_short_ways_whatever_is_moved() -> None:
    s = session(NETWORK)
    s.reach(4)
    s.arrive(Moment(4, 0))
    for name in ("0.weight", "2.bias", "input", "target"):
        now = s.leaf(4, name)
        effect = put(s, name, (now + 1e-6).tolist())
        assert effect["predicted"] == pytest.approx(effect["actual"], rel=1e-3, abs=1e-12)


@pytest.mark.parametrize(
    "method",
    [
        {"accumulate": 3},
        {"precision": "float16"},
        {"checkpoint": 1},
        {"regularisation": {"l2": 0.1}},
        {"forward_mode": {"node": "0.bias"}},
        {"zero_grad": False},
    ],
    ids=str,
)
def test_other_plans_have_slopes_and_losses_too(method: dict[str, Any]) -> None:
    spec = {**NETWORK, "batch_size": 3, "clip": None, "optimizer": {"type": "sgd", "lr": 0.1}}
    data: Any = spec["data"]
    spec["data"] = {name: rows[:6] for name, rows in data.items()}
    if "forward_mode" in method:
        spec["optimizer"] = None
    s = session({**spec, **method})
    s.reach(3)
    s.arrive(Moment(3, 2))
    now = s.leaf(3, "0.weight")
    effect = put(s, "0.weight", (now + 1e-2).tolist())
    assert effect["predicted"] == pytest.approx(effect["actual"], rel=0.3)
    losses = make_leg(s, 3).losses
    assert losses[1] is None and losses[-1] is not None
    frames(s, 3)
    if "accumulate" in method:
        assert losses[-1] == pytest.approx(effect["after"], rel=1e-12)
        assert make_leg(s, 4).losses[0] == losses[-1]
        with pytest.raises(BackstepError, match="input comes in 3 parts"):
            s.value_change("input", [[1, 2]])
    else:
        assert losses[-1] == pytest.approx(effect["after"], rel=1e-6)
        effect = put(s, "input", (s.leaf(3, "input") + 1e-2).tolist())
        assert effect["predicted"] == pytest.approx(effect["actual"], rel=0.3)


def test_numbers_that_are_not_finite() -> None:
    s = session(LINE)
    effect = put(s, "w", "Infinity")
    assert effect["after"] == "Infinity" == effect["actual"]
    assert put(s, "w", float("nan"))["after"] == "NaN"
    assert s.log[0]["value"] == "NaN"
    assert restored(s).log == s.log
    assert worded({"a": [float("-inf"), 1]}) == {"a": ["-Infinity", 1]}


@pytest.mark.parametrize(
    ("spec", "node", "given", "words"),
    [
        (LINE, "z", 1, "z is computed; only parameters, inputs and targets can be set"),
        (LINE, "w", [1, 2], "w needs a single number, and this is a list of 2"),
        (LINE, "w", "one", "not a number: 'one'"),
        (LINE, "w", {"a": 1}, "not a number: an object"),
        (LINE, "w", None, "not a number: null"),
        (LINE, "w", True, "not a number: true"),
        (NETWORK, "0.weight", [[1, 2], [3]], "rows differ in length"),
        (NETWORK, "0.weight", [1, 2], "needs an array of shape 3 × 2, and this is a list of 2"),
        (NETWORK, "input", [[1, 2]], "input needs an array of shape 3 × 2"),
        (CLASSES, "target", [0.5, 1], "target holds class numbers"),
        (CLASSES, "target", ["NaN", 1], "target holds class numbers"),
        (CLASSES, "target", [-1, 1], "target holds class numbers"),
    ],
)
def test_what_cannot_be_set_is_said(
    spec: dict[str, Any], node: str, given: Any, words: str
) -> None:
    s = session(spec)
    with pytest.raises(BackstepError, match=words.replace("(", r"\(")):
        s.value_change(node, given)
    assert s.log == []


def test_unknown_nodes_are_told_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="what can be set: .*w.*b"):
        session(LINE).value_change("v", 1)


def test_class_numbers_can_be_set() -> None:
    s = session(CLASSES)
    effect = put(s, "target", [1, 2])
    assert s.run.slots(0, 1)["target", VALUE].tolist() == [1, 2]
    assert effect["predicted"] == "NaN", "there is no slope between classes"


def test_the_log_has_a_limit() -> None:
    s = session(LINE, Limits(changes_per_session=2))
    for name, x in (("w", 1), ("b", 2), ("w", 3)):
        put(s, name, x)
    with pytest.raises(LimitError, match="BACKSTEP_CHANGES_PER_SESSION"):
        s.value_change("x", 1)


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "phase"), [("lr", "update"), ("clip", "clip"), ("zero_grad", "zero_grad")]
)
def test_a_setting_counts_now_until_the_step_that_it_touches(name: str, phase: str) -> None:
    s = session(NETWORK)
    first = s.phases(0).index(phase)
    for step, expected in ((0, 0), (first, 0), (first + 1, 1), (s.of(0), 1)):
        assert setting_from(s.run, name, Moment(0, step), s.of) == expected, step


def test_settings_of_one_call_may_count_from_different_iterations() -> None:
    s = session(NETWORK)
    s.arrive(Moment(0, 5))
    configure(s, lr=0.5, zero_grad=False)
    assert s.log == [
        {"type": "settings", "iteration": 0, "lr": 0.5},
        {"type": "settings", "iteration": 1, "zero_grad": False},
    ]
    assert "zero_grad" in s.phases(0) and "zero_grad" not in s.phases(1)
    assert s.run.lr(0) == 0.5 and s.run.lr(2) == pytest.approx(0.5 * 0.99**2)


def test_settings_at_one_place_become_one_entry() -> None:
    s = session(NETWORK)
    configure(s, lr=0.5)
    configure(s, clip=None)
    configure(s, lr=0.25)
    assert s.log == [{"type": "settings", "iteration": 0, "lr": 0.25, "clip": None}]
    assert "clip" not in s.phases(0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lr": "fast"}, "must be a number"),
        ({"lr": float("inf")}, "finite"),
        ({"lr": -1}, "at least 0"),
        ({"zero_grad": 1}, "true or false"),
        ({"clip": {"max_norm": -1}}, "more than 0"),
        ({"clip": "hard"}, "clip must be null or an object"),
        ({"momentum": 0.9}, "cannot be changed while running: 'momentum'"),
    ],
)
def test_settings_that_cannot_be_are_said(settings: dict[str, Any], words: str) -> None:
    s = session(NETWORK)
    with pytest.raises(BackstepError, match=words):
        s.setting_changes(settings)


def test_without_an_optimizer_there_is_no_rate() -> None:
    s = session({**LINE, "optimizer": None})
    assert s.face(None)["settings"]["lr"] is None
    with pytest.raises(BackstepError, match="no optimizer"):
        s.setting_changes({"lr": 1.0})


# --- back from the log ----------------------------------------------------------------------------


def meddle(s: Session) -> None:
    """A bit of everything."""
    s.reach(3)
    s.arrive(Moment(3, 2))
    put(s, "0.weight", [[1, 2], [3, 4], [5, 6]])
    configure(s, lr=0.2)
    s.reach(9)
    s.arrive(Moment(9, s.of(9) - 1))
    put(s, "2.bias", [0.25])
    configure(s, zero_grad=False, clip={"clip_value": 0.1})
    s.reach(14)
    s.arrive(Moment(14, 1))
    put(s, "input", [[0.5, 0.5]] * s.run.graph(14)["input"].shape[0])
    s.reach(40)
    s.arrive(Moment(40, 7))


def test_a_session_comes_back_number_by_number() -> None:
    s = session(NETWORK)
    meddle(s)
    again = restored(s)
    assert (again.position, again.seen, again.log) == (s.position, s.seen, s.log)
    for iteration in (0, 3, 9, 10, 14, 15, 40, 41):
        assert again.key(iteration) == s.key(iteration)
        assert frames(again, iteration) == frames(s, iteration), iteration
    assert again.history(0, None) == s.history(0, None)
    leg = make_leg(again, 40)
    assert again.face(leg.losses[7]) == s.face(make_leg(s, 40).losses[7])


def test_a_shared_link_makes_the_same_run_elsewhere() -> None:
    s, other = session(NETWORK), session(NETWORK)
    meddle(s)
    for given in orjson.loads(orjson.dumps(s.log)):
        other.apply(read_change(given, "changes"))
    assert frames(other, 16) == frames(s, 16)


@pytest.mark.parametrize(
    "given",
    [
        1,
        {},
        {"type": "value", "iteration": 0, "node": "w"},
        {"type": "value", "iteration": 0, "node": 3, "value": 1},
        {"type": "settings", "iteration": 0},
        {"type": "settings", "iteration": -1, "lr": 1},
        {"type": "settings", "iteration": None, "lr": 1},
        {"type": "other", "iteration": 0},
    ],
)
def test_a_change_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(BackstepError) as told:
        read_change(given, "changes[0]")
    assert (told.value.where or "").startswith("changes[0]")


def test_frames_have_one_name_for_everybody_until_somebody_changes_something() -> None:
    s, other = session(NETWORK), session(NETWORK)
    assert s.key(5) == other.key(5) != s.key(6)
    s.arrive(Moment(3, 0))
    put(s, "2.bias", [1.0])
    assert s.key(2) == other.key(2)
    assert s.key(3) != other.key(3)


def test_what_training_left_is_what_a_new_run_computes() -> None:
    """Whoever steps where training ended starts from what it left, not from a snapshot."""
    s = session(NETWORK)
    for count in (1, 7, 90, 3):
        s.run.train(s.position.iteration + count)
        s.arrive(Train(iterations=count).target(s))
        i = s.position.iteration
        fresh = session(NETWORK)
        assert frames(s, i) == frames(fresh, i)
        assert frames(s, i - 1) == frames(fresh, i - 1)
    assert np.isfinite(s.run.history.train_loss).all()


def test_steps_of_each_unit() -> None:
    s = session(NETWORK)
    assert s.batches == 3
    assert Step(1, "epoch").target(s) == (3, 0)
    s.arrive(Moment(4, 2))
    assert Step(-1, "epoch").target(s) == (3, 0)
    assert Step(0, "epoch").target(s) == (4, 2)
    assert Step(2, "iteration").target(s) == (6, 0)
    assert Train(epochs=2).target(s) == (9, 0)
    assert Step(1, "phase").target(s) == (4, s.phases(4).index("loss"))
