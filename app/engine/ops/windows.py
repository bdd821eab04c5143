"""What convolution and pooling share: an operand (N, C, …) seen as windows, with the batch
innermost in memory, so that every inner loop runs over neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from app.engine.kernel import Kernel, const
from app.engine.op import Op
from app.engine.types import Array, Shape

Index = tuple[int, ...]


def last(x: Array) -> Array:
    """The view (C, …, N)."""
    return np.moveaxis(x, 0, -1)


def copy(x: Array, out: Array) -> None:
    """Large strided copies are more than twice as fast this way as by `np.positive`."""
    np.copyto(out, x)


def at(array: Array, places: tuple[Any, ...]) -> Array:
    """Those places of every channel."""
    return array[(slice(None), *places)]


def reach(length: int, size: int, stride: int, padding: int) -> int:
    """How many windows fit along an axis."""
    return (length + 2 * padding - size) // stride + 1


def window_shape(op: Op, x: Shape, size: Shape, stride: int, padding: int) -> Shape:
    """The output's places, or an error that says what does not fit."""
    if stride < 1 or padding < 0 or min(size) < 1:
        raise op.fail("sizes and stride must be at least 1, padding at least 0", size)
    places = tuple(reach(n, k, stride, padding) for n, k in zip(x[2:], size, strict=True))
    if min(places) < 1 or any(n + 2 * padding < k for n, k in zip(x[2:], size, strict=True)):
        raise op.fail("the window is larger than the operand", x, size)
    return places


def padded(k: Kernel, x: Array, padding: int, border: float) -> Array:
    """x as (C, …, N) in that order in memory, with a border around."""
    inner = last(x)
    if padding == 0 and inner.flags.c_contiguous:
        return inner
    shape = (inner.shape[0], *(n + 2 * padding for n in inner.shape[1:-1]), inner.shape[-1])
    out = k.scratch(shape)
    if padding:
        out.fill(border)  # the border is never written again
    k(copy, inner, at(out, interior(inner, padding)))
    return out


def interior(inner: Array, padding: int) -> tuple[slice, ...]:
    return tuple(slice(padding, padding + n) for n in inner.shape[1:-1])


def contiguous(k: Kernel, x: Array) -> Array:
    """x as (C, …, N) in that order in memory."""
    return padded(k, x, 0, 0.0)


def windows(x: Array, size: Shape, stride: int) -> Array:
    """The view (C, *size, *places, N) of a padded operand."""
    rank = len(size)
    view = sliding_window_view(x, size, axis=tuple(range(1, rank + 1)))
    view = view[(slice(None), *[slice(None, None, stride)] * rank)]
    inside = tuple(range(rank + 2, 2 * rank + 2))
    return view.transpose((0, *inside, *range(1, rank + 1), rank + 1))


def taps(size: Shape) -> list[Index]:
    """The places inside a window, row by row."""
    return list(product(*(range(n) for n in size)))


def spread(
    length: Shape, places: Shape, tap: Index, stride: int, padding: int
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a tap of all windows lies in the operand, and which windows have it inside."""
    there, which = [], []
    for n, count, offset in zip(length, places, tap, strict=True):
        first = max(0, -(-(padding - offset) // stride))
        stop = min(count, (n - 1 + padding - offset) // stride + 1)
        start = first * stride + offset - padding
        there.append(slice(start, start + max(0, stop - first - 1) * stride + 1, stride))
        which.append(slice(first, max(first, stop)))
    return tuple(there), tuple(which)


def gather_taps(
    k: Kernel, parts: list[tuple[Index, Array]], dx: Array, stride: int, padding: int
) -> None:
    """Add each tap's array (C, *places, N) where it lies in dx (C, …, N): `windows` reversed."""
    length, places = dx.shape[1:-1], parts[0][1].shape[1:-1]
    whole = tuple(slice(0, n) for n in length)

    def covers(tap: Index) -> bool:
        there, _ = spread(length, places, tap, stride, padding)
        return all(
            a.start == 0 and a.step == 1 and a.stop == b.stop
            for a, b in zip(there, whole, strict=True)
        )

    parts = sorted(parts, key=lambda part: not covers(part[0]))
    fresh = not covers(parts[0][0])
    if fresh:
        k(np.positive, const(0.0), dx)
    for number, (tap, array) in enumerate(parts):
        there, which = spread(length, places, tap, stride, padding)
        if any(part.start >= part.stop for part in which):
            continue
        target = at(dx, there)
        source = at(array, which)
        if number == 0 and not fresh:
            k(copy, source, target)
        else:
            k(np.add, target, source, target)


def seen_from(
    place: Index, x: Shape, size: Shape, stride: int, padding: int
) -> Iterator[tuple[Index, Index]]:
    """For one output place: each tap inside the operand and the operand's place there."""
    for tap in taps(size):
        there = tuple(p * stride + t - padding for p, t in zip(place, tap, strict=True))
        if all(0 <= i < n for i, n in zip(there, x, strict=True)):
            yield tap, there


def seeing(
    there: Index, places: Shape, size: Shape, stride: int, padding: int
) -> Iterator[tuple[Index, Index]]:
    """For one place of the operand: each tap at which a window sees it, and that window's place."""
    for tap in taps(size):
        steps = [i + padding - t for i, t in zip(there, tap, strict=True)]
        if all(
            step % stride == 0 and 0 <= step // stride < n
            for step, n in zip(steps, places, strict=True)
        ):
            yield tap, tuple(step // stride for step in steps)
