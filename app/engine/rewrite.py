"""A graph copied node by node into a new one, with something put in on the way: a cast, a penalty,
a scaled loss. The old graph stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.engine.graph import CONSTANT, Graph, Node
from app.engine.op import Op
from app.engine.types import Array

_EXPONENT = re.compile(r"\^\{[^{}]*\}$")


def raised(latex: str, mark: str) -> str:
    """A name with one more mark above it, beside the one that is there: a name has one exponent."""
    return f"{latex[:-1]}{mark}}}" if _EXPONENT.search(latex) else f"{latex}^{{{mark}}}"


@dataclass
class Rewriting:
    """`now` tells which new node stands for an old one; `values` are the new leaves' numbers."""

    old: Graph
    new: Graph = field(init=False)
    now: dict[str, Node] = field(default_factory=dict)
    values: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.new = Graph(self.old.max_nodes, fixed=self.old.fixed)

    def copy(self, node: Node, **changes: Any) -> Node:
        """The node over the new nodes that stand for its inputs."""
        inputs = tuple(self.now[name].name for name in node.inputs)
        made = self.new.put(replace(node, inputs=inputs, **changes))
        self.now[node.name] = made
        return made

    def leaf(self, name: str, value: Any, label: str, latex: str, kind: str = CONSTANT) -> Node:
        """A further leaf with its number."""
        array = np.asarray(value, float)
        array.flags.writeable = False
        node = self.new.leaf(kind, self.new.free(name), array.shape, label=label, latex=latex)
        self.values[node.name] = array
        return node

    def use(self, op: Op, *inputs: Node, name: str, label: str, latex: str) -> Node:
        """A further use of an op."""
        return self.new.add(op, *inputs, name=name, label=label, latex=latex)

    def finish(self) -> Graph:
        """The new graph, with the old one's output unless another was named."""
        self.new.output = self.new.output or self.now[self.old.output].name
        if self.old.scaled and not self.new.scaled:
            self.new.scaled = self.now[self.old.scaled].name
        return self.new
