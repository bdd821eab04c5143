"""A static graph: leaves and uses of ops, in topological order because a node can only be made from
nodes that stand.

The graph holds no numbers. Shapes are checked when a node is made; an edge is a node's operand, so
`a * a` has two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

from app.engine.errors import LimitError, ShapeError
from app.engine.op import Op
from app.engine.types import FLOAT, HALF, Shape

PARAMETER, INPUT, TARGET, CONSTANT, NOISE, BUFFER = LEAVES = (
    "parameter",
    "input",
    "target",
    "constant",
    "noise",
    "buffer",
)


@dataclass(frozen=True)
class Node:
    """One use of an op, or a leaf (`op` is None). `latex` and `label` are its name in formulas and
    in text.
    """

    name: str
    kind: str
    shape: Shape
    op: Op | None = None
    inputs: tuple[str, ...] = ()
    scope: str = ""
    label: str = ""
    latex: str = ""
    dtype: Any = FLOAT
    needs_grad: bool = False
    batch_last: bool = False
    """Whether its arrays have the batch (axis 0) innermost in memory."""

    @property
    def op_name(self) -> str | None:
        return self.op.name if self.op else None

    @property
    def grad_dtype(self) -> Any:
        """A gradient is as precise as its value."""
        return self.dtype if self.dtype.kind == "f" else FLOAT

    @property
    def narrow(self) -> bool:
        """Whether the op's result, computed in full precision, is stored in float16."""
        return self.dtype == HALF and self.op is not None and self.op.dtype == FLOAT


@dataclass(frozen=True)
class Edge:
    source: str
    target: str
    operand: int


@dataclass
class Graph:
    """Nodes by name in the order in which they are computed, and the output from which backward
    starts.
    """

    max_nodes: int = 20_000
    nodes: dict[str, Node] = field(default_factory=dict)
    output: str = ""
    fixed: frozenset[str] = frozenset()
    """Leaves that no hand may change."""
    scaled: str = ""
    """The output times a fixed number, where backward starts from that (loss scaling)."""

    @property
    def root(self) -> str:
        """The node whose gradient is 1: all gradients are slopes of this one."""
        return self.scaled or self.output

    def leaf(
        self,
        kind: str,
        name: str,
        shape: Shape,
        *,
        label: str = "",
        latex: str = "",
        scope: str = "",
        dtype: Any = FLOAT,
        needs_grad: bool | None = None,
    ) -> Node:
        """Add a leaf. Parameters and real-valued inputs need a gradient unless told otherwise."""
        if needs_grad is None:
            needs_grad = kind in (PARAMETER, INPUT) and dtype == FLOAT
        node = Node(
            name,
            kind,
            shape,
            None,
            (),
            scope,
            label or name,
            latex or _latex(name),
            dtype,
            needs_grad,
        )
        return self.put(node)

    def add(
        self,
        op: Op,
        *inputs: Node,
        name: str = "",
        label: str = "",
        latex: str = "",
        scope: str = "",
    ) -> Node:
        """Add a use of an op; the shape rule runs here, so a misfit is told by name and shapes."""
        try:
            shape = op.shape(*(node.shape for node in inputs))
        except ShapeError as error:
            names = ", ".join(node.label for node in inputs)
            raise ShapeError(f"{error.message} (operands {names})", where=error.where) from None
        name = self.free(name or op.name)
        needs = any(n.needs_grad and op.differentiable(i) for i, n in enumerate(inputs))
        operands = tuple(node.name for node in inputs)
        return self.put(
            Node(
                name,
                "op",
                shape,
                op,
                operands,
                scope,
                label or name,
                latex or _latex(name),
                op.dtype,
                needs,
                op.batch_last or (op.keeps_layout and any(n.batch_last for n in inputs)),
            )
        )

    def free(self, name: str) -> str:
        """The name itself, or name_2, name_3 … when it is taken."""
        if name not in self.nodes:
            return name
        number = 2
        while f"{name}_{number}" in self.nodes:
            number += 1
        return f"{name}_{number}"

    def put(self, node: Node) -> Node:
        """Take in a finished node, whose inputs must stand."""
        if node.name in self.nodes:
            raise ShapeError(f"the name is taken: {node.name!r}", where=node.name)
        if len(self.nodes) >= self.max_nodes:
            raise LimitError(
                f"a graph may have at most {self.max_nodes} nodes",
                where=node.name,
                setting="graph_nodes",
            )
        self.nodes[node.name] = node
        return node

    def entries(self, node: Node) -> int:
        """How many numbers the node holds, its op's workspace included."""
        own = prod(node.shape)
        return own + node.op.workspace(*(self[n].shape for n in node.inputs)) if node.op else own

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    @property
    def ops(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.op]

    def kind(self, *kinds: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.kind in kinds]

    @property
    def edges(self) -> list[Edge]:
        return [
            Edge(source, node.name, i)
            for node in self.nodes.values()
            for i, source in enumerate(node.inputs)
        ]

    def ancestors(self, name: str) -> set[str]:
        """The node and all that it is computed from through differentiable operands."""
        found, waiting = set(), [name]
        while waiting:
            node = self.nodes[waiting.pop()]
            if node.name not in found:
                found.add(node.name)
                waiting += [
                    s for i, s in enumerate(node.inputs) if node.op and node.op.differentiable(i)
                ]
        return found

    def trained(self) -> frozenset[str]:
        """The nodes whose gradient training needs: parameters, and what depends on one."""
        found: set[str] = set()
        for node in self.nodes.values():
            if node.kind == PARAMETER or any(
                s in found and node.op and node.op.differentiable(i)
                for i, s in enumerate(node.inputs)
            ):
                found.add(node.name)
        return frozenset(found)


def _latex(name: str) -> str:
    """A plain name as LaTeX: `a_2` keeps its subscript, longer words are set upright."""
    stem, _, tail = name.partition("_")
    stem = stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
    tail = tail.replace("_", r"\_")
    return f"{stem}_{{{tail}}}" if tail else stem
