"""Adds nodes to a graph under the scope of a layer, and remembers which parameters have to be
drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.engine.graph import PARAMETER, Graph, Node
from app.engine.op import Op
from app.engine.types import Shape
from app.nn.init import DEFAULT, Init, Zeros

_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Declared:
    """A parameter that the spec may set and that is drawn otherwise."""

    name: str
    shape: Shape
    init: Init
    fan_in: int
    fan_out: int


@dataclass
class Builder:
    """`scope` is the dotted path of the layer under construction, as in a `state_dict`.

    Names that people use come from counters: the second linear map makes z₂ from W₂ and b₂, the
    activation after it a₂.
    """

    graph: Graph
    init: Init | None = None
    scope: str = ""
    declared: list[Declared] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

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
        self, name: str, shape: Shape, letter: str, *, fan_in: int, fan_out: int, number: int
    ) -> Node:
        """A trained leaf. An initialiser of the spec's draws the weights; biases then start at 0,
        as is the custom.
        """

        init: Init = DEFAULT
        if self.init is not None:
            init = self.init if len(shape) > 1 else Zeros()
        node = self.graph.leaf(
            PARAMETER,
            self.path(name),
            shape,
            label=letter + str(number).translate(_DIGITS),
            latex=f"{letter}_{{{number}}}",
            scope=self.scope,
        )
        self.declared.append(Declared(node.name, shape, init, fan_in, fan_out))
        return node

    def op(self, op: Op, *inputs: Node, letter: str, number: int) -> Node:
        """A use of an op, named by a letter and a number: `0.z` with the label z₁."""
        return self.graph.add(
            op,
            *inputs,
            name=self.path(letter),
            label=letter + str(number).translate(_DIGITS),
            latex=f"{letter}_{{{number}}}",
            scope=self.scope,
        )
