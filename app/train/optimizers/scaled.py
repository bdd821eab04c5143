"""Each parameter moves at a rate of its own, scaled by the size that its gradients have had."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.types import Array, Shape
from app.train.arguments import option
from app.train.lines import Letter, Line
from app.train.optimizers.base import (
    Optimizer,
    State,
    W,
    decayed,
    descend,
    mixed,
    slots,
    squared,
    told_decay,
)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Tieleman and Hinton 2012 (Neural Networks for Machine Learning, lecture 6.5); `centered` as
    Graves 2013."""

    lr: float = option(1e-2, "learning rate: how far one update goes", low=0)
    alpha: float = option(0.99, "share of the average of squares that is kept", low=0, high=1)
    eps: float = option(1e-8, "keeps the division from exploding", low=0)
    weight_decay: float = option(0.0, "pull of every parameter towards 0", low=0)
    momentum: float = option(0.0, "share of the former direction that is kept", low=0, high=1)
    centered: bool = option(False, "divide by the spread around the average gradient")

    name = "rmsprop"
    torch = "RMSprop"
    summary = "each parameter's step is divided by the usual size of its gradient"
    says = (
        "The gradient is divided by its usual size, so that steep and flat directions move alike."
    )

    @property
    def state(self) -> tuple[str, ...]:
        centered = ("grad_avg",) if self.centered else ()
        return ("square_avg", *centered, *(("momentum_buffer",) if self.momentum else ()))

    def update(self, k: Kernel, w: Array, g: Array, w_new: Array, state: State, new: State) -> None:
        d, s = decayed(k, w, g, self.weight_decay), k.scratch(w.shape)
        c_new = new["square_avg"]
        mixed(k, state["square_avg"], self.alpha, d, c_new, squared=True)
        if self.centered:
            a_new = new["grad_avg"]
            mixed(k, state["grad_avg"], self.alpha, d, a_new, squared=False)
            k(np.multiply, a_new, a_new, s)
            k(np.subtract, c_new, s, s)
            k(np.sqrt, s, s)
        else:
            k(np.sqrt, c_new, s)
        k(np.add, s, const(self.eps), s)
        k(np.divide, d, s, s)
        if self.momentum:
            b_new = new["momentum_buffer"]
            k(np.multiply, state["momentum_buffer"], const(self.momentum), b_new)
            k(np.add, b_new, s, b_new)
            descend(k, w, b_new, k.scalar("lr"), s, w_new)
        else:
            descend(k, w, s, k.scalar("lr"), s, w_new)

    @property
    def lines(self) -> list[Line]:
        grad, _, decay = told_decay(self.weight_decay)
        known = W | decay
        known |= slots(c=("c", "square_avg"), a=("a", "grad_avg"), b=("b", "momentum_buffer"))
        known["alpha"] = Letter(r"\alpha", "alpha", "constant", self.alpha)
        known["eps"] = Letter(r"\epsilon", "eps", "constant", self.eps)
        known["mu"] = Letter(r"\mu", "momentum", "constant", self.momentum)
        square = rf"@alpha \cdot @cold + (1 - @alpha) \cdot {squared(grad)}"
        average = rf"@alpha \cdot @aold + (1 - @alpha) \cdot {grad}"
        root = r"\sqrt{@cnew - @anew^2}" if self.centered else r"\sqrt{@cnew}"
        step = rf"\frac{{{grad}}}{{{root} + @eps}}"
        lines = [Line("state", "cnew", square, known)]
        if self.centered:
            lines.append(Line("state", "anew", average, known))
        if self.momentum:
            lines.append(Line("state", "bnew", rf"@mu \cdot @bold + {step}", known))
        step = "@bnew" if self.momentum else step
        return [*lines, Line("update", "new", rf"@old - @lr \cdot {step}", known)]

    @property
    def numpy(self) -> str:
        _, g, _ = told_decay(self.weight_decay)
        keep, take = repr(self.alpha), f"{1 - self.alpha:.12g}"
        lines = [f"c = {keep} * c + {take} * {g}**2"]
        root = "np.sqrt(c)"
        if self.centered:
            lines.append(f"a = {keep} * a + {take} * {g}")
            root = "np.sqrt(c - a**2)"
        step = f"{g} / ({root} + {self.eps!r})"
        if self.momentum:
            lines.append(f"b = {self.momentum!r} * b + {step}")
            step = "b"
        return "\n".join([*lines, f"w -= lr * {step}"])


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Duchi, Hazan and Singer 2011, "Adaptive subgradient methods", the diagonal form."""

    lr: float = option(1e-2, "learning rate: how far one update goes", low=0)
    lr_decay: float = option(0.0, "lr is divided by 1 + lr_decay times the updates done", low=0)
    weight_decay: float = option(0.0, "pull of every parameter towards 0", low=0)
    initial_accumulator_value: float = option(0.0, "where the sums of squares start", low=0)
    eps: float = option(1e-10, "keeps the division from exploding", low=0)

    name = "adagrad"
    torch = "Adagrad"
    summary = "the more a parameter has moved, the smaller its steps become"
    says = "Every squared gradient is added up, and the step is divided by the root of that sum."
    state = ("sum",)

    @property
    def timed(self) -> bool:  # type: ignore[override]
        return self.lr_decay != 0

    def start(self, shape: Shape) -> dict[str, Array]:
        return {"sum": np.full(shape, self.initial_accumulator_value)}

    def scalars(self, t: int, lr: float) -> dict[str, float]:
        return {"lr": lr / (1 + t * self.lr_decay)}

    def update(self, k: Kernel, w: Array, g: Array, w_new: Array, state: State, new: State) -> None:
        d, s, sum_new = decayed(k, w, g, self.weight_decay), k.scratch(w.shape), new["sum"]
        k(np.multiply, d, d, s)
        k(np.add, state["sum"], s, sum_new)
        k(np.sqrt, sum_new, s)
        k(np.add, s, const(self.eps), s)
        k(np.divide, d, s, s)
        descend(k, w, s, k.scalar("lr"), s, w_new)

    @property
    def lines(self) -> list[Line]:
        grad, _, decay = told_decay(self.weight_decay)
        known = W | slots(s=("s", "sum")) | decay
        known["eps"] = Letter(r"\epsilon", "eps", "constant", self.eps)
        if self.lr_decay:
            known["lr"] = Letter(r"\eta_t", "lr", "scalar")
        step = rf"\frac{{{grad}}}{{\sqrt{{@snew}} + @eps}}"
        return [
            Line("state", "snew", rf"@sold + {squared(grad)}", known),
            Line("update", "new", rf"@old - @lr \cdot {step}", known),
        ]

    @property
    def numpy(self) -> str:
        _, g, _ = told_decay(self.weight_decay)
        lr = f"lr / (1 + (t - 1) * {self.lr_decay!r})" if self.lr_decay else "lr"
        return f"s = s + {g}**2\nw -= {lr} * {g} / (np.sqrt(s) + {self.eps!r})"


@dataclass(frozen=True)
class Adam(Optimizer):
    """Kingma and Ba 2015, algorithm 1; `amsgrad` as Reddi, Kale and Kumar 2018. The kernel uses the
    paper's rearrangement (section 2): both bias corrections go into one step size and one eps."""

    betas: tuple[float, float] = option(
        (0.9, 0.999),
        "shares of the averages of gradient and square that are kept",
        pair=True,
        low=0,
        below=1,
    )
    eps: float = option(1e-8, "keeps the division from exploding", low=0)
    weight_decay: float = option(0.0, "pull of every parameter towards 0", low=0)
    amsgrad: bool = option(False, "divide by the largest average of squares so far")

    name = "adam"
    torch = "Adam"
    summary = "momentum, divided by the usual size of the gradient, both corrected at the start"
    says = (
        "The average gradient is divided by the gradient's usual size, "
        "so that every parameter moves about one learning rate at a time."
    )
    shown = ("lr", "t")
    timed = True
    decoupled: ClassVar[bool] = False

    @property
    def state(self) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if self.amsgrad else ()))

    def scalars(self, t: int, lr: float) -> dict[str, float]:
        (beta1, beta2), n = self.betas, t + 1
        root = math.sqrt(1 - beta2**n)
        step_size = lr * root / (1 - beta1**n)
        told = {"lr": lr, "t": n, "step_size": step_size, "scaled_eps": self.eps * root}
        if self.decoupled and self.weight_decay:
            told["keep"] = 1 - lr * self.weight_decay
        return told

    def update(self, k: Kernel, w: Array, g: Array, w_new: Array, state: State, new: State) -> None:
        d, s = decayed(k, w, g, 0.0 if self.decoupled else self.weight_decay), k.scratch(w.shape)
        m_new, v_new = new["exp_avg"], new["exp_avg_sq"]
        mixed(k, state["exp_avg"], self.betas[0], d, m_new, squared=False)
        mixed(k, state["exp_avg_sq"], self.betas[1], d, v_new, squared=True)
        if self.amsgrad:
            largest = new["max_exp_avg_sq"]
            k(np.maximum, state["max_exp_avg_sq"], v_new, largest)
            v_new = largest
        k(np.sqrt, v_new, s)
        k(np.add, s, k.scalar("scaled_eps"), s)
        k(np.divide, m_new, s, s)
        if self.decoupled and self.weight_decay:
            k(np.multiply, w, k.scalar("keep"), w_new)
            w = w_new
        descend(k, w, s, k.scalar("step_size"), s, w_new)

    @property
    def lines(self) -> list[Line]:
        grad, _, decay = told_decay(self.weight_decay)
        if self.decoupled:
            grad = "@grad"
        known = W | slots(m=("m", "exp_avg"), v=("v", "exp_avg_sq"), h=("h", "max_exp_avg_sq"))
        known |= decay
        for i, beta in enumerate(self.betas, 1):
            word = ("betaone", "betatwo")[i - 1]
            known[word] = Letter(rf"\beta_{i}", "betas", "constant", beta)
        known["t"] = Letter("t", "t", "scalar")
        known["eps"] = Letter(r"\epsilon", "eps", "constant", self.eps)
        lines = [
            Line("state", "mnew", rf"@betaone \cdot @mold + (1 - @betaone) \cdot {grad}", known),
            Line(
                "state",
                "vnew",
                rf"@betatwo \cdot @vold + (1 - @betatwo) \cdot {squared(grad)}",
                known,
            ),
        ]
        if self.amsgrad:
            lines.append(Line("state", "hnew", r"\max(@hold, @vnew)", known))
        old = "@old"
        if self.decoupled and self.weight_decay:
            old = r"(1 - @lr \cdot @lambda) \cdot @old"
        largest = "@hnew" if self.amsgrad else "@vnew"
        root = rf"\sqrt{{{largest} / (1 - @betatwo^{{@t}})}}"
        step = rf"\frac{{@mnew / (1 - @betaone^{{@t}})}}{{{root} + @eps}}"
        return [*lines, Line("update", "new", rf"{old} - @lr \cdot {step}", known)]

    @property
    def numpy(self) -> str:
        _, g, _ = told_decay(0.0 if self.decoupled else self.weight_decay)
        (b1, b2), v = self.betas, "h" if self.amsgrad else "v"
        lines = [
            f"m = {b1!r} * m + {1 - b1:.12g} * {g}",
            f"v = {b2!r} * v + {1 - b2:.12g} * {g}**2",
        ]
        if self.amsgrad:
            lines.append("h = np.maximum(h, v)")
        if self.decoupled and self.weight_decay:
            lines.append(f"w *= 1 - lr * {self.weight_decay!r}")
        return "\n".join(
            [
                *lines,
                f"m_hat, v_hat = m / (1 - {b1!r}**t), {v} / (1 - {b2!r}**t)",
                f"w -= lr * m_hat / (np.sqrt(v_hat) + {self.eps!r})",
            ]
        )


@dataclass(frozen=True)
class AdamW(Adam):
    """Loshchilov and Hutter 2019: decay acts on the parameter itself, not through the averages."""

    weight_decay: float = option(1e-2, "share of lr by which every parameter shrinks", low=0)

    name = "adamw"
    torch = "AdamW"
    summary = "Adam, with weight decay kept out of the averages"
    says = "The parameter first shrinks a little; then Adam's step is taken."
    decoupled = True
