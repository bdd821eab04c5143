"""A whole recurrent layer as one op, as PyTorch's `nn.RNN` computes it: products that do not wait
for one another are taken together, over all steps of the sequence.

The same mathematics as `recurrent` and `tanh` step by step, in far fewer calls; sums are added up
in another order, so the numbers agree up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import ShapeError
from app.engine.kernel import Kernel, const, ones
from app.engine.op import Op, Rule, Sample, draw
from app.engine.types import Array, Shape


@dataclass(frozen=True)
class RnnLayer(Op):
    """x (N, T, F) -> all states (N, T, H), or the last one (N, H). Inside, time is the first axis.
    The gradient is not carried past every `truncate`-th step.
    """

    nonlinearity: str = "tanh"
    sequence: bool = True
    truncate: int = 0
    name = "rnn_layer"
    symbol = "RNN"
    summary = "carries a state through all steps of a sequence, in one op"
    operands = ("x", "W", "U", "b", "c")
    optional = 2
    formula = (
        r"{@y}_t = \varphi\left({@x}_t \, {@W}^{\top} + {@y}_{t-1} \, {@U}^{\top} + @b + @c\right)"
    )
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"\operatorname{BPTT}(@g) \, @W"),
        "W": Rule(r"\operatorname{BPTT}(@g)^{\top} @x"),
        "U": Rule(r"\operatorname{BPTT}(@g)^{\top} {@y}_{t-1}"),
        "b": Rule(r"\textstyle\sum \operatorname{BPTT}(@g)"),
        "c": Rule(r"\textstyle\sum \operatorname{BPTT}(@g)"),
    }
    says = (
        "The products with the inputs of all steps are taken at once; then the state goes from "
        "step to step."
    )
    says_back = (
        "The gradient goes back from step to step. What the weights get from all of them is one "
        "product at the end, not one for each step."
    )
    numpy = (
        "h = [np.zeros((len(x), len(U)))]; "
        "[h.append(np.tanh(x[:, t] @ W.T + b + h[t] @ U.T + c)) for t in range(x.shape[1])]; "
        "y = np.stack(h[1:], 1)"
    )
    numpy_back = (
        "e, n = np.zeros_like(g), 0\n"
        "for t in reversed(range(x.shape[1])):\n"
        "    e[:, t] = (g[:, t] + n) * (1 - h[t + 1] ** 2); n = e[:, t] @ U\n"
        "p = np.stack(h[:-1], 1)\n"
        "dx = e @ W; dW = np.einsum('nth,ntf->hf', e, x); dU = np.einsum('nth,nti->hi', e, p)\n"
        "db = e.sum((0, 1)); dc = e.sum((0, 1))"
    )
    pytorch = (
        "y = torch.rnn_tanh(x, x.new_zeros(1, len(x), len(U)), [W, U, b, c], "
        "True, 1, 0.0, True, False, True)[0]"
    )

    def shape(self, *shapes: Shape) -> Shape:
        x, w, u, *biases = shapes
        if len(x) != 3 or len(w) != 2 or x[2] != w[1] or x[1] < 1:
            raise self.fail("the input (N, T, F) and its weight (H, F) do not fit", x, w)
        if u != (w[0], w[0]):
            raise self.fail("the state's weight must be (H, H) like the input's (H, F)", u, w)
        if any(bias != w[:1] for bias in biases):
            raise self.fail("a bias must have one entry for each unit", biases[0], w)
        if self.nonlinearity not in ("tanh", "relu"):
            raise ShapeError(
                f"{self.name}: nonlinearity must be tanh or relu: {self.nonlinearity!r}",
                where=self.name,
            )
        return (*x[:2], w[0]) if self.sequence else (x[0], w[0])

    def forward(self, k: Kernel, y: Array, x: Array, w: Array, u: Array, *biases: Array) -> None:
        (n, steps, width), size = x.shape, len(w)
        rows = k.save("rows", (steps * n, width))
        k(np.positive, x.swapaxes(0, 1), rows.reshape(steps, n, width))
        states, into = k.save("states", (steps + 1, n, size)), k.scratch((steps * n, size))
        k(np.dot, rows, w.T, into)
        if biases:
            both = k.scratch((size,))
            k(np.add, *(biases if len(biases) > 1 else (biases[0], const(0.0))), both)
            k(np.add, into, both, into)
        s = k.scratch((n, size))
        k(np.positive, const(0.0), states[0])
        for t, now in enumerate(into.reshape(steps, n, size)):
            k(np.dot, states[t], u.T, s)
            k(np.add, s, now, s)
            if self.nonlinearity == "tanh":
                k(np.tanh, s, states[t + 1])
            else:
                k(np.maximum, s, const(0.0), states[t + 1])
        k(np.positive, states[1:].swapaxes(0, 1) if self.sequence else states[-1], y)

    def vjp(self, k: Kernel, g: Array, y: Array, *rest: Any) -> None:
        half = len(rest) // 2
        x, w, u = rest[:3]
        dx, dw, du, *biases = rest[half:]
        if all(grad is None for grad in (dx, dw, du, *biases)):
            return
        rows, states = k.saved("rows"), k.saved("states")
        d = k.scratch((x.shape[1], *states.shape[1:]))
        self.back(k, g, states, u, d)
        flat = d.reshape(-1, len(w))
        if dx is not None:
            inner = k.scratch(rows.shape)
            k(np.dot, flat, w, inner)
            k(np.positive, inner.reshape(len(d), *dx.shape[::2]), dx.swapaxes(0, 1))
        k(np.dot, flat.T, rows, dw)
        k(np.dot, flat.T, states[:-1].reshape(flat.shape), du)
        for bias in biases:
            k(np.dot, ones(len(flat)), flat, bias)

    def back(self, k: Kernel, g: Array, states: Array, u: Array, d: Array) -> None:
        """Fills d with the gradients before the nonlinearity, from the last step to the first."""
        slope, after = k.scratch(d.shape), k.scratch(d.shape[1:])
        if self.nonlinearity == "tanh":
            k(np.multiply, states[1:], states[1:], slope)
            k(np.subtract, const(1.0), slope, slope)
        else:
            k(np.greater, states[1:], const(0.0), slope)
        own = k.scratch(d.shape) if self.sequence else None
        k(np.positive, g.swapaxes(0, 1) if self.sequence else g, own)
        here = None if self.sequence else g
        for t in reversed(range(len(d))):
            if own is not None:
                if here is not None:
                    k(np.add, here, own[t], here)
                here = own[t] if here is None else here
            if here is None:
                k(np.positive, const(0.0), d[t])
                continue
            k(np.multiply, here, slope[t], d[t])
            cut = t == 0 or (self.truncate and t % self.truncate == 0)
            here = None if cut else after
            k(np.dot, d[t], u, here)

    @classmethod
    def samples(cls) -> list[Sample]:
        shapes = ((2, 3, 2), (3, 2), (3, 3), (3,), (3,))
        cut = {"nonlinearity": "relu", "truncate": 2}  # then no slope of what is computed
        return [
            Sample(draw(*shapes), {}),
            Sample(draw((1, 3, 2), (2, 2), (2, 2)), {"sequence": False}),
            Sample(draw((1, 4, 2), (2, 2), (2, 2)), {"sequence": False, "truncate": 2}, False),
            Sample(draw(*shapes, seed=9), cut, False),
        ]
