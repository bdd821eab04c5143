"""Every optimizer: equal to PyTorch's, the same numbers on every way, formulas that are true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.fields import pick
from app.engine.graph import Graph, Node
from app.engine.kernel import Eager, Record, Recorder
from app.engine.replay import replay
from app.engine.types import Array, Slot
from app.render import mathml
from app.render.template import Template
from app.train.optimizers import OPTIMIZERS, Optimizer
from app.train.update import Update
from tests.engine.latex import evaluate
from tests.train import cases

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "optimizers.json").read_text("utf-8"))
SPECS = pytest.mark.parametrize("spec", cases.OPTIMIZERS, ids=json.dumps)


def made(spec: Any) -> Optimizer:
    return pick(OPTIMIZERS, spec, "optimizer", "the optimizer")


def nodes() -> dict[str, Node]:
    graph = Graph()
    return {n: graph.leaf("parameter", n, v.shape) for n, v in cases.start().items()}


def first_slots(optimizer: Optimizer) -> dict[Slot, Array]:
    slots: dict[Slot, Array] = {}
    for name, value in cases.start().items():
        slots[name, "value"] = value
        slots |= {(name, slot): array for slot, array in optimizer.start(value.shape).items()}
    return slots


def now(slots: dict[Slot, Array]) -> cases.Parameters:
    return {name: slots[name, "value"] for name in cases.start()}


def stepped(optimizer: Optimizer) -> Iterator[tuple[dict[Slot, Array], dict[str, Record]]]:
    """After each iteration: all slots, and what each parameter's step wrote."""
    slots = first_slots(optimizer)
    for t in range(cases.STEPS):
        scalars = optimizer.scalars(t, cases.rate(t, optimizer.lr))
        for name, grad in cases.gradients(t, now(slots)).items():
            slots[name, "grad"] = grad
        records = {}
        for name, node in nodes().items():
            kernel = Eager(slots, {}, scalars)
            Update(node, optimizer).run(kernel)
            records[name] = kernel.seal()
        yield dict(slots), records


def recorded(optimizer: Optimizer, *, flat: bool) -> Iterator[dict[Slot, Array]]:
    """The same by replaying calls on buffers that stay: parameter by parameter, or all at once."""
    kept = first_slots(optimizer)
    vectors: dict[str, Array] = {}
    buffers: dict[Slot, Array] = {}
    for slot in ("value", "grad", *optimizer.state):
        arrays = {name: kept.get((name, slot), np.zeros(v.shape)) for name, v in now(kept).items()}
        vectors[slot] = np.concatenate([array.reshape(-1) for array in arrays.values()])
        first = 0
        for name, array in arrays.items():
            part = vectors[slot][first : first + array.size]
            buffers[name, slot] = part.reshape(array.shape)
            first += array.size
    k = Recorder(buffers, set(buffers), frozenset(nodes()), vectors)
    if flat:
        state = {slot: vectors[slot] for slot in optimizer.state}
        optimizer.update(k, vectors["value"], vectors["grad"], vectors["value"], state, state)
    else:
        for node in nodes().values():
            Update(node, optimizer).run(k)
    for t in range(cases.STEPS):
        scalars = optimizer.scalars(t, cases.rate(t, optimizer.lr))
        for name, grad in cases.gradients(t, now(buffers)).items():
            np.copyto(buffers[name, "grad"], grad)
        for name, buffer in k.scalars.items():
            buffer[...] = scalars[name]
        replay(k.calls)
        yield buffers


@pytest.mark.parametrize("row", GOLDEN["optimizers"], ids=lambda row: json.dumps(row["optimizer"]))
def test_equals_pytorch(row: dict[str, Any]) -> None:
    optimizer = made(row["optimizer"])
    assert optimizer.lr == row["lr"], "PyTorch's default"
    for t, (slots, _) in enumerate(stepped(optimizer), 1):
        for name, expected in row["after"].get(str(t), {}).items():
            assert set(expected) == {"value", *optimizer.state}
            for slot, content in expected.items():
                np.testing.assert_allclose(slots[name, slot], content, rtol=1e-12, atol=1e-12)


def test_the_golden_values_cover_the_table() -> None:
    assert [row["optimizer"] for row in GOLDEN["optimizers"]] == cases.OPTIMIZERS
    assert {spec["type"] for spec in cases.OPTIMIZERS} == set(OPTIMIZERS)


@SPECS
@pytest.mark.parametrize("flat", [False, True], ids=["per parameter", "flat"])
def test_replayed_numbers_are_the_stepped_ones_bit_for_bit(spec: Any, flat: bool) -> None:
    optimizer = made(spec)
    for (slots, _), buffers in zip(stepped(optimizer), recorded(optimizer, flat=flat), strict=True):
        for slot, buffer in buffers.items():
            assert slots[slot].tobytes() == buffer.tobytes(), slot


@SPECS
def test_the_gradient_is_left_alone(spec: Any) -> None:
    optimizer = made(spec)
    kernel = Eager(
        first_slots(optimizer) | {("b", "grad"): np.array([1.0, -2.0, 0.0])},
        {},
        optimizer.scalars(0, 0.1),
    )
    kernel.slots["b", "grad"].flags.writeable = False
    kernel.slots["b", "value"].flags.writeable = False
    Update(nodes()["b"], optimizer).run(kernel)
    assert set(kernel.record.writes) == {("b", slot) for slot in ("value", *optimizer.state)}


@SPECS
def test_without_a_gradient_nothing_happens(spec: Any) -> None:
    optimizer = made(spec)
    kernel = Eager(first_slots(optimizer), {}, optimizer.scalars(0, 0.1))
    Update(nodes()["w"], optimizer).run(kernel)
    assert not kernel.seal().writes


def worth(letter: Any, name: str, before: Any, after: Any, record: Record) -> Any:
    if letter.when == "scalar":
        return record.scalars[letter.source]
    if letter.when == "constant":
        return letter.worth
    return (before if letter.when == "old" else after)[name, letter.source]


@SPECS
def test_the_lines_tell_what_is_computed(spec: Any) -> None:
    optimizer = made(spec)
    assert [line.slot for line in optimizer.lines] == [*optimizer.state, "value"]
    assert [line.kind for line in optimizer.lines][-1] == "update"
    before = first_slots(optimizer)
    for after, records in stepped(optimizer):
        for name, record in records.items():
            grad = {(name, "grad"): after[name, "grad"]}
            for line in optimizer.lines:
                names: dict[str, Any] = {
                    word: worth(letter, name, before | grad, after, record)
                    for word, letter in line.letters.items()
                }
                right = re.sub(r"(@\w+) / (\(1 - @\w+\^\{@t\}\))", r"\\frac{\1}{\2}", line.right)
                told = evaluate(right, names | {r"\max": np.maximum})
                np.testing.assert_allclose(told, names[line.target], rtol=1e-9, atol=1e-12)
        before = after


@SPECS
def test_the_lines_can_be_set(spec: Any) -> None:
    for line in made(spec).lines:
        for latex in (line.latex, line.numbers, line.right):
            Template(latex, line.letters)
        for letter in line.letters.values():
            if r"\frac" in letter.symbol:
                Template(letter.symbol.replace("{p}", "W_{1}"))
            else:
                shown = mathml.symbol(letter.symbol.replace("{p}", "W_{1}"))
                assert not re.search(r"[\\{}@]", shown), letter.symbol


@SPECS
def test_the_numpy_line_computes_the_same(spec: Any) -> None:
    optimizer = made(spec)
    code = compile(optimizer.numpy, "shown", "exec")
    letters = {
        slot: line.target.removesuffix("new") for line in optimizer.lines for slot in [line.slot]
    }
    state = {letters[slot]: array for slot, array in optimizer.start((3,)).items()}
    names: dict[str, Any] = {"np": np, "w": cases.start()["b"], **state}
    for t, (slots, _) in enumerate(stepped(optimizer)):
        names |= {"g": slots["b", "grad"], "t": t + 1, "lr": cases.rate(t, optimizer.lr)}
        exec(code, names)
        np.testing.assert_allclose(names["w"], slots["b", "value"], rtol=1e-9, atol=1e-12)


CALLS = {"sgd": 2, "momentum": 4, "rmsprop": 9, "adagrad": 7, "adam": 12, "adamw": 13}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_takes_no_more_calls_than_it_needs(name: str) -> None:
    optimizer = made(name)
    k = Recorder({}, set(), frozenset(), {})
    w, g = np.zeros(3), np.ones(3)
    optimizer.update(k, w, g, w, optimizer.start((3,)), optimizer.start((3,)))
    assert len(k.calls) == CALLS[name]


def test_the_two_momenta_part_when_the_rate_changes() -> None:
    pair = [made({"type": n, "lr": 0.1, "momentum": 0.9}) for n in ("sgd", "momentum")]
    runs = [[slots["b", "value"] for slots, _ in stepped(optimizer)] for optimizer in pair]
    half = cases.STEPS // 2
    np.testing.assert_allclose(runs[0][half - 1], runs[1][half - 1], rtol=1e-9)
    assert np.abs(runs[0][half] - runs[1][half]).max() > 1e-3


def test_the_guides_gradient_descent() -> None:
    """f(x) = x² from 3 with η = 0.1: each step leaves 80 %."""
    optimizer, graph = made({"type": "sgd", "lr": 0.1}), Graph()
    node, slots = graph.leaf("parameter", "x", ()), {("x", "value"): np.array(3.0)}
    for t in range(10):
        slots["x", "grad"] = 2 * slots["x", "value"]
        Update(node, optimizer).run(Eager(slots, {}, optimizer.scalars(t, optimizer.lr)))
    assert slots["x", "value"] == pytest.approx(3 * 0.8**10, rel=1e-14)


@pytest.mark.parametrize(
    ("spec", "where", "words"),
    [
        ({"type": "sdg"}, "optimizer.type", "sgd, momentum, rmsprop, adagrad, adam, adamw"),
        ({"lr": 0.1}, "optimizer.type", "known are sgd"),
        (7, "optimizer", "7"),
        ({"type": "sgd", "lr": -1}, "optimizer.lr", "sgd: lr must be at least 0: -1"),
        ({"type": "sgd", "lr": "fast"}, "optimizer.lr", "number: 'fast'"),
        ({"type": "sgd", "lr": True}, "optimizer.lr", "number: True"),
        ({"type": "sgd", "lr": None}, "optimizer.lr", "number: None"),
        ({"type": "sgd", "lr": float("nan")}, "optimizer.lr", "finite number: nan"),
        ({"type": "sgd", "lr": 10**400}, "optimizer.lr", "finite number"),
        ({"type": "sgd", "beta": 1}, "optimizer.beta", "accepted: lr, momentum"),
        ({"type": "sgd", "nesterov": 1}, "optimizer.nesterov", "true or false: 1"),
        ({"type": "sgd", "nesterov": True}, "optimizer.nesterov", "needs momentum"),
        ({"type": "sgd", "momentum": 0.9, "nesterov": True, "dampening": 0.1}, None, "dampening"),
        ({"type": "momentum", "momentum": -0.1}, "optimizer.momentum", "at least 0: -0.1"),
        (
            {"type": "sgd", "momentum": 5},
            "optimizer.momentum",
            "momentum must be at most 1: 5",
        ),
        ({"type": "rmsprop", "alpha": 1.5}, "optimizer.alpha", "at most 1: 1.5"),
        ({"type": "momentum", "weight_decay": 0.1}, "optimizer.weight_decay", "lr, momentum"),
        ({"type": "rmsprop", "eps": -1e-8}, "optimizer.eps", "at least 0"),
        ({"type": "adagrad", "lr_decay": -1}, "optimizer.lr_decay", "at least 0"),
        ({"type": "adam", "betas": 0.9}, "optimizer.betas", "pair of numbers: 0.9"),
        ({"type": "adam", "betas": [0.9]}, "optimizer.betas", "pair of numbers"),
        ({"type": "adam", "betas": [0.9, 1]}, "optimizer.betas[1]", "less than 1: 1"),
        ({"type": "adamw", "weight_decay": "a"}, "optimizer.weight_decay", "number: 'a'"),
    ],
)
def test_errors_say_what_would_be_accepted(spec: Any, where: str | None, words: str) -> None:
    with pytest.raises(BackstepError) as caught:
        made(spec)
    assert words in caught.value.message
    assert where is None or caught.value.where == where


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_catalogue_row_is_complete(name: str) -> None:
    cls = OPTIMIZERS[name]
    assert cls.summary and cls.says and cls.__doc__ and re.search(r"\d{4}", cls.__doc__)
    rows = cls.arguments()
    assert rows[0]["name"] == "lr" and all(row["summary"] for row in rows)
    assert made({"type": name, **{row["name"]: row["default"] for row in rows}}) == cls()
    assert made(json.loads(json.dumps(cls().spec))) == cls()
