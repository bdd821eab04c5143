"""Full speed: an iteration's plan is recorded once into calls on buffers that stay, and then
replayed.

The rules are the very ones that the stepper runs, so the numbers are bit-identical. All parameters
are views of one vector; the optimizer, which works entry by entry, then updates them all with one
call each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from app.engine.graph import PARAMETER, Graph
from app.engine.grouping import grouped
from app.engine.kernel import Recorder
from app.engine.memory import Pool, shared_places
from app.engine.plan import Step
from app.engine.replay import Call, Rows, Straight, straight
from app.engine.types import GRAD, VALUE, Array, Slot
from app.train.evaluation import Evaluation
from app.train.iteration import FED
from app.train.optimizers import Optimizer
from app.train.plans.accumulation import loss_of
from app.train.update import Update

CACHE = 200_000  # bytes; less than that stays in a core's cache, wherever it lies
SMALL = 8_192  # bytes of an array that is left where it is
BLOCK = 16_384  # entries that stay in the cache while an optimizer makes its passes over them


@dataclass
class Program:
    """The recorded calls of one plan, and the buffers that the loop fills before a replay: with the
    optimizer's numbers (`scalars`) and with samples (`feed`).
    """

    calls: list[partial[Any]]
    loss: Call
    square: Call
    buffers: dict[Slot, Array]
    feed: dict[str, Array]
    scalars: dict[str, Array]
    _made: dict[tuple[bool, bool], Straight] = field(default_factory=dict)

    def changing(self, timed: bool = True, moving: bool = True) -> list[Array]:
        """What a row fills: the numbers where they are `timed`, the samples where they are
        `moving`.
        """
        scalars, feed = self.scalars.values(), self.feed.values()
        return [*(scalars if timed else ()), *(feed if moving else ())]

    def run(self, rows: Rows, timed: bool, moving: bool) -> tuple[list[float], list[float]]:
        """One iteration for each row: their losses, and Σ g² of each."""
        made = self._made.get((timed, moving))
        if made is None:
            changing = self.changing(timed, moving)
            made = straight(self.calls, self.loss, self.square, changing)
            self._made[timed, moving] = made
        losses: list[float] = []
        squares: list[float] = []
        made(rows, losses, squares)
        return losses, squares


class Trainer:
    """Buffers of one run's parameters and optimizer state, and the programs recorded over them."""

    def __init__(self, graph: Graph, optimizer: Optimizer | None) -> None:
        self.graph, self.optimizer = graph, optimizer
        self.parameters = graph.kind(PARAMETER)
        total = sum(int(np.prod(node.shape)) for node in self.parameters)
        slots = (VALUE, GRAD, *(optimizer.state if optimizer else ()))
        self.flat = {slot: np.zeros(total) for slot in slots}
        self.shared: dict[Slot, Array] = {}
        for slot, vector in self.flat.items():
            first = 0
            for node in self.parameters:
                size = int(np.prod(node.shape))
                self.shared[node.name, slot] = vector[first : first + size].reshape(node.shape)
                first += size
        self.programs: dict[object, Program] = {}
        self.judge: Evaluation | None = None
        """What validates, over these buffers."""
        self._standing: dict[Slot, Array] = {}  # copies of what is in the buffers now
        self._pool = Pool()

    def fits(self, graph: Graph, optimizer: Optimizer | None) -> bool:
        """Whether a run of this very graph can go on with these buffers and recordings: the rate
        is a number that is filled in.
        """
        mine, other = (x and replace(x, lr=0.0) for x in (self.optimizer, optimizer))
        return graph is self.graph and mine == other

    def load(self, slots: Mapping[Slot, Array]) -> None:
        """Take parameters, optimizer state, constants and kept gradients over into the buffers,
        except for what stands there.
        """
        for slot, buffer in self.shared.items():
            if slot in slots and slots[slot] is not self._standing.get(slot):
                np.copyto(buffer, slots[slot])
        self._standing = {}

    def export(self, names: Iterable[Slot], program: Program | None) -> dict[Slot, Array]:
        """Copies of those slots, sealed."""
        wanted = {}
        for slot in sorted(names):  # a set has another order in every process
            buffer = self.shared.get(slot)
            if buffer is None and program is not None:
                buffer = program.buffers.get(slot)
            if buffer is not None:
                wanted[slot] = buffer
        if sum(buffer.nbytes for buffer in wanted.values()) > CACHE:
            found = self._pool.copies(wanted)
        else:
            found = {slot: buffer.copy() for slot, buffer in wanted.items()}
        for copy in found.values():
            copy.flags.writeable = False
        self._standing = found
        return found

    def record(
        self,
        key: object,
        graph: Graph,
        plan: list[Step],
        slots: Mapping[Slot, Array],
    ) -> Program:
        """Record a plan; `key` tells apart plans that need other calls or buffers."""
        for slot, value in slots.items():
            if slot not in self.shared:
                self.shared[slot] = value.copy()  # one for all programs: buffers, the loss scale
        first, _ = self._recorded(graph, plan, slots, {})
        buffers = {
            source: first.buffers[copy].reshape(graph[source[0]].shape)
            for source, copy in first.twins().items()
            if source[1] == GRAD and graph[source[0]].op and copy in self.shared
        }
        k, squared_norm = self._recorded(graph, plan, slots, buffers)
        passing = {name: array for name, array in k.made.items() if _passing(graph, name)}
        large = {name: array for name, array in passing.items() if array.nbytes >= SMALL}
        if sum(array.nbytes for array in large.values()) > CACHE:
            places = shared_places(k.calls, large)
            k, squared_norm = self._recorded(graph, plan, slots, buffers, places)
            passing = {name: array for name, array in k.made.items() if _passing(graph, name)}
        feed = {node.name: k.buffers[node.name, VALUE] for node in graph.kind(*FED)}
        feed |= k.waiting
        loss = loss_of(k.buffers, graph)
        calls = grouped(k.calls, passing.values())
        program = Program(calls, loss.item, squared_norm.item, k.buffers, feed, k.scalars)
        self.programs[key] = program
        return program

    def _recorded(
        self,
        graph: Graph,
        plan: list[Step],
        slots: Mapping[Slot, Array],
        buffers: Mapping[Slot, Array],
        places: Mapping[Hashable, Array] | None = None,
    ) -> tuple[Recorder, Array]:
        """The plan on buffers of its own, apart from those given; and where Σ g² will stand."""
        own = {**self.shared, **buffers}
        for node in graph.nodes.values():
            if node.op is None and (node.name, VALUE) not in own:
                own[node.name, VALUE] = np.zeros(node.shape, node.dtype)
        k = Recorder(own, set(slots), graph.trained(), self.flat, places)
        squared_norm = np.zeros(())
        noted = updated = False
        for step in plan:
            if step.phase in ("clip", "update") and not noted:
                noted = True
                k(np.dot, self.flat[GRAD], self.flat[GRAD], squared_norm)
            if type(step) is Update:
                if not updated:
                    updated = True
                    self._update_all(k, step.optimizer)
                continue
            step.run(k)
        if not noted:
            k(np.dot, self.flat[GRAD], self.flat[GRAD], squared_norm)
        return k, squared_norm

    def _update_all(self, k: Recorder, optimizer: Optimizer) -> None:
        """Every parameter at once, in blocks that fit into the cache."""
        total = self.flat[VALUE].size
        for first in range(0, total, BLOCK):
            part = {slot: vector[first : first + BLOCK] for slot, vector in self.flat.items()}
            state = {slot: part[slot] for slot in optimizer.state}
            optimizer.update(k, part[VALUE], part[GRAD], part[VALUE], state, state)


def _passing(graph: Graph, name: Hashable) -> bool:
    """Whether nobody asks for this after the iteration: a scratch, or a slot of a node between
    leaves and loss.
    """
    if not isinstance(name, tuple) or len(name) != 2:
        return True
    node = graph.nodes.get(name[0])
    return node is not None and node.op is not None and node.name != graph.output
