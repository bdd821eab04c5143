"""Calls made one: the same bits in whatever program, and far fewer calls where steps are alike."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import numpy as np
import pytest

from app.engine import grouping
from app.engine.grouping import grouped, total
from app.engine.replay import replay
from app.engine.types import Array
from app.train.run import Run
from app.train.spec import parse_spec

BINARY = (np.add, np.subtract, np.multiply, np.maximum)
UNARY = (np.positive, np.negative, np.tanh)


def doubled(x: Array, out: Array) -> None:
    """A function that is not NumPy's own."""
    out[...] = 2 * x


class Drawn:
    """A program of loops over alike arrays, drawn by lot: products with a weight, sums into shared
    places, copies, what is computed twice, scratches used again, parts of arrays.
    """

    def __init__(self, seed: int) -> None:
        self.lot, rng = random.Random(seed), np.random.default_rng(seed)
        self.kept = [rng.normal(size=(3, 3)) for _ in range(4)]
        self.long = rng.normal(size=(3, 12, 3))
        self.families = [[np.zeros((3, 3)) for _ in range(14)] for _ in range(6)]
        self.scratches = [np.zeros((3, 3)) for _ in range(3)]
        self.made = [x for some in (*self.families, self.scratches) for x in some]
        self.calls: list[partial[Any]] = []
        for family in self.families[: self.lot.randint(4, 6)]:
            for t, x in enumerate(family[: self.lot.choice((12, 14))]):
                self.call(np.positive, self.long[:, min(t, 11)], x)
        for _ in range(6):
            self.loop()

    def call(self, function: Any, *operands: Any) -> None:
        *ins, out = operands
        if function is np.maximum:
            self.calls.append(partial(function, *ins, out=out))
        else:
            self.calls.append(partial(function, *ins, out))

    def loop(self) -> None:
        """Twelve times the same calls, with the same or with other arrays."""
        lot, body = self.lot, []
        usual = ("dot", "dot", "binary", "binary", "unary", "sum", "sum", "take")
        for _ in range(lot.randint(1, 5)):
            kind = lot.choice((*usual, lot.choice(("part", "own", *usual))))
            families = lot.choices(self.families, k=3)
            shifts = lot.choices(range(3), k=3)
            body.append((kind, families, shifts, lot.choice(BINARY), lot.choice(UNARY)))
        place, scratch, weight = lot.choice(self.kept), lot.choice(self.made), lot.choice(self.kept)
        for t in range(12) if lot.random() < 0.5 else reversed(range(12)):
            for kind, families, shifts, two, one in body:
                a, b, c = (some[t + i] for some, i in zip(families, shifts, strict=True))
                if kind == "dot":
                    self.call(np.dot, a.T if two is np.add else a, weight, c)
                elif kind == "binary":
                    self.call(two, a, weight if one is np.negative else b, c)
                elif kind == "unary":
                    self.call(one, a, c)
                elif kind == "sum":
                    self.call(np.dot, a.T, b, scratch if t else place)
                    if t:
                        self.call(np.add, place, scratch, place)
                elif kind == "take":
                    self.call(np.positive, self.long[:, t], c)
                elif kind == "part":
                    self.call(np.multiply, a[1:], b[:2], c[1:])
                else:
                    self.call(doubled, a, c)

    def after(self, calls: list[partial[Any]]) -> list[bytes]:
        """What stands in the kept arrays after two iterations."""
        before = [x.copy() for x in self.kept]
        for x in self.made:
            x.fill(0)
        with np.errstate(all="ignore"):
            for _ in range(2):
                replay(calls)
                for x in self.kept:
                    np.tanh(x, x)
        found = [x.tobytes() for x in self.kept]
        for x, old in zip(self.kept, before, strict=True):
            x[...] = old
        return found


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_any_program_leaves_the_same_bits(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "WORTH", 1.0)
    fewer = 0
    for seed in range(first, first + 20):
        drawn = Drawn(seed)
        calls = grouped(drawn.calls, drawn.made)
        assert drawn.after(calls) == drawn.after(drawn.calls)
        fewer += len(calls) < len(drawn.calls)
    assert fewer > 10


def test_sums_keep_their_order_and_the_sign_of_zero() -> None:
    rows, out = np.array([[1e16, -0.0], [1.0, -0.0], [-1e16, -0.0]]), np.ones(2)
    total(rows, out)
    assert out.tolist() == [0.0, 0.0] and np.signbit(out).tolist() == [False, True]


SERIES: dict[str, Any] = {
    "loss": "mse",
    "optimizer": {"type": "sgd", "lr": 0.1},
    "data": {
        "inputs": np.random.default_rng(3).normal(size=(4, 20, 2)).tolist(),
        "targets": np.random.default_rng(4).normal(size=(4, 1)).tolist(),
    },
}
KINDS: list[dict[str, Any]] = [
    {"type": "rnn"},
    {"type": "rnn", "nonlinearity": "relu", "num_layers": 2, "truncate": 7},
    {"type": "rnn", "bias": False},
    {"type": "lstm"},
    {"type": "gru"},
    {"type": "rnn", "hidden_size": 1},  # whose gradients are single numbers
]


@pytest.mark.parametrize("zero_grad", [True, False], ids=["fresh", "kept"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: " ".join(map(str, kind.values())))
def test_steps_of_a_sequence_are_taken_together_bit_by_bit(
    kind: dict[str, Any], zero_grad: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "WORTH", 1.0)
    layers = [{"hidden_size": 5, **kind, "return_sequences": False}]
    layers += [{"type": "linear", "out_features": 1}]
    spec = {**SERIES, "model": {"layers": layers}, "zero_grad": zero_grad}
    fast, slow = Run(parse_spec(spec)), Run(parse_spec(spec))
    fast.train(6)
    losses = [float(slow.slots(i, len(slow.plan(i)))["loss", "value"]) for i in range(6)]
    assert list(fast.history.train_loss) == losses
    end, other = fast.carried(6), slow.slots(6, 0)
    assert all(end[slot].tobytes() == other[slot].tobytes() for slot in end)


def run_of(layer: dict[str, Any]) -> tuple[Run, int]:
    """A recurrent network, trained a little, and how many calls an iteration of it takes."""
    layers = [{**layer, "hidden_size": 5, "return_sequences": False}]
    layers += [{"type": "linear", "out_features": 1}]
    run = Run(parse_spec({**SERIES, "model": {"layers": layers}}))
    run.train(3)
    assert run.trainer is not None
    (program,) = run.trainer.programs.values()
    return run, len(program.calls)


def test_an_rnn_step_takes_six_calls() -> None:
    """Forward a product, a sum, tanh; backward a product, and what comes into it."""
    assert run_of({"type": "rnn"})[1] < 6 * 20 + 30


def test_where_matmul_has_other_bits_products_stay_single(monkeypatch: pytest.MonkeyPatch) -> None:
    together, few = run_of({"type": "rnn"})
    monkeypatch.setattr(grouping, "_agree", lambda *given: False)
    apart, many = run_of({"type": "rnn"})
    assert list(together.history.train_loss) == list(apart.history.train_loss)
    assert few + 4 * 19 <= many
