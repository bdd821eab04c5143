"""How sharp the valley is: the largest eigenvalue λmax of the loss's Hessian, and the rate 2/λmax
above which plain gradient descent cannot settle there (Cohen et al. 2021).

Power iteration needs only products of the Hessian with a vector. The ops have rules for first
derivatives alone, so a product is a central difference of gradients,
(∇L(w + εv) − ∇L(w − εv)) / 2ε, which is exact up to rounding where the loss is quadratic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.types import Array
from app.lab.lanes import laned
from app.lab.recorded import Recorded, recorded
from app.render import numbers
from app.train.limits import SpecLimits
from app.train.refined import run_of
from app.train.run import Run

METHOD = "power iteration; Hessian-vector products by central differences of gradients"
EPSILON = 1e-5  # of the weights' size: near the cube root of float64's precision
TOLERANCE = 1e-6  # the eigenvalue has settled when it changes by a smaller share
ROUNDS = 200
EXPECTED = 20  # rounds that a power iteration takes, about, for the progress that is told
NOTHING = 1e-12  # a curvature below this is none

Progress = Callable[[], bool]


@dataclass(frozen=True)
class Sharpness:
    """`residual` is ‖Hv − λv‖ / |λ|: how far v is from being an eigenvector. `limit` is 2/λmax, or
    None where the loss curves downward everywhere or not at all.
    """

    iteration: int
    sharpness: float
    limit: float | None
    lr: float | None
    rounds: int
    residual: float
    settled: bool
    says: str


def sharpness(run: Run, iteration: int, progress: Progress | None = None) -> Sharpness:
    """At the weights from which this iteration starts."""
    f = recorded(run, iteration, gradient=True)
    with np.errstate(all="ignore"):
        if math.isfinite(f.loss(f.start)):
            value, rounds, residual, settled = _largest(f, progress)
        else:
            value, rounds, residual, settled = math.nan, 0, math.nan, False
    lr = run.lr(iteration)
    limit = 2.0 / value if value > NOTHING else None
    says = _says(value, limit, lr, plain=_plain(run))
    return Sharpness(iteration, value, limit, lr, rounds, residual, settled, says)


def course(
    run: Run, iteration: int, points: int, progress: Progress | None = None
) -> list[Sharpness]:
    """Evenly over the iterations done, the one at hand among them."""
    places = {round(iteration * (k + 1) / points) for k in range(points)}
    if points > 1:
        places.add(0)
    found = []
    for i in sorted(places):
        if progress is not None and not progress():
            break
        found.append(sharpness(run, i, progress))
    return found


def course_of(
    document: Mapping[str, Any],
    lane: Mapping[str, Any] | None,
    iterations: int,
    points: int,
    progress: Callable[[int, int], bool],
    *,
    limits: SpecLimits | None = None,
) -> dict[str, Any]:
    """Of a spec, or of one lane of it, with the run's losses: `loss[k]` is that after k updates."""
    run = run_of(laned(document, lane, limits))
    done = run.train(iterations, lambda i: progress(i, 2 * iterations))
    rounds = 0

    def further() -> bool:
        nonlocal rounds
        rounds += 1
        share = 1 - 1 / (1 + rounds / (points * EXPECTED))
        return progress(iterations + int(share * iterations), 2 * iterations)

    found = course(run, done, points, further)
    losses = [*run.history.train_loss[:done], run.loss(done)]
    return {**as_json(found), "loss": losses, "lr": [run.lr(i) for i in range(done + 1)]}


def _largest(f: Recorded, progress: Progress | None) -> tuple[float, int, float, bool]:
    """λmax. Power iteration finds the eigenvalue that is largest in size; if that is a negative
    one, all are lifted by it, and the largest is found then.
    """
    if not f.start.size:
        return 0.0, 0, 0.0, True
    product = hessian_product(f)
    value, rounds, residual, settled = _power(product, f.start.size, progress)
    if not value < 0:
        return value, rounds, residual, settled
    lifted, more, residual, settled = _power(
        lambda v: product(v) - value * v, f.start.size, progress
    )
    return lifted + value, rounds + more, residual, settled


def hessian_product(f: Recorded) -> Callable[[Array], Array]:
    """v ↦ H·v at the function's start."""
    step = EPSILON * max(1.0, float(np.linalg.norm(f.start)))

    def product(v: Array) -> Array:
        return np.asarray(
            (f.gradient(f.start + step * v) - f.gradient(f.start - step * v)) / (2 * step)
        )

    return product


def _power(
    product: Callable[[Array], Array], size: int, progress: Progress | None
) -> tuple[float, int, float, bool]:
    v = np.random.default_rng([size, 7]).normal(size=size)
    v /= np.linalg.norm(v)
    value, residual = 0.0, math.inf
    for rounds in range(1, ROUNDS + 1):
        if progress is not None and not progress():
            return value, rounds - 1, residual, False
        w = product(v)
        former, value = value, float(np.dot(v, w))
        length = float(np.linalg.norm(w))
        if not math.isfinite(length):
            return math.nan, rounds, math.nan, False
        if length <= NOTHING:
            return 0.0, rounds, 0.0, True
        residual = float(np.linalg.norm(w - value * v)) / max(abs(value), NOTHING)
        if rounds > 2 and abs(value - former) <= TOLERANCE * abs(value):
            return value, rounds, residual, True
        v = w / length
    return value, ROUNDS, residual, False


def _plain(run: Run) -> bool:
    """Whether the optimizer is gradient descent with nothing added."""
    optimizer: Any = run.spec.optimizer
    return (
        optimizer is not None
        and optimizer.name == "sgd"
        and not getattr(optimizer, "momentum", 0.0)
    )


def _says(value: float, limit: float | None, lr: float | None, *, plain: bool) -> str:
    if not math.isfinite(value):
        return "The loss or its gradient is no finite number here: there is no curvature to tell."
    if limit is None:
        return "The loss curves upward in no direction here: no rate is too large for that."
    told = f"λmax is {numbers.text(value)}, so plain gradient descent settles only below a rate of "
    told += numbers.text(limit)
    if lr is None:
        return told + "."
    if not plain:
        return f"{told}. The optimizer here is another one, with a limit of its own."
    if lr > limit:
        return f"{told}; {numbers.text(lr)} is above: along the steepest direction steps grow."
    if lr > limit / 2:
        return f"{told}; {numbers.text(lr)} is below, but above half of it: steps swing to and fro."
    return f"{told}; {numbers.text(lr)} is below."


def as_json(found: list[Sharpness]) -> dict[str, Any]:
    return {"method": METHOD, "epsilon": EPSILON, "points": [vars(one) for one in found]}
