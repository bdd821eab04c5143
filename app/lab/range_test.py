"""The learning-rate range test (Smith 2017): one run whose rate climbs from very small to very
large; where its loss falls fastest is where the rates are worth trying.

The test is a spec like any other, with an exponential schedule that grows instead of falling. The
interval suggested reaches from where a tenth of the whole fall of the smoothed loss is done to
where nine tenths are: below nothing moves yet, above the loss turns ragged and climbs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import real
from app.lab.lanes import counted, merged
from app.render import numbers
from app.train.limits import SpecLimits
from app.train.refined import run_of
from app.train.spec import parse_spec

LOW, HIGH, ITERATIONS = 1e-5, 10.0, 200
MAX_ITERATIONS = 5_000
MEMORY = 0.8  # of the smoothed loss: it is a mean of about the last five
LOST = 4.0  # smoothed loss over the lowest so far, from where on nothing better comes
FIRST, LAST = 0.1, 0.9  # of the fall
STILL = 1e-3  # a fall by a smaller share of the loss is none


@dataclass(frozen=True)
class RangeTest:
    """`lr[k]` made the update after `loss[k]`. `interval` is None where the loss never falls."""

    lr: list[float]
    loss: list[float]
    smooth: list[float]
    interval: list[float] | None
    steepest: float | None
    lowest: float | None
    diverges: float | None
    says: str


def range_test(
    document: Mapping[str, Any],
    *,
    low: float = LOW,
    high: float = HIGH,
    iterations: int = ITERATIONS,
    limits: SpecLimits | None = None,
    max_iterations: int = MAX_ITERATIONS,
    progress: Callable[[int, int], bool] | None = None,
) -> RangeTest:
    """From the spec's own start; `progress` may end it early."""
    count = counted(iterations, max_iterations, "a range test may have", low=10)
    low, high = real(low, "low"), real(high, "high")
    if not 0 < low < high:
        raise BackstepError(f"must be above low, and both above 0: {low:g}, {high:g}", where="high")
    if not math.isfinite(high / low):
        raise BackstepError(f"is too far above low: {low:g}, {high:g}", where="high")
    gamma = (high / low) ** (1 / (count - 1))
    schedule = {"type": "exponential", "gamma": gamma, "per": "iteration"}
    run = run_of(parse_spec(merged(document, {"lr": low, "schedule": schedule}), limits))
    done = run.train(count, None if progress is None else lambda i: progress(i, count))
    history = run.history
    return _read(list(history.lr[:done]), list(history.train_loss[:done]))


def range_task(
    document: Mapping[str, Any], asked: Mapping[str, Any], progress: Callable[[int, int], bool]
) -> RangeTest:
    """The same in a form that another process takes."""
    return range_test(document, **asked, progress=progress)


def _read(rates: list[float], losses: list[float]) -> RangeTest:
    smooth = _smooth(losses)
    end = _lost(smooth)
    diverges = rates[end] if end < len(smooth) else None
    kept = smooth[:end]
    start, bottom = (kept[0], min(kept)) if kept else (math.nan, math.nan)
    if not start - bottom > STILL * abs(start):
        says = "The loss does not fall at any of these rates."
        return RangeTest(rates, losses, smooth, None, None, None, diverges, says)
    least = kept.index(bottom)
    first = next(i for i, loss in enumerate(kept) if start - loss >= FIRST * (start - bottom))
    last = next(i for i, loss in enumerate(kept) if start - loss >= LAST * (start - bottom))
    steepest = min(range(1, least + 1), key=lambda i: kept[i] - kept[i - 1])
    interval = [rates[first], rates[last]]
    says = (
        f"Rates from {numbers.text(interval[0])} to {numbers.text(interval[1])} are worth trying: "
        "there the loss falls"
    )
    says += f"; from {numbers.text(diverges)} on it climbs." if diverges is not None else "."
    return RangeTest(rates, losses, smooth, interval, rates[steepest], rates[least], diverges, says)


def _smooth(losses: list[float]) -> list[float]:
    """A running mean that forgets, corrected for its empty start."""
    found, mean = [], 0.0
    for i, loss in enumerate(losses):
        mean = MEMORY * mean + (1 - MEMORY) * loss
        found.append(mean / (1 - MEMORY ** (i + 1)))
    return found


def _lost(smooth: list[float]) -> int:
    """Where the loss has climbed for good: the first entry after the turn, or the length."""
    lowest = math.inf
    for i, loss in enumerate(smooth):
        lowest = min(lowest, loss)
        if not math.isfinite(loss) or (smooth[0] > 0 and loss > max(LOST * lowest, smooth[0])):
            turn = smooth.index(lowest) if math.isfinite(lowest) else i
            return max(1, turn + 1) if turn < i else i
    return len(smooth)
