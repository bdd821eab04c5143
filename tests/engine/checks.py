"""What must hold for any op: each property is a function that raises where it does not.

The tests run them over the whole table of ops, and over ops broken on purpose (`test_checks.py`).
Every operand, g and y is sealed here, so a rule that writes where it must not fails at once; what
a rule is to write into holds rubbish beforehand, so a rule that leaves entries out fails too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from app.engine.kernel import Eager, Recorder
from app.engine.op import Op, Sample, Term
from app.engine.replay import replay
from app.engine.types import VALUE, Array, Shape, Slot

RUBBISH = (np.nan, 1e300)


def sealed(array: Any) -> Array:
    copy = np.array(array)  # keeps the layout
    copy.flags.writeable = False
    return copy


def name_of(op: Op, operand: int) -> str:
    return op.operands[min(operand, len(op.operands) - 1)]


def differentiable(op: Op, operands: tuple[Array, ...]) -> list[int]:
    return [i for i in range(len(operands)) if op.differentiable(i)]


def shapes_of(operands: Iterable[Array]) -> tuple[Shape, ...]:
    return tuple(operand.shape for operand in operands)


def upstream(op: Op, operands: tuple[Array, ...], seed: int = 11) -> Array:
    """A gradient to send backward, the same for the same shape."""
    shape = op.shape(*shapes_of(operands))
    return sealed(np.random.default_rng(seed).normal(size=shape))


class Rubbish(Eager):
    """An eager kernel whose fresh buffers hold a number that no result should depend on."""

    def __init__(self, rubbish: float) -> None:
        super().__init__({}, {}, {})
        self.rubbish = rubbish

    def write(self, *what: Any, **how: Any) -> Array:
        out = super().write(*what, **how)
        out.fill(self.rubbish)
        return out

    def scratch(self, *what: Any, **how: Any) -> Array:
        out = super().scratch(*what, **how)
        out.fill(self.rubbish)
        return out


def run(
    op: Op,
    operands: tuple[Array, ...],
    g: Array | None = None,
    want: Iterable[int] | None = None,
    rubbish: float = np.nan,
) -> tuple[Array, dict[int, Array]]:
    """The op's value and, if g is given, its contributions to the operands in `want` (default:
    all it has)."""
    operands = tuple(sealed(operand) for operand in operands)
    k = Rubbish(rubbish)
    k.at("node")
    with np.errstate(all="ignore"):
        y = k.write("node", VALUE, op.shape(*shapes_of(operands)), op.dtype)
        op.forward(k, y, *operands)
        y.flags.writeable = False
        if g is None:
            return y, {}
        wanted = differentiable(op, operands) if want is None else list(want)
        grads = [k.scratch(x.shape) if i in wanted else None for i, x in enumerate(operands)]
        op.vjp(k, sealed(g), y, *operands, *grads)
    return y, {i: grads[i] for i in wanted}  # type: ignore[misc]


def batch_last(array: Array) -> Array:
    """The same entries with axis 0 innermost in memory."""
    if array.ndim < 2:
        return array
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 0, -1)), -1, 0)


def check_layout(op: Op, operands: tuple[Array, ...]) -> None:
    """An op that takes any layout computes the same from operands that lie otherwise in memory."""
    g = upstream(op, operands)
    laid = tuple(batch_last(operand) for operand in operands)
    plain, grads = run(op, operands, g)
    y, others = run(op, laid, g)
    np.testing.assert_allclose(y, plain, rtol=1e-14)
    for i, grad in grads.items():
        np.testing.assert_allclose(others[i], grad, rtol=1e-14)


def same_bits(a: Array, b: Array) -> bool:
    """Equal to the last bit, NaN and the sign of zero included."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def check_shape(op: Op, operands: tuple[Array, ...]) -> None:
    """What a plain forward computes has the shape that the shape rule says."""
    out = op.shape(*shapes_of(operands))
    assert isinstance(out, tuple) and all(type(size) is int for size in out), f"shape: {out!r}"
    y, grads = run(op, operands, upstream(op, operands))
    assert np.all(np.isfinite(y)), f"value: {y}"
    for i, grad in grads.items():
        assert grad.shape == operands[i].shape
        assert np.all(np.isfinite(grad)), f"gradient of {name_of(op, i)}: {grad}"


def check_writes(op: Op, operands: tuple[Array, ...]) -> None:
    """All of the out buffers is written, nothing else, and nothing is read from them."""
    g = upstream(op, operands)
    results = [run(op, operands, g, rubbish=rubbish) for rubbish in RUBBISH]
    assert same_bits(results[0][0], results[1][0]), "the value depends on what stood in its buffer"
    for i in results[0][1]:
        assert same_bits(results[0][1][i], results[1][1][i]), (
            f"the gradient of {name_of(op, i)} depends on what stood in its buffer"
        )


def check_wanted(op: Op, operands: tuple[Array, ...]) -> None:
    """Any one gradient alone, and none at all, gives the same bits as all together."""
    g = upstream(op, operands)
    _, together = run(op, operands, g)
    run(op, operands, g, want=())
    for i, grad in together.items():
        alone = run(op, operands, g, want=(i,))[1][i]
        assert same_bits(alone, grad), f"{name_of(op, i)} alone: {alone} is not {grad}"


def differences(op: Op, operands: tuple[Array, ...], g: Array, operand: int) -> Array:
    """d Σ g·y / d operand by central differences of the fourth order."""
    x, h = np.array(operands[operand]), 1e-4
    out = np.empty(x.shape)

    def total(index: tuple[int, ...], step: float) -> float:
        moved = np.array(x)
        moved[index] += step
        y, _ = run(op, (*operands[:operand], moved, *operands[operand + 1 :]))
        return float(np.sum(g * y))

    for index in np.ndindex(*x.shape):
        near = total(index, h) - total(index, -h)
        far = total(index, 2 * h) - total(index, -2 * h)
        out[index] = (8 * near - far) / (12 * h)
    return out


def check_vjp(op: Op, operands: tuple[Array, ...]) -> None:
    """The vjp equals what happens to Σ g·y when an entry of an operand is moved."""
    g = upstream(op, operands)
    _, grads = run(op, operands, g)
    for i, grad in grads.items():
        np.testing.assert_allclose(
            grad,
            differences(op, operands, g, i),
            rtol=1e-9,
            atol=1e-10,
            err_msg=f"gradient of {name_of(op, i)}",
        )


def check_replay(op: Op, operands: tuple[Array, ...]) -> None:
    """Recorded once and replayed with other inputs, in memory at odd addresses: the bits of an
    eager run."""
    buffers: dict[Slot, Array] = {}
    flat = np.zeros(1 + sum(operand.size for operand in operands))
    start = 1  # a parameter is a view into a vector: its address is no multiple of 16
    for i, operand in enumerate(operands):
        if operand.dtype == flat.dtype:
            view = flat[start : start + operand.size].reshape(operand.shape)
            start += operand.size
        else:
            view = np.zeros_like(operand)
        buffers[f"x{i}", VALUE] = view
    g = np.zeros(op.shape(*shapes_of(operands)))
    ins = [buffers[f"x{i}", VALUE] for i in range(len(operands))]
    k = Recorder(buffers, set(), frozenset(), {})
    k.at("node")
    y = k.write("node", VALUE, g.shape, op.dtype)
    op.forward(k, y, *ins)
    wanted = differentiable(op, operands)
    grads = [
        k.write("node", f"grad{i}", x.shape) if i in wanted else None
        for i, x in enumerate(operands)
    ]
    op.vjp(k, g, y, *ins, *grads)
    for turn in range(3):
        now = tuple(other_inputs(operand, turn) for operand in operands)
        for buffer, operand in zip(ins, now, strict=True):
            buffer[...] = operand
        g[...] = upstream(op, operands, seed=turn)
        for out in (y, *(grad for grad in grads if grad is not None)):
            out.fill(RUBBISH[turn % 2])
        with np.errstate(all="ignore"):
            replay(k.calls)
        value, expected = run(op, now, g)
        assert same_bits(y, value), f"replay {turn}: {y} is not {value}"
        for i in wanted:
            grad = grads[i]
            assert grad is not None
            assert same_bits(grad, expected[i]), f"replay {turn}: {grad} is not {expected[i]}"
        for buffer, operand in zip(ins, now, strict=True):
            assert same_bits(np.array(buffer), np.array(operand)), "an operand was written over"


def other_inputs(operand: Array, turn: int) -> Array:
    """The same entries in another order, real ones also a little smaller; no sample leaves its
    domain by that."""
    moved = np.roll(operand.reshape(-1), turn).reshape(operand.shape)
    whole = bool(np.all(operand == np.round(operand)))
    return moved if whole else moved * (1.0 - 0.125 * turn)


def evaluate(terms: list[Term], arrays: dict[str, Array]) -> float:
    total = 0.0
    for term in terms:
        product = term.scale
        for name, index in term.factors:
            assert len(index) == arrays[name].ndim, f"the index into {name} is not full: {index}"
            assert all(i >= 0 for i in index), f"the index into {name} is negative: {index}"
            product *= float(arrays[name][index])
        total += product
    return total


def check_elements(op: Op, operands: tuple[Array, ...]) -> int:
    """Each element written out as a sum of products is the computed element; returns how many
    there were."""
    shapes, g = shapes_of(operands), upstream(op, operands)
    y, grads = run(op, operands, g)
    arrays = dict(zip(op.operands, operands, strict=False)) | {"g": g}
    seen = 0
    for index in np.ndindex(*y.shape):
        terms = op.element(index, *shapes)
        if terms is not None:
            np.testing.assert_allclose(evaluate(terms, arrays), y[index], rtol=1e-12, atol=1e-14)
            seen += 1
    for i, grad in grads.items():
        for index in np.ndindex(*grad.shape):
            terms = op.element_back(name_of(op, i), index, *shapes)
            if terms is not None:
                np.testing.assert_allclose(
                    evaluate(terms, arrays), grad[index], rtol=1e-12, atol=1e-14
                )
                seen += 1
    return seen


def made(op_class: type[Op], sample: Sample) -> Op:
    return op_class(**sample.attrs)
