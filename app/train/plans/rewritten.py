"""Problems seen through a change: their graph rewritten, or their batch cut into micro-batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.engine.errors import BackstepError
from app.engine.graph import Graph
from app.engine.types import Array
from app.train.batches import Batches
from app.train.plans.accumulation import check_sizes, split
from app.train.plans.method import Method, Rewrite
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

    def initial(self) -> dict[str, Array]:
        return self.inner.initial() | self._made(0)[1]


def changed(problem: Problem, method: Method) -> Problem:
    """The problem as this method sees it."""
    if method.accumulate > 1:
        if not isinstance(problem, ModelProblem):
            raise BackstepError("needs a model with samples", where="accumulate")
        problem = MicroBatches(problem, method.accumulate)
    return Rewritten(problem, method.rewrites) if method.rewrites else problem
