"""Arithmetic of time. A moment is (iteration, step): how many steps of that iteration's plan are
done.

(i, of) and (i + 1, 0) are one state with two names: steps by node land on the first, whole
iterations on the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Moment(NamedTuple):
    iteration: int
    step: int


Of = Callable[[int], int]
"""How many steps an iteration has."""

Span = tuple[int, int, int]
"""(iteration, start, stop): plan indices, half open."""

START = Moment(0, 0)


def settled(moment: Moment, of: Of) -> Moment:
    """The end of an iteration under its other name: the start of the next."""
    if moment.step >= of(moment.iteration):
        return Moment(moment.iteration + 1, 0)
    return moment


def by_node(moment: Moment, count: int, of: Of) -> Moment:
    """`count` steps on, or back; back beyond the very start stays there."""
    i, step = moment
    while count > 0:
        if step >= of(i):
            i, step = i + 1, 0
        taken = min(count, of(i) - step)
        step, count = step + taken, count - taken
    while count < 0:
        if step == 0:
            if i == 0:
                break
            i, step = i - 1, of(i - 1)
        taken = min(-count, step)
        step, count = step - taken, count + taken
    return Moment(i, step)


def by_phase(moment: Moment, count: int, phases: Callable[[int], Sequence[str]]) -> Moment:
    """To the next place where a phase ends, `count` times; or back to where one begins."""
    i, step = moment
    for _ in range(abs(count)):
        if count > 0:
            if step >= len(phases(i)):
                i, step = i + 1, 0
            step = next(mark for mark in boundaries(phases(i)) if mark > step)
        else:
            if step == 0:
                if i == 0:
                    break
                i, step = i - 1, len(phases(i - 1))
            step = next(mark for mark in reversed(boundaries(phases(i))) if mark < step)
    return Moment(i, step)


def boundaries(phases: Sequence[str]) -> list[int]:
    """The steps at which a phase begins, and the end."""
    starts = [k for k, phase in enumerate(phases) if k == 0 or phases[k - 1] != phase]
    return [*starts, len(phases)]


def by_block(moment: Moment, count: int, size: int, of: Of) -> Moment:
    """To the start of the `count`-th next block of `size` iterations: 1 for an iteration, more for
    an epoch.
    """
    now = settled(moment, of)
    block = now.iteration // size
    if count < 0 and (now.step or now.iteration % size):
        block += 1
    return Moment(max(0, (block + count) * size), 0)


def spans(start: Moment, stop: Moment, of: Of) -> list[Span]:
    """The steps between two moments in the order in which they are run."""
    found = []
    for i in range(start.iteration, stop.iteration + 1):
        first = start.step if i == start.iteration else 0
        last = stop.step if i == stop.iteration else of(i)
        if first < last:
            found.append((i, first, last))
    return found
