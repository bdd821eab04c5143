"""Makes tests/data/ops.json: values and gradients of every op, computed by PyTorch.

Run by hand, in an environment of its own outside this repository, when an op or its samples change:

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0 numpy
    /tmp/torch/bin/python -m tests.reference.ops

Each op is computed twice: by the function written here, and by its own `pytorch` line, which so
is tested as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.op import OPS, Op, make

OUT = Path(__file__).parents[1] / "data" / "ops.json"
Tensor = torch.Tensor
inf = float("inf")


def flat_loss(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """PyTorch wants the classes on axis 1; here they are on the last, so the rows are laid under
    each other."""

    def loss(p: Tensor, t: Tensor, **_: Any) -> Tensor:
        classes = p.shape[-1]
        return function(
            p.reshape(-1, classes), t.reshape(-1, *([classes] if t.is_floating_point() else []))
        )

    return loss


def half_squared_error(p: Tensor, t: Tensor) -> Tensor:
    return 0.5 * F.mse_loss(p, t, reduction="sum") / p.shape[0]


def reduce(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduced(x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
        axes = tuple(range(x.ndim)) if axis is None else axis
        return function(x, axes, keepdims) if x.ndim else x.clone()

    return reduced


REFERENCE: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "neg": torch.neg,
    "pow": torch.pow,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "exp": torch.exp,
    "log": torch.log,
    "abs": torch.abs,
    "cast": lambda x, to: x.to(getattr(torch, to)),
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": lambda condition, a, b: torch.where(condition != 0, a, b),
    "greater": lambda a, b: torch.gt(a, b).to(a.dtype),
    "less": lambda a, b: torch.lt(a, b).to(a.dtype),
    "sum": reduce(torch.sum),
    "mean": reduce(torch.mean),
    "max": reduce(torch.amax),
    "matmul": torch.matmul,
    "linear": F.linear,
    "transpose": lambda x, axes: x.permute(axes or tuple(reversed(range(x.ndim)))),
    "reshape": lambda x, to: torch.reshape(x, to),
    "broadcast": lambda x, to: torch.broadcast_to(x, to),
    "unbroadcast": lambda x, to: x.sum_to_size(to),
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "mse": F.mse_loss,
    "half_squared_error": half_squared_error,
    "squared_error": lambda p, t: F.mse_loss(p, t, reduction="sum"),
    "mae": F.l1_loss,
    "huber": F.huber_loss,
    "bce": F.binary_cross_entropy,
    "bce_with_logits": F.binary_cross_entropy_with_logits,
    "cross_entropy": flat_loss(F.cross_entropy),
    "nll": flat_loss(F.nll_loss),
}


def pooled(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda x, kernel_size, stride, padding: function(x, kernel_size, stride, padding)


def convolved(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def result(x: Tensor, weight: Tensor, *bias: Tensor, stride: int, padding: int) -> Tensor:
        return function(x, weight, *bias, stride=stride, padding=padding)

    return result


def projection(
    x: Tensor, weight: Tensor, *bias: Tensor, part: int, parts: int, heads: int
) -> Tensor:
    y = F.linear(x, weight.chunk(parts)[part], *[b.chunk(parts)[part] for b in bias])
    return y if heads == 1 else y.unflatten(-1, (heads, -1)).transpose(1, 2)


def recurrent(x: Tensor, h: Tensor, w: Tensor, u: Tensor, *biases: Tensor) -> Tensor:
    y = x @ w.T + h @ u.T
    return y + biases[0] + biases[1] if biases else y


def normalise(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """By `torch.nn.functional`: layer norm for the last axes, batch norm for all but axis 1."""
    over = sorted(axis % x.ndim for axis in axes)
    if over == list(range(x.ndim - len(over), x.ndim)):
        return F.layer_norm(x, x.shape[over[0] :], eps=eps)
    return F.batch_norm(x, None, None, training=True, eps=eps)


def scale_shift(x: Tensor, weight: Tensor, *bias: Tensor, axis: int) -> Tensor:
    rest = [1] * (x.ndim - axis % x.ndim - weight.ndim)
    y = x * weight.reshape(*weight.shape, *rest)
    return y + bias[0].reshape(*weight.shape, *rest) if bias else y


def parts_of(x: Tensor, part: int, parts: int) -> Tensor:
    return x.chunk(parts, -1)[part]


def causal_mask(x: Tensor, fill: float) -> Tensor:
    return x.masked_fill(torch.ones(x.shape[-2:]).triu(1).bool(), fill)


def rnn_layer(
    x: Tensor,
    w: Tensor,
    u: Tensor,
    *biases: Tensor,
    nonlinearity: str,
    sequence: bool,
    truncate: int,
) -> Tensor:
    """PyTorch's own over windows, the state detached between them."""
    run = torch.rnn_tanh if nonlinearity == "tanh" else torch.rnn_relu
    h, shown = x.new_zeros(1, len(x), len(u)), []
    for part in x.split(truncate or x.shape[1], 1):
        y, h = run(part, h.detach(), [w, u, *biases], bool(biases), 1, 0.0, True, False, True)
        shown.append(y)
    return torch.cat(shown, 1) if sequence else shown[-1][:, -1]


REFERENCE |= {
    "rnn_layer": rnn_layer,
    "conv1d": convolved(F.conv1d),
    "conv2d": convolved(F.conv2d),
    "max_pool1d": pooled(F.max_pool1d),
    "max_pool2d": pooled(F.max_pool2d),
    "avg_pool1d": pooled(F.avg_pool1d),
    "avg_pool2d": pooled(F.avg_pool2d),
    "normalise": normalise,
    "batch_normalise": lambda x, axes, eps, momentum: normalise(x, axes, eps),
    "normalise_running": lambda x, mean, var, axis, eps: F.batch_norm(x, mean, var, eps=eps),
    "scale_shift": scale_shift,
    "select": lambda x, index: x.select(1, index),
    "stack": lambda *steps: torch.stack(steps, 1),
    "concat": lambda *parts: torch.cat(parts, -1),
    "initial_state": lambda x, width: x.new_zeros(len(x), width),
    "detach": torch.detach,
    "recurrent": recurrent,
    "lstm_gate": lambda x, part, parts: torch.sigmoid(parts_of(x, part, parts)),
    "lstm_candidate": lambda x, part, parts: torch.tanh(parts_of(x, part, parts)),
    "lstm_cell": lambda f, c, i, u: f * c + i * u,
    "lstm_hidden": lambda o, c: o * torch.tanh(c),
    "gru_gate": lambda a, b, part, parts: torch.sigmoid(parts_of(a + b, part, parts)),
    "gru_candidate": lambda a, b, r, part, parts: torch.tanh(
        parts_of(a, part, parts) + r * parts_of(b, part, parts)
    ),
    "gru_state": lambda z, n, h: (1 - z) * n + z * h,
    "embedding": lambda x, weight: F.embedding(x.long(), weight),
    "projection": projection,
    "scores": lambda q, k: q @ k.mT,
    "scaled": lambda x, d: x / d**0.5,
    "causal_mask": causal_mask,
    "merge_heads": lambda x: x.transpose(1, 2).flatten(2),
}

KINKS: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("relu", {}, [[-0.0, 0.0, -1.0, 1.0, -inf, inf, 1e-300]]),
    ("leaky_relu", {}, [[0.0, -1.0, 1.0, -1000.0, -inf, inf]]),
    ("leaky_relu", {"negative_slope": 0.2}, [[0.0, -1.0, 1.0]]),
    ("elu", {}, [[0.0, -1.0, 1.0, -1000.0, 1000.0, -inf, inf]]),
    ("elu", {"alpha": 0.5}, [[0.0, 0.25, -1.0, 1.0, -20.0]]),
    ("abs", {}, [[0.0, -0.0, -2.0, 2.0]]),
    ("sqrt", {}, [[0.0, 4.0, inf, -1.0]]),
    ("log", {}, [[0.0, 1.0, inf, -1.0]]),
    ("exp", {}, [[0.0, 709.0, 710.0, -745.0, -746.0, -1000.0, 1000.0, inf, -inf]]),
    ("div", {}, [[1.0, -1.0, 0.0, 1.0, 1e308], [0.0, 0.0, 0.0, inf, 1e-10]]),
    ("pow", {}, [[0.0, 0.0, 0.0, 2.0, -2.0, -2.0, 0.0], [0.0, 1.0, 2.0, 0.0, 2.0, 0.5, -1.0]]),
    ("pow", {}, [[-3.0, 0.5, 10.0, -1.0], [3.0, -2.0, 400.0, 0.0]]),
    ("square", {}, [[0.0, 1e200, -1e-200]]),
    ("maximum", {}, [[1.0, 2.0, -1.0, 0.0], [1.0, 1.0, 3.0, -0.0]]),
    ("minimum", {}, [[1.0, 2.0, -1.0, 0.0], [1.0, 1.0, 3.0, -0.0]]),
    ("where", {}, [[0.0, -0.0, 2.0, -1.0], [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]),
    ("greater", {}, [[1.0, 2.0, 0.0], [1.0, 1.0, 1.0]]),
    ("less", {}, [[1.0, 2.0, 0.0], [1.0, 1.0, 1.0]]),
    ("max", {"axis": None}, [[[1.0, 3.0, 3.0], [3.0, 0.0, -1.0]]]),
    ("max", {"axis": 1}, [[[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]]),
    ("max", {"axis": 0, "keepdims": True}, [[[1.0, 3.0, 3.0], [1.0, 2.0, 3.0]]]),
    ("softplus", {}, [[-1000.0, -50.0, -20.0, 0.0, 19.0, 50.0, 1000.0]]),
    ("sigmoid", {}, [[-1000.0, -710.0, -40.0, 0.0, 40.0, 710.0, 1000.0, -inf, inf]]),
    ("tanh", {}, [[-1000.0, -20.0, 0.0, 1e-10, 20.0, 1000.0, inf]]),
    ("gelu", {}, [[-40.0, -3.0, 0.0, 3.0, 40.0, 1000.0, -1000.0]]),
    ("gelu", {"approximate": "tanh"}, [[-40.0, -3.0, 0.0, 3.0, 40.0, 1000.0, -1000.0]]),
    ("softmax", {}, [[[1000.0, 0.0, -1000.0], [1e4, 1e4, 1e4], [-1e4, 0.0, 1.0]]]),
    ("softmax", {}, [[[-inf, 0.0, 1.0]]]),
    ("log_softmax", {}, [[[1e4, 0.0, -1e4], [1e4, 1e4, 1e4], [-1e4, 0.0, 1.0]]]),
    ("log_softmax", {}, [[[-1000.0, -999.0], [0.0, 40.0]]]),
    ("mse", {}, [[1e200, 0.0], [0.0, 1e200]]),
    ("mae", {}, [[1.0, 2.0, -3.0], [1.0, 1.0, 1.0]]),
    ("huber", {}, [[0.0, 1.0, 2.0, 1e6, -1.0], [0.0, 0.0, 1.0, 0.0, 0.0]]),
    ("huber", {"delta": 0.5}, [[0.2, 0.5, 2.0], [0.0, 0.0, 0.0]]),
    ("bce", {}, [[0.0, 1.0, 0.5], [0.0, 1.0, 1.0]]),
    ("bce", {}, [[0.0, 1.0, 1e-20, 1e-10], [1.0, 0.0, 1.0, 0.0]]),
    ("bce", {}, [[1e-10, 1e-10, 1.0 - 1e-10], [0.0, 0.0, 1.0]]),
    ("bce", {}, [[0.25, 0.75], [0.3, 0.9]]),
    ("bce_with_logits", {}, [[-1000.0, 1000.0, 0.0], [0.0, 1.0, 0.5]]),
    ("bce_with_logits", {}, [[-1000.0, 1000.0], [1.0, 0.0]]),
    ("bce_with_logits", {}, [[20.0], [1.0]]),
    ("bce_with_logits", {}, [[30.0], [1.0]]),
    ("cross_entropy", {}, [[[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]], [2, 1]]),
    ("cross_entropy", {}, [[[2.0, 1.0, 0.5]], [0]]),
    ("cross_entropy", {}, [[[2.0, 1.0, 0.5]], [[0.5, 0.5, 1.0]]]),
    ("max_pool1d", {}, [[[[1.0, 3.0, 2.0, 4.0, 4.0, 4.0]]]]),
    ("max_pool2d", {}, [[[[[1.0, 3.0], [2.0, 4.0]]]]]),
    ("max_pool2d", {}, [[[[[5.0, 5.0], [5.0, 5.0]]]]]),
    ("max_pool2d", {"kernel_size": 3, "stride": 1, "padding": 1}, [np.full((1, 1, 3, 4), 2.0)]),
    ("max_pool2d", {"kernel_size": 2, "stride": 3}, [np.arange(35.0).reshape(1, 1, 5, 7)]),
    ("conv2d", {"stride": 3, "padding": 2}, [np.ones((1, 2, 4, 4)), np.ones((1, 2, 2, 2))]),
    ("conv2d", {}, [np.ones((1, 1, 3, 3)), np.ones((2, 1, 3, 3)), np.ones(2)]),
    ("avg_pool2d", {"kernel_size": 2, "stride": 1, "padding": 1}, [np.ones((1, 1, 3, 3))]),
    ("causal_mask", {}, [[[1.0, 2.0], [3.0, 4.0]]]),
    ("normalise", {}, [[[2.0, 2.0, 2.0], [1.0, 2.0, 4.0]]]),
    ("linear", {}, [[1.0, 2.0], [[1.0, 0.5], [2.0, -1.0], [0.0, 3.0]], [0.1, 0.2, 0.3]]),
]


def cases() -> Iterator[tuple[Op, list[np.ndarray[Any, Any]]]]:
    for name, op_class in OPS.items():
        for sample in op_class.samples():
            yield make(name, sample.attrs), list(sample.operands)
    for name, attrs, operands in KINKS:
        yield make(name, attrs), [np.array(operand) for operand in operands]


def compute(
    function: Callable[..., Tensor], op: Op, operands: list[np.ndarray[Any, Any]], g: Any = None
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Value, upstream gradient and gradients by operand."""
    tensors = []
    for i, operand in enumerate(operands):
        tensor = torch.tensor(operand)
        if op.differentiable(i):
            tensor.requires_grad_()
        tensors.append(tensor)
    y = function(*tensors)
    if g is None:
        shape = tuple(y.shape)
        g = torch.tensor(np.random.default_rng(5).normal(size=shape))
    if y.requires_grad:
        y.backward(g)
    grads = {op.operands[i]: t.grad for i, t in enumerate(tensors) if t.grad is not None}
    return y.detach(), g, grads


LETTERED = ("recurrent", "lstm_cell", "lstm_hidden", "gru_gate", "gru_candidate", "gru_state")
LETTERED += ("stack", "scores", "concat", "rnn_layer")
TELLS_FEW = ("linear", "stack", "concat")
"""Ops whose line leaves out what may be left out."""


def by_line(op: Op) -> Callable[..., Tensor]:
    """The op's own PyTorch line as a function."""

    def function(*tensors: Tensor) -> Tensor:
        known: dict[str, Any] = dict(zip(op.operands, tensors, strict=False)) | op.attrs
        known |= {"torch": torch, "F": F, "z": tensors[0], "logp": tensors[0]}
        known |= {"W": known.get("weight"), "b": known.get("b", known.get("bias"))}
        known |= {"c": known.get("condition"), "shape": op.attrs.get("to")}
        known |= {"batch": tensors[0].shape[0] if tensors[0].ndim else 1}
        if op.name in ("conv1d", "conv2d", "projection"):
            known["b"] = known["bias"]
        if "part" in op.attrs:
            known["k"] = op.attrs["part"]
        if "kernel_size" in op.attrs:
            known["k"] = op.attrs["kernel_size"]
        if op.name == "select":
            known["t"] = op.attrs["index"]
        if op.name in LETTERED:
            known |= dict(zip(op.operands, tensors, strict=False))
        known.setdefault("alpha", op.attrs.get("negative_slope"))
        if "axis" in known and known["axis"] is None:
            known["axis"] = tuple(range(tensors[0].ndim))
        exec(op.pytorch, known)
        return known[op.pytorch.split("=")[0].strip()]

    return function


def line_speaks_of(op: Op, operands: list[np.ndarray[Any, Any]]) -> bool:
    attrs = op.attrs
    return not (
        attrs.get("keepdims")
        or attrs.get("to") == "float64"
        or attrs.get("dim", -1) != -1
        or (attrs.get("axes") and op.name == "transpose")
        or attrs.get("approximate", "none") != "none"
        or (op.optional and len(operands) < len(op.operands) and op.name not in TELLS_FEW)
        or (op.name in ("stack", "concat") and len(operands) > 2)
        or attrs.get("padding")
        or attrs.get("stride", 1) not in (1, None)
        or attrs.get("heads", 1) > 1
        or attrs.get("nonlinearity", "tanh") != "tanh"
        or (op.name == "scale_shift" and operands[0].ndim > 2)
        or (op.name in ("cross_entropy", "nll") and operands[0].ndim != 2)
    )


def plain(tensor: Tensor) -> Any:
    """Nested lists in which every number is exact, the non-finite ones as texts."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(item) for item in value]
        if isinstance(value, float) and (value != value or abs(value) == inf):
            return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
        return value

    return one(tensor.tolist())


def main() -> None:
    rows, lines = [], set()
    for op, operands in cases():
        if op.name == "nll" and operands[1].dtype.kind == "f":
            continue  # PyTorch's NLLLoss knows no probability targets
        reference = REFERENCE[op.name]
        y, g, grads = compute(lambda *t, f=reference, a=op.attrs: f(*t, **a), op, operands)
        if line_speaks_of(op, operands):
            near = {"rtol": 1e-13, "atol": 1e-14 if "normalise" in op.name else 1e-300}
            shown, _, shown_grads = compute(by_line(op), op, operands, g)
            torch.testing.assert_close(shown, y, equal_nan=True, **near)
            for name in grads:
                torch.testing.assert_close(shown_grads[name], grads[name], equal_nan=True, **near)
            lines.add(op.name)
        rows.append(
            {
                "op": op.name,
                "attrs": op.attrs,
                "operands": [plain(torch.tensor(operand)) for operand in operands],
                "g": plain(g),
                "value": plain(y),
                "grads": {name: plain(grad) for name, grad in grads.items()},
            }
        )
    assert lines == set(OPS) - {"cast"}, f"no PyTorch line tested: {set(OPS) - lines}"
    told = {"made_by": "tests/reference/ops.py", "torch": torch.__version__.split("+")[0]}
    body = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    OUT.write_text(f'{json.dumps(told)[:-1]}, "cases": [\n{body}\n]}}\n')
    print(f"{OUT.name}: {len(rows)} cases of {len(OPS)} ops by torch {told['torch']}")


if __name__ == "__main__":
    main()
