"""Adds nodes to a graph under the scope of a layer, and remembers which leaves need numbers: drawn
parameters, buffers, constants, and noise that is drawn before every iteration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from app.engine.graph import BUFFER, CONSTANT, NOISE, PARAMETER, Graph, Node
from app.engine.op import Op
from app.engine.types import Array, Shape
from app.nn.init import DEFAULT, Init, Zeros
from app.render import text


@dataclass(frozen=True)
class Declared:
    """A parameter or buffer that the spec may set and that is drawn otherwise."""

    name: str
    shape: Shape
    init: Init
    fan_in: int
    fan_out: int


@dataclass(frozen=True)
class Noise:
    """A dropout mask: each entry is 0 with probability p, else 1 / (1 − p)."""

    name: str
    p: float

    def draw(self, rng: np.random.Generator, shape: Shape) -> Array:
        if self.p >= 1.0:
            return np.zeros(shape)
        return np.asarray((rng.random(shape) >= self.p) / (1.0 - self.p))


@dataclass
class Builder:
    """`scope` is the dotted path of the layer under construction, as in a `state_dict`.

    Names that people use come from counters: the second linear map makes z₂ from W₂ and b₂, the
    activation after it a₂. In evaluation (`training` False) dropout is left out and batch norm
    uses what it has collected; parameters and their names are the same.
    """

    graph: Graph
    init: Init | None = None
    training: bool = True
    scope: str = ""
    declared: list[Declared] = field(default_factory=list)
    noises: list[Noise] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    """Entries of a `state_dict` that mean nothing here, such as `num_batches_tracked`."""
    counts: dict[str, int] = field(default_factory=dict)
    steps: dict[str, Sequence[Node]] = field(default_factory=dict)
    """The steps of which a sequence node was stacked."""
    held: set[str] = field(default_factory=set)
    """Nodes that will be used once more, such as a residual's input."""
    fused: bool | None = None
    """Whether layers that can be one op are; None: as each of them says."""
    fusible: bool = False
    """Whether there is such a layer."""

    @contextmanager
    def within(self, part: str) -> Iterator[None]:
        outer = self.scope
        self.scope = f"{outer}.{part}" if outer else part
        try:
            yield
        finally:
            self.scope = outer

    def path(self, name: str) -> str:
        return f"{self.scope}.{name}" if self.scope else name

    def next(self, letter: str) -> int:
        self.counts[letter] = self.counts.get(letter, 0) + 1
        return self.counts[letter]

    def parameter(
        self,
        name: str,
        shape: Shape,
        letter: str,
        *,
        fan_in: int,
        fan_out: int,
        number: int = 0,
        init: Init | None = None,
    ) -> Node:
        """A trained leaf, called by a letter and a number, or by the letter as it is written.

        An initialiser of the spec's draws the weights; biases then start at 0, as is the custom.
        With `init` the layer itself says how the leaf starts, whatever the spec's initialiser.
        """
        chosen: Init = init or DEFAULT
        if self.init is not None and init is None:
            chosen = self.init if len(shape) > 1 else Zeros()
        node = self._leaf(PARAMETER, name, shape, _called(letter, number))
        self.declared.append(Declared(node.name, shape, chosen, fan_in, fan_out))
        return node

    def buffer(self, name: str, shape: Shape, called: str, init: Init) -> Node:
        """A leaf that is carried from iteration to iteration without a gradient."""
        node = self._leaf(BUFFER, name, shape, called)
        self.declared.append(Declared(node.name, shape, init, 1, 1))
        return node

    def constant(self, name: str, value: Array, called: str) -> Node:
        node = self._leaf(CONSTANT, name, value.shape, called)
        self.constants[node.name] = value
        return node

    def noise(self, name: str, shape: Shape, called: str, p: float) -> Node:
        node = self._leaf(NOISE, name, shape, called)
        self.noises.append(Noise(node.name, p))
        return node

    def _leaf(self, kind: str, name: str, shape: Shape, called: str) -> Node:
        return self.graph.leaf(
            kind,
            self.path(name),
            shape,
            label=text.label(called),
            latex=text.latex(called),
            scope=self.scope,
        )

    def op(
        self,
        op: Op,
        *inputs: Node,
        letter: str = "",
        number: int = 0,
        name: str = "",
        called: str = "",
    ) -> Node:
        """A use of an op, named by a letter and a number (`0.z` with the label z₁), or by its own
        name and what it is called in formulas (`0.h_3`, "h_3").
        """
        called = called or _called(letter, number)
        return self.graph.add(
            op,
            *inputs,
            name=self.path(name or letter),
            label=text.label(called),
            latex=text.latex(called),
            scope=self.scope,
        )


def _called(letter: str, number: int) -> str:
    return f"{letter}_{{{number}}}" if number else letter
