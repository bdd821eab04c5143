"""Gradient checkpointing (Griewank 1992; Chen et al. 2016): most values are dropped after the
forward pass and computed a second time when the backward pass comes to them.

The graph is cut into segments. What a later segment reads is a checkpoint and stays; the rest of a
segment is released when it has been computed. Before a segment's backward steps, the values that
they are about are recomputed by the same rules from the same numbers, hence bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import whole
from app.engine.graph import Graph, Node
from app.engine.kernel import Kernel
from app.engine.needs import saved_slots
from app.engine.plan import Backward, Forward, Step, backward_steps, forward_steps
from app.engine.types import VALUE


@dataclass(frozen=True)
class Checkpoint:
    """Every `every` layers, or at the nodes named."""

    every: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """Drop values, and what their ops had saved."""

    nodes: tuple[Node, ...]
    slots: tuple[tuple[str, str], ...]
    phase: str = "release"
    node: None = None

    @property
    def label(self) -> str:
        return "release " + ", ".join(node.label for node in self.nodes)

    says = (
        "These values are dropped to free their memory. The backward pass needs them: "
        "it will compute them a second time."
    )
    numpy = "del z, a"
    pytorch = "torch.utils.checkpoint.checkpoint(segment, x)"

    def run(self, k: Kernel) -> None:
        for name, slot in self.slots:
            k.clear(name, slot)


def parse_checkpoint(given: Any) -> Checkpoint | None:
    """A number of layers, or a list of node names that stay; null for none."""
    if given is None:
        return None
    if isinstance(given, list):
        if not given or not all(isinstance(name, str) for name in given):
            raise BackstepError(f"must be a list of node names: {given!r}", where="checkpoint")
        return Checkpoint(names=tuple(given))
    return Checkpoint(every=whole(given, "checkpoint", low=1))


def segments(graph: Graph, given: Checkpoint) -> dict[str, int]:
    """The segment of every op node, numbered along the graph."""
    for name in given.names:
        if name not in graph.nodes or graph[name].op is None:
            known = ", ".join(node.name for node in graph.ops)
            raise BackstepError(
                f"checkpoint is no computed node: {name!r}; there are {known}"[:400],
                where="checkpoint",
            )
    found: dict[str, int] = {}
    layers = layers_of(graph)
    ended = 0
    for node in graph.ops:
        if given.names:
            found[node.name] = ended
            ended += node.name in given.names
            continue
        ended = max(ended, layers[node.name] // given.every)
        found[node.name] = ended
    return found


def layers_of(graph: Graph) -> dict[str, int]:
    """The number of every op node's layer; without layers each node is one of its own."""
    found: dict[str, int] = {}
    numbers: dict[str, int] = {}
    scoped, layer = any(node.scope for node in graph.ops), ""
    for node in graph.ops:
        if node.scope or not scoped or not layer:  # what has no layer goes with the one before
            layer = node.scope.split(".")[0] if node.scope else node.name
        found[node.name] = numbers.setdefault(layer, len(numbers))
    return found


def check_distance(graph: Graph, given: Checkpoint) -> None:
    """Refuses checkpoints that lie further apart than the graph is deep."""
    most = max(layers_of(graph).values()) + 1
    if given.every > most:
        what = "layers" if any(node.scope for node in graph.ops) else "computed nodes"
        raise BackstepError(
            f"must be at most {most}, the number of {what}: {given.every}", where="checkpoint"
        )


def checkpointed(graph: Graph, given: Checkpoint) -> list[Step]:
    """Forward with releases, backward with recomputations. The last segment's values are needed at
    once and are kept.
    """
    of = segments(graph, given)
    last = max(of.values())
    kept = {graph.output, graph.root}
    for node in graph.ops:
        kept |= {name for name in node.inputs if of.get(name, -1) != of[node.name]}
    released: dict[int, list[Node]] = {}
    for node in graph.ops:
        if of[node.name] < last and node.name not in kept:
            released.setdefault(of[node.name], []).append(node)
    plan: list[Step] = []
    steps = forward_steps(graph)
    for i, step in enumerate(steps):
        plan.append(step)
        here = of.get(step.node or "")
        if i + 1 == len(steps) or of.get(steps[i + 1].node or "") != here:
            gone = released.get(here if here is not None else -1)
            if gone:
                slots = [(n.name, s) for n in gone for s in (VALUE, *saved_slots(graph, n))]
                plan.append(Release(tuple(gone), tuple(slots)))
    back = backward_steps(graph)
    about: dict[int, set[str]] = {}
    for step in back:
        if isinstance(step, Backward) and step.flows:
            about.setdefault(of[step.node], set()).update((step.node, *step.graph_node.inputs))
    done: set[int] = set()
    for step in back:
        here = of.get(step.node or "", -1)
        if here in released and here not in done:
            done.add(here)
            again = recomputed(released[here], about.get(here, set()))
            plan += [Forward(node, "recompute") for node in again]
        plan.append(step)
    return plan


def recomputed(gone: list[Node], about: set[str]) -> list[Node]:
    """Those released nodes that a segment's backward steps are about, and what they depend on."""
    missing = {node.name for node in gone}
    wanted = about & missing
    for node in reversed(gone):
        if node.name in wanted:
            wanted |= set(node.inputs) & missing
    return [node for node in gone if node.name in wanted]
