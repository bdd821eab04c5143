"""Every parameter moves at the same rate: gradient descent, with momentum in two forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.types import Array
from app.train.arguments import option
from app.train.lines import Letter, Line
from app.train.optimizers.base import (
    Optimizer,
    State,
    W,
    decayed,
    descend,
    slots,
    told_decay,
)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent (Cauchy 1847; Robbins and Monro 1951), with momentum after Polyak 1964 and
    Nesterov 1983 in PyTorch's form: the buffer holds gradients, the learning rate stays outside."""

    momentum: float = option(0.0, "share of the former direction that is kept", low=0, high=1)
    dampening: float = option(0.0, "share of the gradient held back from the buffer")
    weight_decay: float = option(0.0, "pull of every parameter towards 0", low=0)
    nesterov: bool = option(False, "look ahead along the buffer; needs momentum")

    name = "sgd"
    torch = "SGD"
    summary = "one step against the gradient"
    says = "Each parameter moves against its gradient: where the slope goes up, it steps back."

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and (self.momentum <= 0 or self.dampening != 0):
            raise self.fail("nesterov", "needs momentum above 0 and no dampening", self.nesterov)

    @property
    def timed(self) -> bool:  # type: ignore[override]
        return bool(self.momentum and self.dampening)

    @property
    def state(self) -> tuple[str, ...]:
        return ("momentum_buffer",) if self.momentum else ()

    @property
    def shown(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("held",) if self.timed else ()

    def scalars(self, t: int, lr: float) -> dict[str, float]:
        if not self.timed:
            return {"lr": lr}
        held = self.dampening if t else 0.0  # the first gradient goes in whole
        return {"lr": lr, "held": held, "inflow": 1 - held}

    def update(self, k: Kernel, w: Array, g: Array, w_new: Array, state: State, new: State) -> None:
        d, s = decayed(k, w, g, self.weight_decay), k.scratch(w.shape)
        if self.momentum:
            b, b_new = state["momentum_buffer"], new["momentum_buffer"]
            inflow = d
            if self.dampening:
                k(np.multiply, d, k.scalar("inflow"), s)
                inflow = s
            k(np.multiply, b, const(self.momentum), b_new)
            k(np.add, b_new, inflow, b_new)
            if self.nesterov:
                k(np.multiply, b_new, const(self.momentum), s)
                k(np.add, d, s, s)
                d = s
            else:
                d = b_new
        descend(k, w, d, k.scalar("lr"), s, w_new)

    @property
    def lines(self) -> list[Line]:
        grad, _, decay = told_decay(self.weight_decay)
        known = W | slots(b=("b", "momentum_buffer")) | decay
        known["mu"] = Letter(r"\mu", "momentum", "constant", self.momentum)
        known["held"] = Letter(r"\tau", "held", "scalar")
        if not self.momentum:
            return [Line("update", "new", rf"@old - @lr \cdot {grad}", known)]
        inflow = rf"(1 - @held) \cdot {grad}" if self.dampening else grad
        step = rf"\left({grad} + @mu \cdot @bnew\right)" if self.nesterov else "@bnew"
        return [
            Line("state", "bnew", rf"@mu \cdot @bold + {inflow}", known),
            Line("update", "new", rf"@old - @lr \cdot {step}", known),
        ]

    @property
    def numpy(self) -> str:
        _, g, _ = told_decay(self.weight_decay)
        if not self.momentum:
            return f"w -= lr * {g}"
        inflow = f"(1 if t == 1 else {1 - self.dampening:.12g}) * {g}" if self.dampening else g
        step = f"({g} + {self.momentum!r} * b)" if self.nesterov else "b"
        return f"b = {self.momentum!r} * b + {inflow}\nw -= lr * {step}"


@dataclass(frozen=True)
class Momentum(Optimizer):
    """The form of Rumelhart, Hinton and Williams 1986, with the learning rate inside the velocity.
    It differs from PyTorch's once the rate changes: what was gathered before keeps the old one."""

    momentum: float = option(0.9, "share of the velocity that is kept", low=0, high=1)

    name = "momentum"
    torch = "SGD"
    summary = "a velocity that gathers speed; the learning rate is inside it"
    says = (
        "The velocity keeps a share of itself and takes up the new push; the parameter follows it."
    )
    state = ("velocity",)

    def update(self, k: Kernel, w: Array, g: Array, w_new: Array, state: State, new: State) -> None:
        s, v_new = k.scratch(w.shape), new["velocity"]
        k(np.multiply, state["velocity"], const(self.momentum), v_new)
        k(np.multiply, g, k.scalar("lr"), s)
        k(np.subtract, v_new, s, v_new)
        k(np.add, w, v_new, w_new)

    @property
    def lines(self) -> list[Line]:
        known = W | slots(v=("v", "velocity"))
        known["mu"] = Letter(r"\mu", "momentum", "constant", self.momentum)
        return [
            Line("state", "vnew", r"@mu \cdot @vold - @lr \cdot @grad", known),
            Line("update", "new", "@old + @vnew", known),
        ]

    @property
    def numpy(self) -> str:
        return f"v = {self.momentum!r} * v - lr * g\nw += v"

    @property
    def pytorch(self) -> str:
        return f"{super().pytorch}  # the same path while lr stays constant"
