"""What is shown of an op is true: its formulas and its NumPy lines, evaluated, give what the
engine computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.op import OPS, Op, Sample, make
from app.engine.ops.gates import Gate
from app.engine.ops.normalisation import Normalise
from app.engine.ops.pooling import Pooling
from app.engine.ops.reduce import Reduction
from app.engine.ops.shaping import Broadcast, Unbroadcast, stretched
from app.engine.types import Array
from tests.engine import checks
from tests.engine.latex import evaluate

CASES = [
    pytest.param(make(name, sample.attrs), sample, id=f"{name}-{number}")
    for name, op_class in OPS.items()
    for number, sample in enumerate(op_class.samples())
    if sample.smooth
]
cases = pytest.mark.parametrize(("op", "sample"), CASES)

PROSE = {"where", "embedding", "initial_state", "concat", "rnn_layer"}
"""Ops whose formula is a sentence, an index, a list, or one step of many."""

MATRIX = {"matmul", "linear", "transpose", "recurrent", "scores"}
SEQUENCES = {"select", "stack", "concat", "projection", "merge_heads", "rnn_layer"}
IMAGES = {"conv1d", "conv2d", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"}
"""Ops of operands with three or more axes, whose NumPy lines speak of them."""
LAYER_MODULES = set("convolution pooling normalisation recurrent gates attention layers".split())
erf = np.vectorize(math.erf, otypes=[float])


def normal(x: Array) -> Array:
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def density(x: Array) -> Array:
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int = -1) -> Array:
    shares = np.exp(x - x.max(axis, keepdims=True))
    return shares / shares.sum(axis, keepdims=True)


def onehot(t: Array, classes: int) -> Array:
    return np.eye(classes)[t] if t.dtype.kind == "i" else t


def slope(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda x: (function(x + 1e-6) - function(x - 1e-6)) / 2e-6


def huber(d: Array, delta: float) -> Array:
    return np.where(np.abs(d) <= delta, d * d / 2, delta * (np.abs(d) - delta / 2))


def count(op: Op, operands: tuple[Array, ...]) -> float:
    """What `n` stands for in the op's formulas."""
    x = operands[0]
    if isinstance(op, Reduction):
        return float(op.count(x.shape))
    if isinstance(op, Pooling):
        return float(np.prod(op.size))
    if op.name == "half_squared_error":
        return float(x.shape[0])
    if op.name in ("cross_entropy", "nll"):
        return float(x.size // x.shape[-1])
    return float(x.size)


def part(op: Op, x: Array) -> Array:
    """The part of the last axis on which a gate works."""
    return np.split(x, op.attrs["parts"], -1)[op.attrs["part"]]


def fill_part(op: Op, like: Array, grad: Array) -> Array:
    """A gate's gradient in its part, zeros in the others."""
    out = np.zeros_like(like)
    size = grad.shape[-1]
    out[..., op.attrs["part"] * size : (op.attrs["part"] + 1) * size] = grad
    return out


def letters(op: Op, sample: Sample) -> dict[str, float]:
    """The op's further letters and their worth."""
    told = op.letters(*checks.shapes_of(sample.operands))
    return {letter: worth for letter, (_, worth) in told.items()}


def names(op: Op, sample: Sample, y: Array, g: Array) -> dict[str, Any]:
    """All that may stand in a formula of this op."""
    operands = dict(zip(op.operands, sample.operands, strict=False))
    attrs = op.attrs
    if op.name in ("cross_entropy", "nll"):
        operands["t"] = onehot(operands["t"], operands["p"].shape[-1])
    axis, keep = (attrs["dim"], True) if "dim" in attrs else (attrs.get("axis"), True)
    if isinstance(op, Broadcast):
        axis = stretched(sample.operands[0].shape, op.to)
    if isinstance(op, Unbroadcast):
        axis = stretched(op.to, sample.operands[0].shape)
    if isinstance(op, Reduction):
        y, g = (np.asarray(op.spread(a, sample.operands[0].shape)) for a in (y, g))
    delta = attrs.get("delta", 1.0)
    more: dict[str, Any] = {}
    if isinstance(op, Normalise):
        x, over = sample.operands[0], op.axes
        more = {r"\mu": x.mean(over, keepdims=True), r"\sigma": x.std(over, keepdims=True)}
        more["mean"] = lambda x: x.mean(over, keepdims=True)
    if isinstance(op, Gate):
        operands |= {letter: part(op, operands[letter]) for letter in "xab" if letter in operands}
        operands["k"] = 1.0
    alpha = attrs.get("alpha", attrs.get("negative_slope", 1.0))
    relu = lambda x: np.maximum(x, 0)  # noqa: E731
    return (
        {
            "y": y,
            "g": g,
            "e": math.e,
            **letters(op, sample),
            r"\max": lambda *a: np.maximum(*a) if len(a) > 1 else np.max(a[0], axis, keepdims=keep),
            r"\min": np.minimum,
            r"\ln": np.log,
            r"\sum": lambda x: np.sum(x, axis=axis, keepdims=keep),
            r"\tanh": np.tanh,
            r"\tanh'": slope(np.tanh),
            r"\sigma": sigmoid,
            r"\sigma'": slope(sigmoid),
            r"\Phi": normal,
            "ReLU'": slope(relu),
            "LReLU'": slope(lambda x: np.where(x > 0, x, alpha * x)),
            "ELU'": slope(lambda x: np.where(x > 0, x, alpha * np.expm1(x))),
            "GELU'": slope(lambda x: x * normal(x)),
            "softmax": lambda x: softmax(x, attrs.get("dim", -1)),
            "sign": np.sign,
            "clip": np.clip,
            "huber": lambda d: huber(d, delta),
            "reshape": lambda x: x.reshape(-1),
            "round": lambda x: x,
            "broadcast": lambda x: np.broadcast_to(
                x, attrs["to"] if op.name == "broadcast" else sample.operands[0].shape
            ),
            "causal": lambda x: np.where(np.tri(*x.shape) > 0, x, attrs["fill"]),
            "lower": np.tril,
        }
        | operands
        | more
    )


def close(shown: Any, computed: Array, text: str) -> None:
    shown = np.asarray(shown, np.float64)
    if shown.shape != computed.shape and shown.size == computed.size:
        shown = shown.reshape(computed.shape)
    np.testing.assert_allclose(
        np.broadcast_to(shown, computed.shape), computed, rtol=1e-8, atol=1e-9, err_msg=text
    )


@cases
def test_formula_is_what_is_computed(op: Op, sample: Sample) -> None:
    if op.name in PROSE or op.attrs.get("approximate") == "tanh" or sample.operands[0].ndim > 2:
        pytest.skip("the formula is a sentence, an approximation, or of matrices only")
    y, _ = checks.run(op, sample.operands)
    known = names(op, sample, y, checks.upstream(op, sample.operands)) | {"bias": 0.0}
    if op.optional:
        known |= {"b": 0.0, "c": 0.0} | dict(zip(op.operands, sample.operands, strict=False))
    left, _, right = op.formula.partition(" = ")
    assert left == "@y"
    close(evaluate(right, known, matrix=op.name in MATRIX), y, op.formula)


@cases
def test_one_entry_worked_out_is_that_entry(op: Op, sample: Sample) -> None:
    """Of ops whose entries depend on means or sums over many others."""
    if not op.worked_at:
        assert not op.worked_back
        pytest.skip("no entry needs a mean or a sum of others")
    g = checks.upstream(op, sample.operands)
    y, grads = checks.run(op, sample.operands, g)
    known = names(op, sample, y, g) | op.measured(sample.operands[0], y, g)
    known |= {"e": np.e, r"\ln": np.log}
    close(evaluate(op.worked_at, known), y, op.worked_at)
    close(evaluate(op.worked_back, known), next(iter(grads.values())), op.worked_back)


@cases
def test_letters_are_what_they_stand_for(op: Op, sample: Sample) -> None:
    attrs = op.attrs
    expected = {
        "n": count(op, sample.operands),
        "alpha": attrs.get("alpha", attrs.get("negative_slope")),
        "delta": attrs.get("delta"),
        "eps": attrs.get("eps"),
        "d": attrs.get("d"),
        "t": attrs.get("index"),
        "k": attrs.get("part", -2) + 1,
    }
    for letter, worth in letters(op, sample).items():
        assert worth == expected[letter]


@pytest.mark.parametrize(
    ("op", "sample"), [c for c in CASES if getattr(c.values[0], "each_term", "")]
)
def test_terms_of_a_loss_add_up_to_it(op: Any, sample: Sample) -> None:
    y, _ = checks.run(op, sample.operands)
    known = names(op, sample, y, y)
    total = np.sum(evaluate(op.each_term, known))
    parts = {"half_squared_error": 2 * known["n"], "squared_error": 1.0} if op.is_loss else {}
    close(total / parts.get(op.name, known["n"]), y, op.each_term)


@cases
def test_rules_are_what_is_computed(op: Op, sample: Sample) -> None:
    if op.attrs.get("approximate") == "tanh" or sample.operands[0].ndim > 2:
        pytest.skip("an approximation, or of matrices only")
    if op.name == "matmul" and any(x.ndim < 2 for x in sample.operands):
        pytest.skip("of matrices only")
    if op.name in PROSE - {"where"}:
        pytest.skip("the rule is a sum over uses")
    g = checks.upstream(op, sample.operands)
    y, grads = checks.run(op, sample.operands, g)
    known = names(op, sample, y, g)
    for i, grad in grads.items():
        rule = op.rules[checks.name_of(op, i)]
        shown = evaluate(rule.full, known, matrix=op.name in MATRIX)
        if isinstance(op, Gate) and grad.shape != shown.shape:
            shown = fill_part(op, grad, shown)
        close(shown, grad, rule.full)
        for local in filter(None, (rule.local, rule.worth)):
            close(known["g"] * evaluate(local, known), grad, local)


def code_names(op: Op, sample: Sample) -> dict[str, Any]:
    """The letters that the NumPy lines use, as somebody who copies one would have them."""
    operands = dict(zip(op.operands, sample.operands, strict=False))
    first = sample.operands[0]
    attrs = op.attrs
    known = operands | {
        "np": np,
        "z": first,
        "logp": first,
        "W": operands.get("weight"),
        "b": operands.get("b", operands.get("bias", 0.0)),
        "c": operands.get("condition"),
        "alpha": attrs.get("alpha", attrs.get("negative_slope")),
        "delta": attrs.get("delta"),
        "axis": attrs.get("axis"),
        "shape": attrs.get("to"),
        "batch": first.shape[0] if first.shape else 1,
        "n": first.shape[0] if op.name in ("cross_entropy", "nll") else first.size,
        "erf": erf,
        "Phi": normal,
        "phi": density,
        "softmax": softmax,
        "log_softmax": lambda x: np.log(softmax(x)),
        "onehot": lambda t: onehot(t, first.shape[-1]),
    }
    if op.name == "mean":
        known["n"] = count(op, sample.operands)
    if isinstance(op, Broadcast):
        known["repeated_axes"] = stretched(first.shape, op.to)
    if isinstance(op, Unbroadcast):
        known["repeated_axes"] = stretched(op.to, first.shape)
    return known


def windows(x: Array, weight: Array) -> Array:
    """Every window of the size of a kernel, its places last."""
    size = weight.shape[2:]
    return sliding_window_view(x, size, tuple(range(2, x.ndim)))


def layer_names(op: Op, sample: Sample) -> dict[str, Any]:
    """The same for the ops that layers are made of: sizes, and their attributes."""
    operands = dict(zip(op.operands, sample.operands, strict=False))
    first = sample.operands[0]
    known = op.attrs | operands | {"np": np, "z": first, "N": (*first.shape, 1)[0]}
    if op.name in IMAGES:
        known |= dict(zip("NC" + ("HW" if first.ndim == 4 else "L"), first.shape, strict=True))
        known["k"] = op.attrs.get("kernel_size")
    if op.name.startswith("conv"):
        weight = operands["weight"]
        border = [(0, 0), (0, 0), *((n - 1, n - 1) for n in weight.shape[2:])]
        known |= {"W": weight, "b": operands["bias"], "windows": windows}
        known["pad"] = lambda g: np.pad(g, border)
    if isinstance(op, Gate):
        known |= {"k": op.part, "H": first.shape[-1] // op.parts}
    if op.name == "projection":
        weight = operands["weight"]
        known |= {"W": weight, "b": operands["bias"], "k": op.attrs["part"]}
        known["E"] = len(weight) // op.attrs["parts"]
    if op.name == "merge_heads":
        known |= {"T": first.shape[2], "heads": first.shape[1]}
    if op.name == "select":
        known["t"] = op.attrs["index"]
    return known


def told_in_full(op: Op, sample: Sample) -> bool:
    """Whether the line of such an op speaks of this sample."""
    attrs = op.attrs
    return (
        attrs.get("padding", 0) == 0
        and attrs.get("stride", 1) in (1, None)
        and attrs.get("heads", 1) == 1
        and (op.name not in ("stack", "concat") or len(sample.operands) == 2)
        and op.attrs.get("nonlinearity", "tanh") == "tanh"
        and op.attrs.get("sequence", True)
        and ("pool" not in op.name or not any(n % 2 for n in sample.operands[0].shape[2:]))
    )


def plain(op: Op, sample: Sample) -> bool:
    """Whether the line, which shows the op at its plainest, speaks of this sample."""
    attrs = op.attrs
    if op.name in IMAGES | SEQUENCES:
        return told_in_full(op, sample)
    return not (
        attrs.get("keepdims")
        or attrs.get("dim", -1) != -1
        or (attrs.get("axes") and op.name == "transpose")
        or (op.optional and len(sample.operands) < len(op.operands) and op.name != "linear")
        or attrs.get("approximate", "none") != "none"
        or any(x.ndim > 2 for x in sample.operands)
        or (op.name in ("cross_entropy", "nll") and sample.operands[1].dtype.kind != "i")
    )


@cases
def test_numpy_lines_run_and_give_what_is_computed(op: Op, sample: Sample) -> None:
    if not plain(op, sample):
        pytest.skip("the line shows the plain case")
    g = checks.upstream(op, sample.operands)
    y, grads = checks.run(op, sample.operands, g)
    known = code_names(op, sample)
    if type(op).__module__.rpartition(".")[2] in LAYER_MODULES:
        known |= layer_names(op, sample)
    result = op.numpy.split(";")[-1].split("=")[0].strip()
    exec(op.numpy, known)
    close(known[result], y, op.numpy)
    if not grads or (op.name == "matmul" and any(x.ndim < 2 for x in sample.operands)):
        return
    exec(op.numpy_back, known | {"g": g}, back := {})
    assigned = [name for name in back if name.startswith("d")]
    assert len(assigned) >= len(grads), op.numpy_back
    for name, grad in zip(assigned, grads.values(), strict=False):
        close(back[name], grad, op.numpy_back)


def test_every_op_is_tested_at_least_once_with_its_numpy_line() -> None:
    tested = {case.values[0].name for case in CASES if plain(*case.values)}
    assert tested == set(OPS)


@pytest.mark.parametrize("text", [r"@x \cdot", r"@x )", r"\unknown(@x)", r"(@x", r"\frac{@x}"])
def test_evaluator_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        evaluate(text, {"x": 1.0})


def test_evaluator_reads_the_notation() -> None:
    known = {"x": 3.0, "y": 4.0, r"\ln": np.log, "n": 2.0}
    assert evaluate(r"2@x \, (1 - @y)", known) == -18.0
    assert evaluate(r"\frac{1}{2 n}(@x - @y)^2", known) == 0.25
    assert evaluate(r"-@x^2 + @y \ln 1", known) == -9.0
    assert evaluate("[@x > @y]", known) == 0.0
