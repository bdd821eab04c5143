"""RNN, LSTM and GRU, unrolled over time: the same parameter nodes serve every step, so that the
backward pass adds a contribution for each step to them (BPTT).

`truncate` cuts the past off every so many steps: the state goes on, the gradient does not. With
`bidirectional` a second set of weights reads from the last step to the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.engine.errors import BackstepError
from app.engine.graph import Node
from app.engine.op import Op, make
from app.engine.ops.gates import (
    GruCandidate,
    GruGate,
    GruState,
    LstmCandidate,
    LstmCell,
    LstmGate,
    LstmHidden,
)
from app.engine.ops.joining import Concat
from app.engine.ops.layers import RnnLayer
from app.engine.ops.matrix import Linear
from app.engine.ops.recurrent import Detach, InitialState, Recurrent, Select, Stack
from app.nn.builder import Builder
from app.nn.layers.layer import Layer


@dataclass(frozen=True)
class Unrolled(Layer):
    """Batch first: input (T, F), output (T, hidden_size), or the last step alone. With `num_layers`
    each further layer reads the states of the one before; its parameters end in _l1, _l2, …

    Bidirectional: output (T, 2·hidden_size), or what either direction has reached at its own end;
    the parameters of the way back end in _reverse. Its steps are numbered as they are taken.
    """

    hidden_size: int
    input_size: int = 0
    bias: bool = True
    return_sequences: bool = True
    truncate: int = 0
    num_layers: int = 1
    bidirectional: bool = False
    differs = (
        "always batch_first; without return_sequences the last state, of two directions the "
        "last of each (h_n); no dropout between layers, no proj_size"
    )
    gates: ClassVar[int] = 1
    states: ClassVar[str] = "h"

    def build(self, b: Builder, x: Node) -> Node:
        self.positive("hidden_size", "num_layers")
        if len(x.shape) != 3:
            raise BackstepError(f"a sample must be a sequence (T, F): {x.shape[1:]}")
        if self.truncate < 0:
            raise BackstepError(f"truncate must be at least 1, or 0 for never: {self.truncate}")
        self.agrees("input_size", x.shape[2])
        for layer in range(self.num_layers):
            last = layer == self.num_layers - 1
            x = self._layer(b, x, layer, last=last and not self.return_sequences)
        return x

    def _layer(self, b: Builder, x: Node, layer: int, *, last: bool) -> Node:
        """One layer over all steps; `last` asks for its last step alone."""
        number, front = b.next("recurrent"), f"l{layer}_" if layer else ""
        up = _raised(number)
        parameters = self._parameters(b, x.shape[2], up, str(layer))
        whole = self.whole(b, last)
        if whole is not None:
            return b.op(whole, x, *parameters, name=f"{front}H", called=f"H{up}")
        seen, shown = self._way(b, x, _known_steps(b, x), parameters, up, front)
        if self.bidirectional:
            back = _raised(b.next("recurrent"))
            parameters = self._parameters(b, x.shape[2], back, f"{layer}_reverse")
            _, other = self._way(b, x, seen[::-1], parameters, back, f"l{layer}_reverse_")
            ends = [(shown[-1], other[-1])] if last else [*zip(shown, other[::-1], strict=True)]
            both = f"^{{({number}+{number + 1})}}"
            shown = [
                b.op(Concat(), *pair, name=f"{front}both_t{t}", called=f"h_{{{t}}}{both}")
                for t, pair in enumerate(ends, x.shape[1] if last else 1)
            ]
        if last:
            return shown[-1]
        out = b.op(Stack(), *shown, name=f"{front}H", called=f"H{up}")
        b.steps[out.name] = shown
        return out

    def _way(
        self,
        b: Builder,
        x: Node,
        known: Sequence[Node] | None,
        parameters: Sequence[Node],
        up: str,
        front: str,
    ) -> tuple[list[Node], list[Node]]:
        """What comes in at each step, and the state after it; steps that are not known yet are
        taken out of x.
        """
        source, zeros = (known[0] if known else x), InitialState(width=self.hidden_size)
        state = [
            b.op(zeros, source, name=f"{front}{s}_0", called=f"{s}_0{up}") for s in self.states
        ]
        seen: list[Node] = []
        shown: list[Node] = []
        for t in range(1, x.shape[1] + 1):
            if self.truncate and t > 1 and (t - 1) % self.truncate == 0:
                state = [
                    b.op(
                        Detach(),
                        node,
                        name=f"{front}{s}_{t - 1}_cut",
                        called=f"{s}_{{{t - 1}}}{up}'",
                    )
                    for s, node in zip(self.states, state, strict=True)
                ]
            cell = Cell(b, t, up, front)
            now = known[t - 1] if known else cell.add(Select(index=t - 1), x, letter="x")
            state = self.step(cell, now, state, parameters)
            seen.append(now)
            shown.append(state[0])
        return seen, shown

    def _parameters(self, b: Builder, width: int, up: str, layer: str) -> list[Node]:
        """PyTorch draws all of them evenly within 1 / √hidden_size."""
        rows = self.gates * self.hidden_size
        made = []
        for source, size in (("ih", width), ("hh", self.hidden_size)):
            made.append(
                b.parameter(
                    f"weight_{source}_l{layer}",
                    (rows, size),
                    f"W_{{{source}}}{up}",
                    fan_in=self.hidden_size,
                    fan_out=self.hidden_size,
                )
            )
        for source in ("ih", "hh") if self.bias else ():
            made.append(
                b.parameter(
                    f"bias_{source}_l{layer}",
                    (rows,),
                    f"b_{{{source}}}{up}",
                    fan_in=self.hidden_size,
                    fan_out=self.hidden_size,
                )
            )
        return made

    def step(
        self, cell: Cell, x: Node, state: Sequence[Node], parameters: Sequence[Node]
    ) -> list[Node]:
        """The state after one step of time; its first entry is what the layer shows."""
        raise NotImplementedError

    def whole(self, b: Builder, last: bool) -> Op | None:
        """The op that is all of one layer at once, where that was asked for."""
        return None


def _raised(number: int) -> str:
    """What tells the letters of several recurrent layers, and of two directions, apart."""
    return f"^{{({number})}}" if number > 1 else ""


@dataclass(frozen=True)
class Cell:
    """Names the nodes of one step of time."""

    b: Builder
    t: int
    up: str
    front: str = ""

    def add(self, op: object, *inputs: Node, letter: str) -> Node:
        called = f"{letter}_{{{self.t}}}{self.up}"
        return self.b.op(op, *inputs, name=f"{self.front}{letter}_{self.t}", called=called)  # type: ignore[arg-type]


def _known_steps(b: Builder, x: Node) -> Sequence[Node] | None:
    """The steps of a recurrent layer before are taken as they are, and the node that laid them side
    by side goes if nobody else reads it.
    """
    known = b.steps.get(x.name)
    if known is not None and x.name not in b.held:
        del b.graph.nodes[x.name]
    return known


@dataclass(frozen=True)
class Rnn(Unrolled):
    """hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh) (Elman 1990). `fused` makes one op of all steps:
    much faster, nothing to step through, the same numbers up to rounding.
    """

    nonlinearity: str = "tanh"
    fused: bool = False
    name = "rnn"
    summary = "carries a state from step to step of a sequence"
    pytorch = "nn.RNN"

    def __post_init__(self) -> None:
        if self.nonlinearity not in ("tanh", "relu"):
            raise BackstepError(f'nonlinearity must be "tanh" or "relu": {self.nonlinearity!r}')
        if self.fused and self.bidirectional:
            raise BackstepError("fused cannot be bidirectional: one op reads one way")

    def step(
        self, cell: Cell, x: Node, state: Sequence[Node], parameters: Sequence[Node]
    ) -> list[Node]:
        z = cell.add(Recurrent(), x, state[0], *parameters, letter="z")
        return [cell.add(make(self.nonlinearity), z, letter="h")]

    def whole(self, b: Builder, last: bool) -> Op | None:
        if self.bidirectional:
            return None
        b.fusible = True
        if not (self.fused if b.fused is None else b.fused):
            return None
        return RnnLayer(self.nonlinearity, not last, self.truncate)


@dataclass(frozen=True)
class Lstm(Unrolled):
    """Gates input, forget, (candidate) and output, in PyTorch's order (Hochreiter & Schmidhuber
    1997; Gers et al. 2000).
    """

    name = "lstm"
    gates = 4
    states = "hc"
    summary = "carries a cell from step to step, with gates for forgetting, writing and showing"
    pytorch = "nn.LSTM"

    def step(
        self, cell: Cell, x: Node, state: Sequence[Node], parameters: Sequence[Node]
    ) -> list[Node]:
        h, c = state
        z = cell.add(Recurrent(), x, h, *parameters, letter="z")
        i = cell.add(LstmGate(part=0, parts=4), z, letter="i")
        f = cell.add(LstmGate(part=1, parts=4), z, letter="f")
        g = cell.add(LstmCandidate(part=2, parts=4), z, letter="g")
        o = cell.add(LstmGate(part=3, parts=4), z, letter="o")
        c = cell.add(LstmCell(), f, c, i, g, letter="c")
        return [cell.add(LstmHidden(), o, c, letter="h"), c]


@dataclass(frozen=True)
class Gru(Unrolled):
    """Gates reset and update, in PyTorch's order and form: the reset gate works on the product
    W_hn h + b_hn (Cho et al. 2014).
    """

    name = "gru"
    gates = 3
    summary = "carries a state from step to step, with gates for resetting and updating it"
    pytorch = "nn.GRU"

    def step(
        self, cell: Cell, x: Node, state: Sequence[Node], parameters: Sequence[Node]
    ) -> list[Node]:
        (h,) = state
        w, u, *biases = parameters
        a = cell.add(Linear(), x, w, *biases[:1], letter="a")
        s = cell.add(Linear(), h, u, *biases[1:], letter="s")
        r = cell.add(GruGate(part=0, parts=3), a, s, letter="r")
        z = cell.add(GruGate(part=1, parts=3), a, s, letter="z")
        n = cell.add(GruCandidate(part=2, parts=3), a, s, r, letter="n")
        return [cell.add(GruState(), z, n, h, letter="h")]
