"""The step that moves one parameter: old value, gradient and state in, new value and state out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.engine.graph import Node
from app.engine.kernel import Kernel
from app.engine.types import GRAD, VALUE, Array, Slot
from app.train.lines import Line
from app.train.optimizers import Optimizer


@dataclass(frozen=True)
class Update:
    """A parameter without a gradient stays as it is."""

    graph_node: Node
    optimizer: Optimizer
    phase: str = "update"

    @property
    def node(self) -> str:
        return self.graph_node.name

    @property
    def lines(self) -> list[Line]:
        return self.optimizer.lines

    def as_it_went(self, now: Callable[[Slot], Array | None]) -> Update:
        """What there is to tell of it, given the slots as they stand after it."""
        return self

    def run(self, k: Kernel) -> None:
        node, optimizer = self.graph_node, self.optimizer
        if not k.has(node.name, GRAD):
            return
        w, g = k.read(node.name), k.read(node.name, GRAD)
        state = {slot: k.read(node.name, slot) for slot in optimizer.state}
        new = {slot: k.write(node.name, slot, node.shape) for slot in optimizer.state}
        for name in optimizer.shown:
            k.scalar(name)
        optimizer.update(k, w, g, k.write(node.name, VALUE, node.shape, node.dtype), state, new)
