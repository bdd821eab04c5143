"""Was the learning rate right? Read off a lane's losses and the turns of its path.

A verdict is about a lane beside the others: what the best of them reached in the same iterations is
what a good rate could have reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.render import numbers

LOST = 2.0
"""Diverges: the loss ends above twice its start; a rate that helps cannot double it for good."""
REACHED = 0.9
"""Crawls: less than nine tenths of the best lane's way is done when time is up."""
STRAIGHT = 0.5
"""Crawls, too, while the second half of the time still brings half as much as the first: a run that
gets somewhere has bent by then. This tells a lane that has no better one beside it."""
LEVEL = 0.05
"""Stands: the second half of the time brings less than this share of what the first brought."""
NEAR = 0.01
"""Within a hundredth of the way to the best loss a path may turn as it likes: it has arrived."""
TURNS = 5
"""Oscillates: at least so many turns before it is near (x² with η = 0.8 is there after four) …"""
TURNING = 0.6
"""… and at more than this share of its steps, as chance alone would turn about half of them."""
TAIL = 0.1
"""The end of a run is the mean of its last tenth, so that one unlucky batch does not decide."""
STILL = 1e-12
"""A way shorter than this share of the loss is rounding, not movement."""


@dataclass(frozen=True)
class Verdict:
    """`kind` is crawls, stands, right, unsteady, oscillates or diverges; `at` the iteration that
    decided: the start of a loss that stays too high, the fifth turn, nine tenths of the way, or the
    end.
    """

    kind: str
    at: int
    says: str


@dataclass(frozen=True)
class Course:
    """What is known of a lane: its losses, and for its first steps whether each turned back.

    A step is `stride` iterations long: one, or one epoch where batches differ. `losses` are means
    over so many batches then, `quick` over fewer, and `began` is the loss of all samples at the
    start, which no batch alone tells.
    """

    losses: Sequence[float]
    turned: Sequence[bool]
    stride: int = 1
    quick: Sequence[float] | None = None
    began: float | None = None

    @property
    def start(self) -> float:
        return self.losses[0] if self.began is None else self.began

    @property
    def end(self) -> float:
        count = max(1, int(len(self.losses) * TAIL))
        return math.fsum(self.losses[-count:]) / count if self.finite else math.nan

    @property
    def finite(self) -> bool:
        return all(math.isfinite(loss) for loss in self.losses)

    @property
    def lowest(self) -> float:
        return min((loss for loss in self.losses if math.isfinite(loss)), default=math.inf)


def judge(courses: Sequence[Course]) -> list[Verdict]:
    """A verdict for each lane."""
    lost = [_diverges(course) for course in courses]
    kept = [course.lowest for course, gone in zip(courses, lost, strict=True) if gone is None]
    best = min(kept, default=math.inf)
    return [
        gone
        or _oscillates(course, best)
        or _unsteady(course, best)
        or _crawls(course, best)
        or _right(course, best)
        for course, gone in zip(courses, lost, strict=True)
    ]


def _diverges(course: Course) -> Verdict | None:
    start, losses = course.start, course.losses
    if not math.isfinite(start):
        return Verdict("diverges", 0, f"The loss is {numbers.text(start)} from the start.")
    above = start + (LOST - 1) * max(abs(start), STILL)
    if course.finite and not course.end > above:
        return None
    lost = [not math.isfinite(loss) or loss > above for loss in losses]
    at = len(lost)
    while at and lost[at - 1]:
        at -= 1
    if at == len(lost):
        at = next(i for i, loss in enumerate(losses) if not loss <= above)
    broken = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
    if broken is None:
        return Verdict(
            "diverges", at, f"From iteration {at} on the loss stays above twice its start."
        )
    if losses[broken] == -math.inf:
        says = f"The loss has no lowest value: by iteration {broken} it is −∞."
    else:
        grown = f"twice its start from iteration {at} on, and " if at < broken else ""
        says = f"The loss is {grown}no number any more at iteration {broken}."
    return Verdict("diverges", at, says)


def _oscillates(course: Course, best: float) -> Verdict | None:
    way, arrived = course.start - best, None
    if way > STILL * abs(course.start):
        near = best + NEAR * way
        arrived = next((i for i, loss in enumerate(course.losses) if loss <= near), None)
    turned = course.turned
    if arrived is not None:
        turned = turned[: max(0, arrived // course.stride - 1)]
    turns = sum(turned)
    if turns < TURNS or turns <= TURNING * len(turned):
        return None
    if arrived is not None:
        after = f"it still settles, and is near the lowest point by iteration {arrived}"
    elif course.end < course.start - NEAR * abs(course.start):
        after = "it comes closer only slowly"
    else:
        after = "it comes no closer"
    fifth = [i for i, turn in enumerate(course.turned) if turn][TURNS - 1]
    share = "Every step" if turns == len(turned) else f"{turns} of {len(turned)} steps"
    at = (fifth + 2) * course.stride  # a turn is known when the step after it is done
    return Verdict("oscillates", at, f"{share} jumped back across the lowest point; {after}.")


def _unsteady(course: Course, best: float) -> Verdict | None:
    """It has been where the best lane is, and does not stay there: too large a step for slopes that
    each batch draws anew.
    """
    way = course.start - best
    enough = course.start - REACHED * way
    if way <= STILL * abs(course.start) or course.end <= enough:
        return None
    quick = course.losses if course.quick is None else course.quick
    at = next((i for i, loss in enumerate(quick) if loss <= enough), None)
    if at is None or not math.fsum(quick[at:]) / len(quick[at:]) > enough:
        return None
    return Verdict(
        "unsteady",
        at,
        f"By iteration {at} it was down to {numbers.text(quick[at], 3)}, but it does not stay "
        f"there: at the end it lies around {numbers.text(course.end, 3)}.",
    )


def _crawls(course: Course, best: float) -> Verdict | None:
    way = course.start - best
    if way <= STILL * abs(course.start):
        return None
    done = course.start - course.end
    first, last = course.losses[0], course.losses[-1]
    middle = first - course.losses[len(course.losses) // 2]
    straight = last > (1 - REACHED) * abs(first) and first - last > (1 + STRAIGHT) * middle > 0
    if done >= REACHED * way and not straight:
        return None
    count = len(course.losses) - 1
    if done <= STILL * abs(course.start):
        return Verdict("stands", count, f"After {_iterations(count)} the loss has not fallen.")
    if course.losses[len(course.losses) // 2] - course.end < LEVEL * middle:
        return _level(course, best, done)
    left = numbers.text(course.losses[-1], 3)
    return Verdict(
        "crawls",
        count,
        f"After {_iterations(count)} the loss is still {left}; it started at "
        f"{numbers.text(course.start, 3)}.",
    )


def _level(course: Course, best: float, done: float) -> Verdict:
    """It fell, and stays above what a better lane reaches: no matter of speed."""
    near = course.start - (1 - LEVEL) * done
    at = next((i for i, loss in enumerate(course.losses) if loss <= near), len(course.losses) - 1)
    there, left = numbers.text(course.start, 3), numbers.text(course.losses[at], 3)
    came = f"By iteration {at} it is down to {left}" if left != there else f"It starts at {there}"
    reached = f"the best lane comes down to {numbers.text(best, 3)}"
    return Verdict("stands", at, f"{came}, and hardly moves from there; {reached}.")


def _right(course: Course, best: float) -> Verdict:
    way = course.start - best
    if way <= STILL * abs(course.start):
        return Verdict("right", 0, "It starts at the lowest point, and stays there.")
    enough = course.start - REACHED * way
    at = next((i for i, loss in enumerate(course.losses) if loss <= enough), len(course.losses) - 1)
    return Verdict(
        "right",
        at,
        f"Nine tenths of the way are done by iteration {at}; the loss ends at "
        f"{numbers.text(course.losses[-1], 3)}.",
    )


def _iterations(count: int) -> str:
    return "1 iteration" if count == 1 else f"{count:,} iterations"
