"""Sweeps: lanes from one start, and a verdict for each; the bowl x² can be checked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine.errors import BackstepError, LimitError
from app.lab.sweep import Lane, as_json, sweep
from app.lab.verdicts import Course, judge
from app.lessons import lessons
from app.train.run import Run
from app.train.spec import parse_spec
from app.train.trainer import Trainer
from tests.lessons.named import NO_RATE_HELPS, RESTLESS, STEEP, STOPPED

BOWL = {"program": "L = x**2", "values": {"x": 3}}
MOONS = {
    "model": {
        "layers": [
            {"type": "linear", "out_features": 8},
            {"type": "tanh"},
            {"type": "linear", "out_features": 1},
        ]
    },
    "loss": {"type": "bce_with_logits"},
    "data": {"dataset": "moons", "samples": 100, "noise": 0.1},
    "batch_size": 32,
    "seed": 1,
}


def bowl(*rates: float, iterations: int = 40) -> list[Lane]:
    return sweep(BOWL, [{"lr": lr} for lr in rates], iterations)


def kinds(lanes: list[Lane]) -> list[str]:
    return [lane.verdict.kind for lane in lanes]


@pytest.mark.parametrize("iterations", [10, 40, 100, 1000])
def test_the_bowl(iterations: int) -> None:
    """Every update multiplies x by 1 − 2η: 0.998, 0.8, −0.9, −1, −1.2."""
    lanes = bowl(0.001, 0.1, 0.95, 1.0, 1.1, iterations=iterations)
    slow = "crawls" if iterations <= 100 else "right"
    assert kinds(lanes) == [slow, "right", "oscillates", "oscillates", "diverges"]
    assert lanes[4].verdict.at == 2  # 1.2⁴ is the first power of 1.44 above 2
    assert lanes[1].verdict.at in (5, 6)


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.95, 1.0, 1.1])
def test_a_lane_alone_gets_the_same_verdict(rate: float) -> None:
    together = dict(
        zip((0.001, 0.1, 0.95, 1.0, 1.1), bowl(0.001, 0.1, 0.95, 1.0, 1.1), strict=True)
    )
    assert kinds(bowl(rate)) == [together[rate].verdict.kind]


def test_too_slow_is_said_beside_a_better_lane() -> None:
    assert kinds(bowl(0.01, 0.1)) == ["crawls", "right"]
    assert kinds(bowl(0.5, 0.7, 0.8, 0.9)) == ["right", "right", "right", "oscillates"]


def test_words_carry_the_numbers() -> None:
    slow, right, swings, stays, away = bowl(0.001, 0.1, 0.95, 1.0, 1.1)
    assert slow.verdict.says == "After 40 iterations the loss is still 7.67; it started at 9."
    assert right.verdict.says.startswith("Nine tenths of the way are done by iteration 6")
    assert "still settles" in swings.verdict.says and "no closer" in stays.verdict.says
    assert away.verdict.says == "From iteration 2 on the loss stays above twice its start."
    (broken,) = bowl(1.1, iterations=2000)
    assert broken.verdict.says.endswith("no number any more at iteration 1941.")
    assert broken.verdict.at == 2
    steps = lessons()["two-paths"].spec
    (below,) = sweep(steps, [{"lr": 1.0}], 50)
    assert below.verdict.kind == "diverges" and "no lowest value" in below.verdict.says


def test_losses_and_path_are_those_of_the_run_itself() -> None:
    (lane,) = bowl(0.1, iterations=70)
    run = Run(parse_spec({**BOWL, "optimizer": {"type": "sgd", "lr": 0.1}}))
    run.train(71)
    assert lane.loss == list(run.history.train_loss)
    assert lane.path is not None and len(lane.path) == len(lane.loss) == 71
    assert lane.path[:2] == [3.0, pytest.approx(2.4)]
    assert lane.final == lane.loss[-1] == lane.path[-1] ** 2


def test_lanes_share_the_start_and_the_order_of_batches() -> None:
    lanes = sweep(MOONS, [{"lr": 0.001}, {"lr": 2, "label": "big"}, {"lr": 100}], 200)
    assert len({lane.loss[0] for lane in lanes}) == 1
    assert [lane.label for lane in lanes] == ["η = 0.001", "big", "η = 100"]
    assert all(lane.path is None and len(lane.loss) == 201 for lane in lanes)
    assert kinds(lanes)[0] == "crawls" and kinds(lanes)[2] == "diverges"
    again = sweep(MOONS, [{"lr": 0.001}, {"lr": 2}, {"lr": 100}], 200)
    assert [lane.loss for lane in again] == [lane.loss for lane in lanes]


MOVING = [id for id in lessons() if id not in STOPPED]


@pytest.mark.parametrize("lesson", MOVING)
def test_every_lesson_has_a_rate_that_is_right_and_one_that_is_not(lesson: str) -> None:
    spec = lessons()[lesson].spec
    lanes = [{"lr": lr} for lr in (1e-6, 1e-4, 0.003, 0.01, 0.03, 0.1, 1, 3, 10)]
    if spec["optimizer"] is None:
        with pytest.raises(BackstepError, match="needs an optimizer"):
            sweep(spec, lanes, 60)
        return
    found = kinds(sweep(spec, lanes, 60))
    if lesson in NO_RATE_HELPS:
        assert len({kind == "right" for kind in found}) == 1
        return
    assert found[0] in (("right",) if lesson in STEEP else ("crawls", "stands"))
    assert "right" in found or lesson in RESTLESS


def test_other_optimizers_keep_their_arguments() -> None:
    spec = {**BOWL, "optimizer": {"type": "momentum", "momentum": 0.5, "lr": 7}}
    (lane,) = sweep(spec, [{"lr": 0.1}], 2)
    assert lane.path == [3.0, pytest.approx(2.4), pytest.approx(2.4 - 0.3 - 0.48)]


def test_flat_and_broken_starts() -> None:
    flat = {"program": "L = 0*x + 5", "values": {"x": 1}}
    assert sweep(flat, [{"lr": 0.1}], 5)[0].verdict.kind == "right"
    there = {"program": "L = x**2", "values": {"x": 0}}
    (lane,) = sweep(there, [{"lr": 0.1}], 5)
    assert lane.verdict.says == "It starts at the lowest point, and stays there."
    broken = {"program": "L = log(x)", "values": {"x": -1}}
    (lane,) = sweep(broken, [{"lr": 0.1}], 5)
    assert lane.verdict.kind == "diverges" and lane.verdict.at == 0
    alone = {"program": "L = 2*3", "values": {}}
    assert len(sweep(alone, [{"lr": 0.1}], 3)[0].loss) == 4


def test_it_can_be_ended() -> None:
    seen: list[tuple[int, int]] = []

    def progress(done: int, wanted: int) -> bool:
        seen.append((done, wanted))
        return len(seen) < 2

    (lane,) = sweep(BOWL, [{"lr": 0.1}], 1000, progress=progress)
    assert len(seen) == 2 and seen[1][1] == 1000
    assert len(lane.loss) == seen[1][0] + 1 < 1001


WRONG: list[tuple[Any, Any, str]] = [
    ([], 10, "lanes"),
    ("x", 10, "lanes"),
    ([{"lr": 0.1}] * 13, 10, "lanes"),
    ([{"lr": 0.1}, 3], 10, "lanes[1]"),
    ([{"rate": 0.1}], 10, "lanes[0]"),
    ([{"lr": 0.1, "momentum": 1}], 10, "lanes[0]"),
    ([{"label": "nothing"}], 10, "lanes[0]"),
    ([{"lr": 0.1}, {"optimizer": {"type": "magic"}}], 10, "lanes[1].optimizer.type"),
    ([{"clip": {"max_norm": -1}}], 10, "lanes[0].clip.max_norm"),
    ([{"optimizer": None}], 10, "optimizer"),
    ([{"lr": "fast"}], 10, "lanes[0].lr"),
    ([{"lr": 0}], 10, "lanes[0].lr"),
    ([{"lr": float("inf")}], 10, "lanes[0].lr"),
    ([{"lr": 0.1, "label": 3}], 10, "lanes[0].label"),
    ([{"lr": 0.1}], 0, "iterations"),
    ([{"lr": 0.1}], 2.5, "iterations"),
    ([{"lr": 0.1}], 10**9, "iterations"),
]


@pytest.mark.parametrize(("lanes", "iterations", "where"), WRONG)
def test_what_cannot_be_swept(lanes: Any, iterations: Any, where: str) -> None:
    with pytest.raises(BackstepError) as error:
        sweep(BOWL, lanes, iterations)
    assert error.value.where == where
    if where == "iterations" and iterations == 10**9:
        assert isinstance(error.value, LimitError) and "5,000" in error.value.message


def test_noise_of_batches_is_no_swing() -> None:
    falling = [1.0 / (1 + k) for k in range(60)]
    noisy = Course(falling, [k % 2 == 0 for k in range(59)])
    swinging = Course(falling, [k % 10 != 0 for k in range(59)])
    assert [verdict.kind for verdict in judge([noisy, swinging])] == ["right", "oscillates"]


def test_a_lane_that_levels_off_above_a_better_one_is_not_slow() -> None:
    still = [False] * 99
    falling = [0.9**k for k in range(100)]
    level = [max(0.5, 0.7**k) for k in range(100)]
    slow = [1 - 0.004 * k for k in range(100)]
    best, stuck, crawling = judge([Course(losses, still) for losses in (falling, level, slow)])
    assert (best.kind, stuck.kind, crawling.kind) == ("right", "stands", "crawls")
    assert stuck.at == 2 and "down to 0.5" in stuck.says


def test_lanes_may_differ_in_more_than_their_rate() -> None:
    lanes = sweep(
        {**MOONS, "init": "zeros"},
        [
            {"lr": 0.5},
            {"optimizer": {"type": "adam", "lr": 0.01}},
            {"batch_size": 100, "lr": 0.5},
            {"init": "kaiming_uniform", "label": "He"},
            {"schedule": {"type": "cosine", "T_max": 20}},
            {"clip": {"max_norm": 1}},
            {"loss": "mse"},
            *[{"lr": lr} for lr in (0.1, 0.2, 0.3, 0.4, 0.6)],
        ],
        30,
    )
    assert [lane.label for lane in lanes[:7]] == [
        "η = 0.5",
        "adam η = 0.01",
        "batch_size 100 · η = 0.5",
        "He",
        "cosine",
        "clip max_norm 1",
        "mse",
    ]
    assert [lane.lr for lane in lanes[:3]] == [0.5, 0.01, 0.5]
    assert lanes[0].loss[0] == lanes[1].loss[0] == lanes[5].loss[0] != lanes[3].loss[0]
    assert lanes[0].rates is None and lanes[4].rates is not None and len(lanes[4].rates) == 30
    run = Run(parse_spec({**MOONS, "init": "zeros", "optimizer": {"type": "adam", "lr": 0.01}}))
    run.train(31)
    assert lanes[1].loss == list(run.history.train_loss)


def test_another_start_drops_numbers_written_out() -> None:
    spec = {**MOONS, "parameters": {"2.bias": [0.3]}}
    first, second = sweep(spec, [{"lr": 0.1}, {"init": "zeros"}], 1)
    assert first.loss[0] != second.loss[0]


def test_every_verdict_says_when_it_was_decided() -> None:
    slow, right, swings, _, away = bowl(0.001, 0.1, 0.95, 1.0, 1.1)
    assert (slow.verdict.at, right.verdict.at, away.verdict.at) == (40, 6, 2)
    assert swings.verdict.at == 6  # its fifth turn: step 2 is the first to lead back


def test_steps_that_are_nothing_beside_the_weights_do_not_swing() -> None:
    """Six layers of tiny weights: the gradient dies on its way, whatever the rate."""
    hidden = [{"type": "linear", "out_features": 16}, {"type": "relu"}] * 6
    deep = {
        "model": {"layers": [*hidden, {"type": "linear", "out_features": 1}]},
        "loss": {"type": "bce_with_logits"},
        "data": {"dataset": "circle", "samples": 200},
        "seed": 1,
    }
    inits = [{"type": "normal", "std": 0.01}, "kaiming_uniform"]
    lanes = sweep(deep, [{"lr": 0.1, "init": init} for init in inits], 200)
    assert kinds(lanes) == ["stands", "right"]
    assert lanes[0].verdict.says.startswith("It starts at 0.693, and hardly moves")


def test_a_single_sample_at_a_time_is_unsteady_and_not_slow() -> None:
    """After some twenty updates it is as low as the whole batch; then each throws it away."""
    moons = {
        "model": {
            "layers": [{"type": "linear", "out_features": 8}, "tanh"] * 2
            + [{"type": "linear", "out_features": 1}]
        },
        "loss": "bce_with_logits",
        "data": {"dataset": "moons", "samples": 200},
        "seed": 1,
    }
    lanes = [{"lr": 0.3, "batch_size": size} for size in (None, 20, 1)]
    lanes += [{"lr": 1e-4, "batch_size": 1}, {"lr": 0.3, "init": "zeros"}]
    whole, few, one, slow, still = sweep(moons, lanes, 300)
    assert kinds([whole, few, one, slow]) == ["right", "right", "unsteady", "crawls"]
    assert still.verdict.kind == "stands" and one.verdict.at < 60
    assert "does not stay there" in one.verdict.says


def test_two_numbers_leave_a_path_of_pairs() -> None:
    ravine = {"program": "L = 0.5*(x**2 + 25*y**2)", "values": {"x": -4, "y": 1.5}}
    (lane,) = sweep(ravine, [{"lr": 0.02}], 3)
    assert lane.axes == [{"node": "x", "index": []}, {"node": "y", "index": []}]
    assert lane.path is not None and lane.path[:2] == [[-4, 1.5], [pytest.approx(-3.92), 0.75]]
    assert len(lane.path) == 4 and lane.samples is None


def test_batches_are_told_in_samples_and_smoothed() -> None:
    small, full = sweep(MOONS, [{"batch_size": 32}, {"batch_size": 100}], 9)
    assert small.samples == [0, 32, 64, 96, 100, 132, 164, 196, 200, 232]  # the last one is smaller
    assert full.samples == [100 * k for k in range(10)]
    assert small.batches == 4 and full.smooth is None
    assert small.smooth is not None and small.smooth[9] == pytest.approx(sum(small.loss[6:10]) / 4)


def test_a_lane_tells_its_spec_where_asked() -> None:
    (lane,) = sweep(MOONS, [{"lr": 0.5, "batch_size": 10}], 2, specs=True)
    run = Run(parse_spec(lane.spec))
    run.train(3)
    assert list(run.history.train_loss) == lane.loss


def test_as_json() -> None:
    told = as_json(bowl(0.1)[0])
    assert told["verdict"]["kind"] == "right" and told["spec"] is None
    assert set(told) == set(Lane.__dataclass_fields__)
    assert set(told["verdict"]) == {"kind", "at", "says"}


SHARED: dict[str, dict[str, Any]] = {
    "uneven batches, validated": {"data": {**MOONS["data"], "validation": 0.2}, "shuffle": True},
    "kept gradients": {"zero_grad": False, "batch_size": 100},
    "a scaled loss": {"precision": {"type": "float16", "loss_scale": 1024.0}},
    "dropout and running means": {
        "model": {"layers": [{"type": "linear", "out_features": 8}, "batch_norm", "relu",
                             {"type": "dropout", "p": 0.3}, {"type": "linear", "out_features": 1}]}
    },
    "micro-batches, clipped": {"accumulate": 2, "batch_size": 20, "clip": {"max_norm": 0.5}},
    "adam on a schedule": {"schedule": {"type": "cosine", "T_max": 20},
                           "optimizer": {"type": "adam", "lr": 0.1}},
}  # fmt: skip


@pytest.mark.parametrize("changes", SHARED.values(), ids=SHARED)
def test_lanes_in_turns_find_what_each_finds_alone(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a lane takes over from the one before it changes no bit; and it is taken over."""
    spec, made = {**MOONS, **changes}, list[Any]()
    record = Trainer.record
    monkeypatch.setattr(
        Trainer, "record", lambda *given: (made.append(given[0]), record(*given))[1]
    )
    same = [{"lr": 0.01}, {"lr": 0.3}, {"lr": 1.0, "clip": {"max_norm": 0.1}}]
    other = [{"optimizer": {"type": "sgd", "momentum": 0.9, "lr": 0.1}}, {"batch_size": 50}]
    lanes = [*same, *other, {"lr": 0.3}]
    alone = [sweep(spec, [lane], 40)[0] for lane in lanes]
    made.clear()
    together = sweep(spec, lanes, 40)
    assert [repr(lane.loss) for lane in together] == [repr(lane.loss) for lane in alone]
    assert len(set(map(id, made))) == len(lanes) - len(same) + 1


def test_equal_and_true_are_no_equals() -> None:
    """A lane's field is read anew unless it is the very same thing."""
    with pytest.raises(BackstepError) as error:
        sweep({**MOONS, "shuffle": True}, [{"lr": 0.1}, {"shuffle": 1}], 2)
    assert error.value.where == "lanes[1].shuffle"
