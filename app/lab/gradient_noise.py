"""Gradient noise: the slope that a mini-batch sees, beside the slope of all samples. Every gradient
is an arrow in a space of as many axes as there are parameters; here they are laid on the plane on
which they differ most, with the full gradient pointing along the first axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.graph import PARAMETER
from app.engine.types import VALUE, Array
from app.lab.recorded import Recorded
from app.train.iteration import KEPT
from app.train.measure import CHUNK
from app.train.plans.accumulation import summed
from app.train.plans.rewritten import model_of
from app.train.run import Run

MOST_SIZES = 5
ROWS_TOLD = 64  # of larger batches only the gradient is told


class Gradients:
    """Of any rows of the training samples, with the weights at the start of an iteration: as in
    evaluation, without penalties, so that nothing but the choice of samples makes them differ.
    """

    def __init__(self, run: Run, iteration: int) -> None:
        problem = model_of(run.problem)
        if problem is None or run.spec.method.scalars:
            raise BackstepError("needs a model with samples", where="id")
        self.problem, self.batches = problem, problem.batches
        graph, slots = problem.graph(iteration), run.carried(iteration)
        self.parameters = graph.kind(PARAMETER)
        if not self.parameters:
            raise BackstepError("needs a model with parameters", where="id")
        self.values = {n.name: slots[n.name, VALUE] for n in graph.kind(*KEPT)}
        self.fed = {which: self.batches.whole(iteration, which) for which in ("input", "target")}
        self.summed = summed(graph)

    def of(self, rows: Array) -> Array:
        """One vector. A loss that is a sum is scaled up to all samples, to be comparable."""
        total = np.zeros(sum(int(np.prod(node.shape)) for node in self.parameters))
        most = min(CHUNK, self.problem.at_once)
        for first in range(0, len(rows), most):
            some = rows[first : first + most]
            fed = {which: whole[some] for which, whole in self.fed.items()}
            graph = self.problem.evaluation(len(some)).graph
            recorded = Recorded(graph, {**self.values, **fed}, gradient=True)
            with np.errstate(all="ignore"):
                total += len(some) / len(rows) * self._mean(recorded, len(some))
        return total

    def _mean(self, recorded: Recorded, size: int) -> Array:
        found = recorded.gradient(recorded.start)
        return found * (self.batches.samples / size) if self.summed else found


def gradient_noise(
    run: Run, iteration: int, *, count: int = 8, sizes: Sequence[int] | None = None
) -> dict[str, Any]:
    """The full gradient and `count` mini-batch gradients of each size (default: one sample, the
    spec's batch, all).
    """
    gradients = Gradients(run, iteration)
    batches = gradients.batches
    wanted = _sizes(sizes, batches.batch_size, batches.samples)
    full = gradients.of(np.arange(batches.samples))
    groups = []
    for size in wanted:
        own = batches.rows(iteration) if size == batches.size(iteration) else None
        some = list(_drawn(batches.seed, iteration, size, batches.samples, count, own))
        groups.append((size, own is not None, some, [gradients.of(rows) for rows in some]))
    with np.errstate(all="ignore"):
        return _told(iteration, full, groups)


def _sizes(given: Sequence[int] | None, batch: int, samples: int) -> list[int]:
    found = sorted({1, batch, samples} if given is None else set(given))
    if not 1 <= len(found) <= MOST_SIZES:
        raise LimitError(f"from 1 to {MOST_SIZES} sizes: {len(found)}", where="sizes")
    for size in found:
        if not 1 <= size <= samples:
            raise BackstepError(
                f"a batch has from 1 to {samples} samples here: {size}", where="sizes"
            )
    return found


def _drawn(
    seed: int, iteration: int, size: int, samples: int, count: int, own: Array | None
) -> Iterator[Array]:
    """Rows of mini-batches, the iteration's own first; of all samples there is only one."""
    if size == samples:
        yield np.arange(samples)
        return
    rng = np.random.default_rng([seed, 6, iteration, size])
    for number in range(count):
        yield own if own is not None and number == 0 else rng.choice(samples, size, replace=False)


def _told(
    iteration: int, full: Array, groups: list[tuple[int, bool, list[Array], list[Array]]]
) -> dict[str, Any]:
    axes = _plane(full, [g for *_, found in groups for g in found])
    length = float(np.linalg.norm(full))
    sizes, single = [], None
    for size, own, rows, found in groups:
        away = float(np.mean([np.sum((g - full) ** 2) for g in found]))
        single = away if size == 1 else single
        sizes.append(
            {
                "size": size,
                "spread": float(np.sqrt(away) / length) if length else None,
                "batches": [
                    {
                        **_arrow(g, axes),
                        "cosine": _cosine(g, full),
                        "own": own and number == 0,
                        "rows": some.tolist() if len(some) <= ROWS_TOLD else None,
                    }
                    for number, (some, g) in enumerate(zip(rows, found, strict=True))
                ],
            }
        )
    scale = None if single is None or not length else single / length**2
    return {
        "iteration": iteration,
        "parameters": full.size,
        "full": _arrow(full, axes),
        "sizes": sizes,
        "noise_scale": scale,
    }


def _plane(full: Array, gradients: list[Array]) -> Array:
    """Two directions: the full gradient's, and the one along which the others leave it most."""
    length = np.linalg.norm(full)
    usable = [g for g in gradients if np.isfinite(g).all()]
    if not np.isfinite(length) or not usable:
        return np.zeros((2, full.size))
    stack = np.array(usable)
    if length > 0:
        first = full / length
        rest = stack - np.outer(stack @ first, first)
        second = _main(rest)
        return np.array([first, second])
    first = _main(stack)
    return np.array([first, _main(stack - np.outer(stack @ first, first))])


def _main(vectors: Array) -> Array:
    """The direction of the largest spread about 0, pointing to where its largest entry is
    positive; 0 where there is none.
    """
    top = float(np.max(np.abs(vectors), initial=0.0))
    if top == 0.0:
        return np.zeros(vectors.shape[1])
    small = vectors / top
    _, widths, axes = np.linalg.svd(small, full_matrices=False)
    if widths[0] < 1e-12:
        return np.zeros(vectors.shape[1])
    axis: Array = axes[0]
    return axis if axis[np.argmax(np.abs(axis))] > 0 else -axis


def _arrow(g: Array, axes: Array) -> dict[str, float]:
    x, y = (axes @ g).tolist()
    return {"norm": float(np.linalg.norm(g)), "x": x, "y": y}


def _cosine(g: Array, full: Array) -> float | None:
    size = float(np.linalg.norm(g)) * float(np.linalg.norm(full))
    return float(np.dot(g, full)) / size if size > 0 else None
