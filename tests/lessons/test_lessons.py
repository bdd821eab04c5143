"""Every lesson loads, builds, walks to its end and back, and its numbers are the engine's."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.lessons import Check, Lesson, lessons, load, topics
from app.lessons.lesson import FOLDER
from app.train.approaches import approaches
from app.train.plans.accumulation import loss_of
from app.train.plans.memory import memory_view
from app.train.run import Run
from app.train.scores import evaluated
from app.train.spec import parse_spec
from tests.lessons.named import NOT_LEARNING

LESSONS = list(lessons().values())
CHECKS = [(lesson, check) for lesson in LESSONS for check in lesson.checks]
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def named(pair: tuple[Lesson, Check]) -> str:
    lesson, check = pair
    return f"{lesson.id}-{check.kind}-{check.node}-{check.iteration}"


def found(run: Run, check: Check) -> object:
    """What the engine has where the check looks."""
    plan = run.plan(check.iteration)
    if check.kind == "validation":
        run.train(check.iteration + 1)
        return run.history.validation_loss[check.iteration]
    if check.kind == "loss":
        return loss_of(run.slots(check.iteration, len(plan)), run.graph(0))
    if check.kind in ("update", "state"):
        return run.slots(check.iteration + 1, 0)[check.node, check.slot or "value"]
    done = max(i + 1 for i, step in enumerate(plan) if step.phase == check.after)
    value = run.slots(check.iteration, done)[check.node, check.kind]
    return value[check.entry] if check.entry else value


@pytest.mark.parametrize("pair", CHECKS, ids=named)
def test_a_stated_number_is_the_engines(pair: tuple[Lesson, Check]) -> None:
    lesson, check = pair
    value = np.asarray(found(Run(parse_spec(lesson.spec)), check))
    assert value.shape == np.shape(check.value)
    np.testing.assert_allclose(value, check.value, rtol=0, atol=check.tolerance)


@every_lesson
def test_the_trainer_gives_the_same_losses(lesson: Lesson) -> None:
    run = Run(parse_spec(lesson.spec))
    run.train(1 + max(12, *(check.iteration for check in lesson.checks)))
    for check in lesson.checks:
        if check.kind == "loss":
            loss = run.history.train_loss[check.iteration]
            assert loss == pytest.approx(check.value, abs=check.tolerance, nan_ok=True)


@every_lesson
def test_a_lesson_can_be_walked_to_its_end_and_back(lesson: Lesson) -> None:
    run = Run(parse_spec(lesson.spec))
    stepper = run.stepper(0)
    start = dict(stepper.slots)
    while stepper.position < len(stepper.plan):
        stepper.step()
    assert all(np.all(np.isfinite(value)) for value in stepper.slots.values())
    while stepper.position:
        stepper.back()
    assert stepper.slots == start


@every_lesson
def test_training_gets_somewhere(lesson: Lesson) -> None:
    run = Run(parse_spec(lesson.spec))
    run.train(50)
    losses = run.history.train_loss
    if lesson.id in NOT_LEARNING:
        assert not losses[-1] < losses[0], "it learns: it is no lesson about one that does not"
        return
    stopped = any(getattr(step, "error", None) for step in run.plan(0))
    assert losses[-1] < losses[0] or lesson.spec["optimizer"] is None or stopped


@every_lesson
def test_every_note_has_its_step(lesson: Lesson) -> None:
    plan = Run(parse_spec(lesson.spec)).plan(0)
    noted = lesson.noted(plan)
    assert len(noted) == len({index for index, _ in noted}) == len(lesson.notes) >= 3
    for _, says in noted:
        assert len(says) <= 140 and says[-1] in ".…", says


@every_lesson
def test_words_are_short_and_a_squared_error_is_named(lesson: Lesson) -> None:
    assert lesson.question.endswith("?") and len(lesson.question) <= 90
    assert len(lesson.summary) <= 130 and len(lesson.takeaway) <= 480
    assert lesson.checks and lesson.source
    targets = "loss" in lesson.spec or "y" in lesson.spec["values"] or "t)**" in str(lesson.spec)
    assert bool(lesson.convention) == targets


def test_the_shelf() -> None:
    assert len(LESSONS) >= 14
    assert len({lesson.order for lesson in LESSONS}) == len(LESSONS)
    assert len({lesson.title for lesson in LESSONS}) == len(LESSONS)
    assert [topic for topic, _ in groupby(lesson.topic for lesson in LESSONS)] == topics()


def test_passing_on_too_early_would_give_36() -> None:
    """The wrong number of the lesson on order is what a walk without order really gives."""
    graph = {"c": [("b", 6.0), ("t", 2.0)], "t": [("b", 3.0)], "b": [("a", 1.0), ("a", 1.0)]}
    grads = {"c": 1.0, "t": 0.0, "b": 0.0, "a": 0.0}

    def pass_on(node: str) -> None:
        for source, slope in graph.get(node, []):
            grads[source] += grads[node] * slope
        for source in dict.fromkeys(name for name, _ in graph.get(node, [])):
            pass_on(source)

    pass_on("c")
    assert grads["a"] == 36


def test_what_plans_do_is_what_their_lessons_say() -> None:
    """Numbers in words that no check can hold."""
    told = {id: lessons()[id] for id in ("checkpointing", "numerical-and-automatic")}
    found = memory_view(Run(parse_spec(told["checkpointing"].spec)), 0)
    assert (found["plain"]["peak"], found["plan"]["peak"]) == (104, 56)
    assert (found["recomputed"], found["computed"]) == (6, 13)
    run = Run(parse_spec(told["numerical-and-automatic"].spec))
    rows = {row["approach"]: row for row in approaches(run, 0, epsilon=0.1)["rows"]}
    assert rows["numerical, one-sided"]["gradient"]["w"] == pytest.approx(12.61)
    assert rows["numerical, central"]["gradient"]["w"] == pytest.approx(12.01)
    digits = evaluated(trained := Run(parse_spec(lessons()["digits-cnn"].spec)), trained.train(480))
    assert (digits["train"]["correct"], digits["train"]["samples"]) == (459, 480)
    assert (digits["validation"]["correct"], digits["validation"]["samples"]) == (108, 120)
    assert sum(int(np.prod(n.shape)) for n in trained.graph(0).kind("parameter")) == 666
    decay = lessons()["weight-decay"].spec
    coupled = {**decay, "optimizer": {**decay["optimizer"], "type": "adam"}}
    assert Run(parse_spec(coupled)).slots(1, 0)["w", "value"] == pytest.approx(1.9, abs=1e-8)
    leaf = lessons()["in-place-leaf"].spec
    repaired = Run(parse_spec({**leaf, "fault": {**leaf["fault"], "repaired": True}}))
    assert repaired.slots(0, len(repaired.plan(0)) - 1)["x", "grad"] == 6
    valley = lessons()["valley-nearest"].spec
    other = Run(parse_spec({**valley, "values": {**valley["values"], "x": 0}}))
    assert other.slots(200, 0)["x", "value"] == pytest.approx(-1.473, abs=1e-3)
    echo = lessons()["say-it-again"].spec
    recurrent, last = echo["model"]["layers"]
    cut = Run(parse_spec({**echo, "model": {"layers": [{**recurrent, "truncate": 1}, last]}}))
    cut.train(101)
    assert cut.history.train_loss[100] == pytest.approx(0.51, abs=0.005)
    digits = lessons()["augmentation"].spec
    plain = {name: value for name, value in digits["data"].items() if name != "augment"}
    still = Run(parse_spec({**digits, "data": plain}))
    still.train(201)
    assert still.history.validation_loss[200] == pytest.approx(2.34, abs=0.005)


GOOD = (FOLDER / "gradient-descent.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "told", "where"),
    [
        (("title =", "titel ="), "not known: 'titel'", "lesson.titel"),
        (('title = "Gradient descent on x²"\n', ""), "missing: 'title'", "lesson.title"),
        (("order = 505", 'order = "last"'), "whole number", "lesson.order"),
        (("order = 505", "order = "), "not a TOML file", "made.toml"),
        (('kind = "loss"\nvalue = 9', 'kind = "los"\nvalue = 9'), "one of value", "checks[0].kind"),
        (('kind = "loss"\nvalue = 9', 'kind = "grad"\nvalue = 9'), "a node", "checks[0].node"),
        (('phase = "loss"\nnode = "f"\n', ""), "a phase or an index", "notes[0]"),
        (("[[notes]]", "[[nodes]]"), "not known: 'nodes'", "lesson.nodes"),
        (("[spec]", 'notes = "x"\n[spec]'), "not a TOML file", "made.toml"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_what_is_wrong(
    change: tuple[str, str], told: str, where: str, tmp_path: Path
) -> None:
    path = tmp_path / "made.toml"
    assert change[0] in GOOD
    path.write_text(GOOD.replace(*change), "utf-8")
    with pytest.raises(BackstepError, match=told) as error:
        load(path)
    assert where in str(error.value.where) and "made.toml" in str(error.value.where)


def test_adding_a_lesson_is_adding_a_file(tmp_path: Path) -> None:
    path = tmp_path / "another.toml"
    path.write_text(GOOD, "utf-8")
    assert load(path).id == "another"
