"""The memory account of a plan: how many bytes of activations live after each step.

A value, and what an op saves beside it, lives from the step that computes it until the last step
that reads it; one that a step backward will ask for lives until then, or until a release drops it.
That is what a framework holds which frees a value as soon as nothing needs it; Backstep itself
keeps the values of a plain plan, to show them. Parameters and their casts are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.engine.graph import Graph, Node
from app.engine.needs import needed, needs, value_bytes
from app.engine.plan import Backward, Forward, Step
from app.train.iteration import iteration_plan
from app.train.plans.checkpointing import Release
from app.train.run import Run


def asked_for(graph: Graph, node: Node) -> frozenset[str]:
    """The nodes of which this node's step backward reads the value or what was saved beside it."""
    own = {node.name} if needs(graph, node).saved else set()
    return needed(graph, node) | own


@dataclass(frozen=True)
class Account:
    """Bytes that live after each step of a plan."""

    live: tuple[int, ...]

    @property
    def peak(self) -> int:
        return max(self.live, default=0)

    @property
    def peak_at(self) -> int:
        """The step after which most lives."""
        return self.live.index(self.peak) if self.live else 0


def account(graph: Graph, plan: Sequence[Step]) -> Account:
    """The plan's memory, step by step."""
    size = {
        node.name: value_bytes(node) + sum(b for _, b in needs(graph, node).saved)
        for node in graph.ops
        if node.op_name != "cast" or graph[node.inputs[0]].op is not None
    }
    asked = {
        name
        for step in plan
        if isinstance(step, Backward) and step.flows
        for name in asked_for(graph, step.graph_node)
    }
    born: dict[str, int] = {}
    used: dict[str, int] = {}
    change = [0] * (len(plan) + 1)

    def bury(name: str, at: int) -> None:
        """The value is gone when step `at` is done."""
        start = born.pop(name)
        if at > start:
            change[start] += size.get(name, 0)
            change[at] -= size.get(name, 0)
        used.pop(name, None)

    for i, step in enumerate(plan):
        if isinstance(step, Release):
            for name in [node.name for node in step.nodes if node.name in born]:
                bury(name, i if name in asked else used[name])
        elif isinstance(step, Forward):
            node = step.graph_node
            for name in node.inputs:
                if name in born:
                    used[name] = i
            if node.name in born:
                bury(node.name, used.get(node.name, born[node.name]))
            born[node.name] = used[node.name] = i
            if node.name in (graph.output, graph.root):
                used[node.name] = i + 1
        elif isinstance(step, Backward) and step.flows:
            node = step.graph_node
            for name in asked_for(graph, node):
                if name in born:
                    used[name] = i
    for name in list(born):
        bury(name, min(used.get(name, born[name]), len(plan)))
    live, total = [], 0
    for i in range(len(plan)):
        total += change[i]
        live.append(total)
    return Account(tuple(live))


def memory_view(run: Run, iteration: int) -> dict[str, Any]:
    """The strip that a page draws: bytes after each step of this plan and of the plain plan."""
    graph, method = run.graph(iteration), run.spec.method
    plan = run.plan(iteration)
    plain = iteration_plan(
        graph,
        run.spec.optimizer,
        zero_grad=run.settings(iteration).zero_grad,
        method=replace(method, checkpoint=None),
    )
    again = sum(1 for step in plan if step.phase == "recompute")
    return {
        "iteration": iteration,
        "plan": _series(graph, plan),
        "plain": _series(graph, plain),
        "recomputed": again,
        "computed": sum(1 for step in plain if isinstance(step, Forward)),
    }


def _series(graph: Graph, plan: Sequence[Step]) -> dict[str, Any]:
    told = account(graph, plan)
    return {
        "bytes": list(told.live),
        "phases": [step.phase for step in plan],
        "nodes": [step.node for step in plan],
        "peak": told.peak,
        "peak_at": told.peak_at,
    }
