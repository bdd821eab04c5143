"""Problems seen through a change: their graph rewritten, their batch cut into micro-batches, their
tensors taken apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.engine.errors import BackstepError
from app.engine.graph import INPUT, TARGET, Graph
from app.engine.scalar import Exploded, explode
from app.engine.types import Array
from app.train.batches import Batches
from app.train.plans.accumulation import check_sizes, split
from app.train.plans.faults import Fault
from app.train.plans.method import Method, Rewrite
from app.train.plans.penalty import Penalty
from app.train.problem import ModelProblem, Problem


class Wrapped:
    """Passes everything on."""

    def __init__(self, inner: Problem) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def batches(self) -> Batches | None:
        return self.inner.batches

    def graph(self, iteration: int) -> Graph:
        return self.inner.graph(iteration)

    def feed(self, iteration: int) -> dict[str, Array]:
        return self.inner.feed(iteration)

    def initial(self) -> dict[str, Array]:
        return self.inner.initial()

    def edit(self, iteration: int, name: str, value: Array) -> None:
        self.inner.edit(iteration, name, value)

    def forget(self, iteration: int) -> None:
        self.inner.forget(iteration)

    def version(self, iteration: int) -> object:
        return self.inner.version(iteration)

    def steady(self, start: int, stop: int) -> bool:
        return self.inner.steady(start, stop)

    def position(self, iteration: int) -> dict[str, int]:
        return self.inner.position(iteration)


class MicroBatches(Wrapped):
    """Each batch in k equal parts; the graph is that of one part."""

    def __init__(self, inner: ModelProblem, parts: int) -> None:
        super().__init__(inner)
        self.model_problem, self.parts = inner, parts
        batches = inner.batches
        check_sizes({batches.size(i) for i in range(batches.count)}, parts)

    def graph(self, iteration: int) -> Graph:
        size = self.model_problem.batches.size(iteration)
        graph: Graph = self.model_problem.model(size // self.parts).graph
        graph.fixed = frozenset((INPUT, TARGET))
        return graph

    def feed(self, iteration: int) -> dict[str, Array]:
        size = self.model_problem.batches.size(iteration)
        return split(self.inner.feed(iteration), self.parts, size)

    def edit(self, iteration: int, name: str, value: Array) -> None:
        raise BackstepError(
            "the rows of a micro-batch cannot be edited; set accumulate to 1 for that", where=name
        )


class Rewritten(Wrapped):
    """The graph with casts, penalties or a scaled loss put in; `plain` is the one without scale and
    casts, by which gradients can be checked.
    """

    def __init__(self, inner: Problem, rewrites: Sequence[Rewrite]) -> None:
        super().__init__(inner)
        self.rewrites = rewrites
        self._known: dict[int, tuple[Graph, Graph, dict[str, Array]]] = {}

    def _made(self, iteration: int) -> tuple[Graph, dict[str, Array]]:
        old = self.inner.graph(iteration)
        known = self._known.get(id(old))
        if known is None:
            graph = old
            values: dict[str, Array] = {}
            for each in self.rewrites:
                graph, more = each.rewrite(graph)
                values |= more
            known = self._known[id(old)] = (old, graph, values)
        return known[1], known[2]

    def graph(self, iteration: int) -> Graph:
        return self._made(iteration)[0]

    def plain(self, iteration: int) -> Graph:
        """With what belongs to the loss, without what only helps to compute it."""
        graph = self.inner.graph(iteration)
        for each in self.rewrites:
            if isinstance(each, Penalty | Fault):
                graph, _ = each.rewrite(graph)
        return graph

    def initial(self) -> dict[str, Array]:
        return self.inner.initial() | self._made(0)[1]


class Scalars(Wrapped):
    """Every entry a node: leaves are fed and start as numbers, and an edit of one number is an edit
    of its tensor.
    """

    def __init__(self, inner: Problem, max_nodes: int) -> None:
        super().__init__(inner)
        self.max_nodes = max_nodes
        self._known: dict[int, tuple[Graph, Exploded]] = {}
        batches = inner.batches
        sizes = {batches.size(i) for i in (0, batches.count - 1)} if batches else set()
        if len(sizes) > 1:  # the scalar nodes of every iteration are to be the same
            raise BackstepError(
                f"every batch must have the same size to be taken apart: {sorted(sizes)}",
                where="batch_size",
            )

    def exploded(self, iteration: int) -> Exploded:
        """The scalar graph with the map from tensor entries to its nodes."""
        old = self.inner.graph(iteration)
        if id(old) not in self._known:
            self._known[id(old)] = (old, explode(old, self.max_nodes))
        return self._known[id(old)][1]

    @property
    def batches(self) -> None:
        """Nothing is validated on the side."""
        return None

    def graph(self, iteration: int) -> Graph:
        return self.exploded(iteration).graph

    def feed(self, iteration: int) -> dict[str, Array]:
        return self.exploded(iteration).scatter(self.inner.feed(iteration))

    def initial(self) -> dict[str, Array]:
        first = self.exploded(0)
        return first.scatter(self.inner.initial()) | first.constants

    def edit(self, iteration: int, name: str, value: Array) -> None:
        self.inner.edit(iteration, *self.edited(iteration, name, value))

    def edited(self, iteration: int, name: str, value: Array) -> tuple[str, Array]:
        """The tensor that is fed, and all of it when one of its numbers is set."""
        exploded = self.exploded(iteration)
        tensor = exploded.owners.get(name, "")
        if tensor in exploded.onehot or tensor not in exploded.places:
            raise BackstepError(f"cannot be edited as a scalar: {name!r}", where=name)
        whole = self.inner.feed(iteration)[tensor].copy()
        for index, scalar in exploded.places[tensor].items():
            if scalar == name:
                whole[index] = value
        return tensor, whole


def model_of(problem: Any) -> ModelProblem | None:
    """The layers and samples behind every change, if the run is about a model."""
    while not isinstance(problem, ModelProblem) and hasattr(problem, "inner"):
        problem = problem.inner
    return problem if isinstance(problem, ModelProblem) else None


def unchanged(problem: Any) -> Problem:
    """What stands behind every change."""
    while hasattr(problem, "inner"):
        problem = problem.inner
    found: Problem = problem
    return found


def changed(problem: Problem, method: Method, max_nodes: int) -> Problem:
    """The problem as this method sees it."""
    if method.accumulate > 1:
        if not isinstance(problem, ModelProblem):
            raise BackstepError("needs a model with samples", where="accumulate")
        problem = MicroBatches(problem, method.accumulate)
    if method.rewrites:
        problem = Rewritten(problem, method.rewrites)
    return Scalars(problem, max_nodes) if method.scalars else problem
