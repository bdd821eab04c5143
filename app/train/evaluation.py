"""An evaluation graph (dropout left out, batch norm with what it has collected) whose forward calls
are recorded once and replayed for ever new parameters: the loss of samples held back, and what
every neuron says about a whole plane of points, while a run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.engine.graph import BUFFER, CONSTANT, PARAMETER, Graph
from app.engine.kernel import Recorder
from app.engine.plan import Forward, forward_steps
from app.engine.replay import replay
from app.engine.types import VALUE, Array, Slot


class Evaluation:
    """Over buffers of its own, or over `shared` ones that a trainer goes on filling. With `until`
    only what stands before that node is computed. `fed` are the input and, for a loss, the target.
    """

    def __init__(
        self,
        graph: Graph,
        fed: Mapping[str, Array],
        *,
        shared: Mapping[Slot, Array] | None = None,
        until: str = "",
    ) -> None:
        self.graph = graph
        last = until or graph.output
        names = list(graph.nodes)
        wanted = set(names[: names.index(last) + 1])  # in the order in which they are computed
        own: dict[Slot, Array] = {}
        for name in wanted:
            node = graph[name]
            if node.op is not None:
                continue
            if name in fed:
                own[name, VALUE] = np.array(fed[name], node.dtype)
            elif shared is not None:
                own[name, VALUE] = shared[name, VALUE]
            else:
                own[name, VALUE] = np.zeros(node.shape, node.dtype)
        self.leaves = [n for n in graph.kind(PARAMETER, BUFFER, CONSTANT) if n.name in wanted]
        k = Recorder(own, set(own), frozenset(), {})
        for step in forward_steps(graph):
            if isinstance(step, Forward) and step.node in wanted:
                step.run(k)
        self._calls, self._buffers = k.calls, k.buffers

    def run(self, slots: Mapping[Slot, Array] | None = None) -> None:
        """Compute all of it, for these parameters or for what stands in the shared buffers."""
        if slots is not None:
            for node in self.leaves:
                np.copyto(self._buffers[node.name, VALUE], slots[node.name, VALUE])
        with np.errstate(all="ignore"):
            replay(self._calls)

    def value(self, name: str) -> Array:
        """What stands in that node; the next run writes over it."""
        return self._buffers[name, VALUE]

    def loss(self, slots: Mapping[Slot, Array] | None = None) -> float:
        self.run(slots)
        return float(self.value(self.graph.output))
