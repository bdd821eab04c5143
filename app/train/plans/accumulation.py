"""Gradient accumulation: one iteration is k micro-batches, each with forward, loss and backward,
and then one update.

Nothing is emptied between them, so the gradients add up. Where the loss is a mean over its batch,
each micro-batch's loss is divided by k first: the sum is then the gradient of the large batch. A
loss that is a sum needs no such share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import whole
from app.engine.graph import Graph
from app.engine.kernel import Kernel, const
from app.engine.ops.arithmetic import Mul
from app.engine.rewrite import Rewriting
from app.engine.types import VALUE, Array
from app.train.lines import Letter, Line

SUMMED = ("squared_error",)
"""Losses that are a sum over the batch, not a mean."""

BATCH_LOSS = ("", "batch_loss")
"""The slot in which the iteration's loss is added up."""

MOST = 64


def parse_accumulate(given: Any) -> int:
    """How many micro-batches an iteration has."""
    return 1 if given is None else whole(given, "accumulate", low=1, high=MOST)


def part_name(leaf: str, part: int) -> str:
    """Under this key a micro-batch's rows of a leaf are fed."""
    return f"{leaf}#{part}"


def summed(graph: Graph) -> bool:
    """Whether the loss is a sum over the batch."""
    losses = [node.op for node in graph.ops if node.op and node.op.is_loss]
    return any(op.name in SUMMED for op in losses)


def share(graph: Graph, parts: int) -> float:
    """What a micro-batch's loss counts for in the large batch's."""
    return 1.0 if summed(graph) else 1.0 / parts


@dataclass(frozen=True)
class Share:
    """The rewriting: `L̄ = 1/k · L`, from which backward starts."""

    parts: int

    def rewrite(self, old: Graph) -> tuple[Graph, Mapping[str, Array]]:
        if share(old, self.parts) == 1.0:
            return old, {}
        r = Rewriting(old)
        for node in old.nodes.values():
            r.copy(node)
        latex = rf"\frac{{1}}{{{self.parts}}}"
        factor = r.leaf("share", 1.0 / self.parts, f"1/{self.parts}", latex)
        loss = r.now[old.output]
        scaled = r.use(
            Mul(),
            factor,
            loss,
            name="shared_loss",
            label=loss.label + "̄",
            latex=rf"\bar{{{loss.latex}}}",
        )
        r.new.scaled = scaled.name
        return r.finish(), r.values


@dataclass(frozen=True)
class AddLoss:
    """Add the micro-batch's share to the loss of the whole batch."""

    graph: Graph
    part: int
    parts: int
    phase: str = "loss"
    node: None = None

    @property
    def label(self) -> str:
        loss = self.graph[self.graph.root].label
        return f"batch loss {'=' if self.part == 0 else '+='} {loss}"

    @property
    def says(self) -> str:
        kind = "its share of" if self.graph.scaled else "all of it goes to"
        return (
            f"Micro-batch {self.part + 1} of {self.parts}: {kind} the batch's loss is added up, "
            "to be shown. No gradient depends on this line."
        )

    numpy = "batch_loss += loss / k"
    pytorch = "batch_loss += loss.item() / k"

    @property
    def lines(self) -> list[Line]:
        loss, name = (
            self.graph[self.graph.output],
            rf"{self.graph[self.graph.output].latex}_{{batch}}",
        )
        known = {
            "loss": Letter(loss.latex, VALUE, "old", node=loss.name),
            "share": Letter("w", "share", "constant", share(self.graph, self.parts)),
            "old": Letter(name, BATCH_LOSS[1], "old", node=""),
            "new": Letter(name, BATCH_LOSS[1], "new", node=""),
        }
        right = r"@share \cdot @loss"
        return [Line("sum", "new", right if self.part == 0 else rf"@old + {right}", known)]

    def run(self, k: Kernel) -> None:
        loss = k.read(self.graph.output)
        s = k.scratch(())
        worth = share(self.graph, self.parts)
        if self.part == 0:
            k(np.multiply, loss, const(worth), k.write(*BATCH_LOSS, ()))
        else:
            k(np.multiply, loss, const(worth), s)
            total = k.read(*BATCH_LOSS)
            k(np.add, total, s, k.write(*BATCH_LOSS, ()))


def split(feed: Mapping[str, Array], parts: int, size: int) -> dict[str, Array]:
    """Rows of every leaf that has one row a sample, by part; the first part under the leaf's own
    name as well.
    """
    found: dict[str, Array] = {}
    for name, array in feed.items():
        rows = array.ndim > 0 and array.shape[0] == size
        for part in range(parts):
            piece = array[part * size // parts : (part + 1) * size // parts] if rows else array
            found[part_name(name, part)] = piece
        found[name] = found[part_name(name, 0)]
    return found


def check_sizes(sizes: set[int], parts: int) -> None:
    """Every batch must split evenly, so that all micro-batches weigh the same."""
    for size in sorted(sizes):
        if size % parts:
            raise BackstepError(
                f"accumulate must divide every batch evenly: {parts} micro-batches of {size} "
                "samples",
                where="accumulate",
            )


def loss_of(slots: Mapping[tuple[str, str], Array], graph: Graph) -> Array:
    """The iteration's loss: of the whole batch where it was added up."""
    return slots[BATCH_LOSS] if BATCH_LOSS in slots else slots[graph.output, VALUE]
