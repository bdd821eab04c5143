"""Training until something happens ends exactly there: compared with a run that is looked at
iteration by iteration.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.types import GRAD, VALUE
from app.lab.condition import Ending
from app.lab.dying import dead_units
from app.lab.until import Best, best, parse_until, train_until
from app.train.run import Run
from app.train.slopes import gradients
from app.train.spec import parse_spec
from tests.train.specs import hidden

BOWL = {"program": "L = w*w", "values": {"w": 1.0}, "optimizer": {"type": "sgd", "lr": 0.1}}
MOONS: dict[str, Any] = {
    "model": hidden(4, "relu"),
    "loss": "bce_with_logits",
    "optimizer": {"type": "sgd", "lr": 0.5},
    "data": {"dataset": "moons", "samples": 60, "validation": 0.2},
    "batch_size": 12,
    "shuffle": True,
}
OVERFIT: dict[str, Any] = {
    **MOONS,
    "data": {**MOONS["data"], "noise": 0.5},
    "optimizer": {"type": "adam", "lr": 0.1},
}
DYING: dict[str, Any] = {**MOONS, "optimizer": {"type": "sgd", "lr": 8.0}, "seed": 2}


def run_of(spec: dict[str, Any]) -> Run:
    return Run(parse_spec(spec))


def until(run: Run, given: Any, start: int = 0, target: int = 3000) -> tuple[int, Ending | None]:
    return train_until(run, start, target, parse_until(given, run), lambda done: True)


def test_a_loss_below_a_number_at_the_very_first_iteration() -> None:
    run = run_of(BOWL)
    at, ending = until(run, {"loss_below": 1e-6})
    expected = next(i for i in range(200) if 0.8 ** (2 * i) < 1e-6)
    assert at == expected and ending is not None
    assert (ending.reason, ending.iteration) == ("loss_below", expected)
    assert run.loss(at) < 1e-6 <= run.loss(at - 1) and "below 1e-06" in ending.says
    assert until(run, {"loss_below": 1e-6}, start=at)[0] == at, "already"
    later, _ = until(run, {"loss_below": 1e-9}, start=at)
    assert run.loss(later) < 1e-9 <= run.loss(later - 1)


def test_one_easy_batch_is_no_small_loss() -> None:
    run = run_of({**MOONS, "batch_size": 4, "shuffle": True})
    at, ending = until(run, {"loss_below": 0.3})
    losses, epoch = run.history.train_loss, run.problem.position(0)["batches"]
    assert epoch > 3 and ending is not None and min(losses[:at]) < 0.3, "a batch alone was below"
    means = [float(np.mean(losses[i - epoch + 1 : i + 1])) for i in range(epoch - 1, at + 1)]
    assert means[-1] < 0.3 <= min(means[:-1])
    assert f"the last {epoch} batches" in ending.says


def test_a_gradient_below_a_number() -> None:
    run = run_of(BOWL)
    at, ending = until(run, {"grad_norm_below": 0.01})
    slots = run.slots(at, len(run.plan(at)) - 1)
    assert (
        abs(slots["w", GRAD]) < 0.01 and ending is not None and ending.reason == "grad_norm_below"
    )
    assert at == next(i for i in range(100) if 2 * 0.8**i < 0.01)


def test_one_parameters_gradient_below_a_number() -> None:
    """Of each iteration, as the update uses it: compared with slopes taken one by one."""
    run, border = run_of(MOONS), 0.002
    wanted = {"gradient_below": {"node": "0.weight", "unit": 1, "border": border}}
    done, ending = train_until(run, 0, 400, parse_until(wanted, run), lambda reached: True)
    assert ending is not None and ending.iteration == done > 0
    assert (ending.node, ending.unit) == ("0.weight", 1)
    norms = [np.linalg.norm(gradients(run, i)["0.weight"][1]) for i in range(done + 1)]
    assert norms[-1] < border <= min(norms[:-1])
    assert "unit 1" in ending.says and "below 0.002" in ending.says


def test_what_never_comes_ends_with_the_iterations() -> None:
    assert until(run_of(BOWL), {"loss_below": -1}, target=70) == (70, None)


def test_the_first_number_that_is_not_finite_has_its_step() -> None:
    run = run_of({**BOWL, "optimizer": {"type": "sgd", "lr": 3.0}})
    at, ending = until(run, {"nonfinite": True})
    assert ending is not None and ending.step is not None and ending.iteration == at
    before, after = (dict(run.slots(at, ending.step + k)) for k in (0, 1))
    assert all(np.isfinite(value).all() for value in before.values())
    assert any(not np.isfinite(value).all() for value in after.values())
    assert ending.node in run.graph(at).nodes and ending.says


def test_a_norm_whose_square_overflows_is_no_broken_number() -> None:
    steep = {"program": "L = c*w", "values": {"c": 1e200, "w": 1.0}, "parameters": ["w"]}
    run = run_of({**steep, "optimizer": {"type": "sgd", "lr": 1e-300}})
    assert until(run, {"nonfinite": True}, target=40) == (40, None)
    assert run.history.grad_norm[0] == np.inf


def test_a_unit_dies_with_the_update_of_that_iteration() -> None:
    run, other = run_of(DYING), run_of(DYING)
    at, ending = until(run, {"dead_unit": True})
    assert ending is not None and ending.node is not None and ending.step is not None
    assert run.plan(at)[ending.step].phase == "update"
    alive, dead = (dead_units(other, i)[ending.node][ending.unit] for i in (at, at + 1))
    assert (alive, dead) == (False, True)
    for i in range(at + 1):
        assert not dead_units(other, i)["1.a"].any()
    again, same = until(run, {"dead_unit": {"node": "1.a", "unit": ending.unit}})
    assert again == at and same is not None and same.unit == ending.unit
    _, already = until(run, {"dead_unit": {"unit": ending.unit}}, start=at + 1)
    assert already is not None and "already" in already.says


def test_dead_means_off_for_every_sample() -> None:
    run = run_of(DYING)
    run.train(40)
    batches = run.problem.batches
    assert batches is not None
    slots = run.slots(40, 0)
    z = batches.inputs @ slots["0.weight", VALUE].T + slots["0.bias", VALUE]
    assert (dead_units(run, 40)["1.a"] == (z <= 0).all(axis=0)).all()


def test_early_stopping_counts_validations_without_a_better_loss() -> None:
    for patience, delta in ((3, 0.0), (5, 0.01)):
        run = run_of(OVERFIT)
        at, ending = until(run, {"validation_patience": patience, "min_delta": delta})
        losses = [run.history.validation_loss[i] for i in range(3, at, 4)]
        least, waited, epochs = np.inf, 0, 0
        for loss in losses:
            epochs += 1
            least, waited = (loss, 0) if loss < least - delta else (least, waited + 1)
            if waited == patience:
                break
        assert ending is not None and at == ending.iteration == 4 * epochs < 3000
        assert str(patience) in ending.says
        found = best(run, at)
        assert found == Best(4 * (int(np.argmin(losses)) + 1), min(losses))
        more, _ = until(run, {"validation_patience": patience}, start=at)
        assert more > at, "who goes on is given another epoch"


def test_whichever_comes_first() -> None:
    run = run_of(BOWL)
    at, ending = until(run, {"loss_below": 1e-9, "grad_norm_below": 0.1, "nonfinite": True})
    assert ending is not None and ending.reason == "grad_norm_below"
    assert run.history.grad_norm[at] < 0.1 <= run.history.grad_norm[at - 1]


def test_somebody_may_stop_it() -> None:
    run = run_of(MOONS)
    conditions = parse_until({"loss_below": 0.0}, run)
    at, ending = train_until(run, 0, 100_000, conditions, lambda done: done < 50)
    assert 50 <= at < 100_000 and ending is None


@pytest.mark.parametrize(
    "given", [{"loss_below": 0.3}, {"dead_unit": True}, {"validation_patience": 2}]
)
def test_the_numbers_are_those_of_any_other_training(given: dict[str, Any]) -> None:
    run, plain = run_of(MOONS), run_of(MOONS)
    at, _ = until(run, given, target=300)
    plain.train(300)
    run.train(300)
    assert list(run.history.train_loss) == list(plain.history.train_loss)
    assert run.history.validation_loss == plain.history.validation_loss
    for slot, value in run.slots(at, 0).items():
        assert value.tobytes() == plain.slots(at, 0)[slot].tobytes()


@pytest.mark.parametrize(
    ("spec", "given", "where", "words"),
    [
        (MOONS, {}, "until", "loss_below"),
        (MOONS, 3, "until", "must be an object"),
        (MOONS, {"loss": 1}, "until.loss", "known are loss_below"),
        (MOONS, {"loss_below": "small"}, "until.loss_below", "a number"),
        (MOONS, {"loss_below": 10**400}, "until.loss_below", "finite"),
        (MOONS, {"nonfinite": 1}, "until.nonfinite", "must be true"),
        (MOONS, {"validation_patience": 0}, "until.validation_patience", "at least 1"),
        (MOONS, {"loss_below": 1, "min_delta": 1}, "until.min_delta", "beside"),
        (MOONS, {"validation_patience": 1, "min_delta": -1}, "until.min_delta", "at least 0"),
        (MOONS, {"gradient_below": 0.1}, "until.gradient_below", "such as"),
        (MOONS, {"gradient_below": {"node": "b"}}, "until.gradient_below.node", "0.weight"),
        (
            MOONS,
            {"gradient_below": {"node": "0.weight", "unit": 4}},
            "until.gradient_below.unit",
            "at most 3",
        ),
        (MOONS, {"dead_unit": {"node": "0.z"}}, "until.dead_unit.node", "there are 1.a"),
        (MOONS, {"dead_unit": {"unit": 4}}, "until.dead_unit.unit", "at most 3"),
        (MOONS, {"dead_unit": {"layer": 1}}, "until.dead_unit", "1.a"),
        (BOWL, {"dead_unit": True}, "until.dead_unit", "only a ReLU"),
        (BOWL, {"validation_patience": 2}, "until.validation_patience", "held back"),
    ],
)
def test_errors_say_what_would_be_accepted(spec: Any, given: Any, where: str, words: str) -> None:
    with pytest.raises(BackstepError) as caught:
        parse_until(given, run_of(spec))
    assert caught.value.where == where and words in caught.value.message


def test_in_a_program_the_batch_is_all_there_is() -> None:
    program = {
        "program": "a = relu(w*x + b)\nL = mean((a - 1)**2)",
        "values": {"w": 1.0, "x": [1.0, 2.0, 3.0], "b": 0.0},
        "parameters": ["w", "b"],
        "optimizer": {"type": "sgd", "lr": 1.0},
    }
    at, ending = until(run_of(program), {"dead_unit": True}, target=50)
    assert ending is None or ending.node == "a"
    assert at <= 50
