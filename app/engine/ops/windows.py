"""What convolution and pooling share: an operand (N, C, …) seen as windows, with the batch
innermost in memory, so that every inner loop runs over neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
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


def per_axis(given: int | Shape, rank: int) -> Shape:
    """One number for all axes, or one for each."""
    return given if isinstance(given, tuple) else (given,) * rank


def window_shape(op: Op, x: Shape, size: Shape, stride: Shape, padding: Shape) -> Shape:
    """The output's places, or an error that says what does not fit."""
    if not len(x) - 2 == len(size) == len(stride) == len(padding):
        raise op.fail(f"sizes, stride and padding must be numbers or lists of {len(x) - 2}", x)
    if min(stride) < 1 or min(padding) < 0 or min(size) < 1:
        raise op.fail("sizes and stride must be at least 1, padding at least 0", size)
    room = tuple(n + 2 * p - k for n, p, k in zip(x[2:], padding, size, strict=True))
    if min(room) < 0:
        raise op.fail("the window is larger than the operand", x, size)
    return tuple(n // step + 1 for n, step in zip(room, stride, strict=True))


def around(x: Shape, padding: Shape) -> int:
    """Entries of an operand with its border."""
    return prod(x[:2]) * prod(n + 2 * p for n, p in zip(x[2:], padding, strict=True))


def padded(k: Kernel, x: Array, padding: Shape, border: float) -> Array:
    """x as (C, …, N) in that order in memory, with a border around."""
    inner = last(x)
    if not any(padding) and inner.flags.c_contiguous:
        return inner
    lengths = inner.shape[1:-1]
    around = tuple(n + 2 * p for n, p in zip(lengths, padding, strict=True))
    out = k.scratch((inner.shape[0], *around, inner.shape[-1]))
    if any(padding):
        out.fill(border)  # the border is never written again
    within = tuple(slice(p, p + n) for n, p in zip(lengths, padding, strict=True))
    k(copy, inner, at(out, within))
    return out


def contiguous(k: Kernel, x: Array) -> Array:
    """x as (C, …, N) in that order in memory."""
    return padded(k, x, (0,) * (x.ndim - 2), 0.0)


def windows(x: Array, size: Shape, stride: Shape) -> Array:
    """The view (C, *size, *places, N) of a padded operand."""
    rank = len(size)
    view = sliding_window_view(x, size, axis=tuple(range(1, rank + 1)))
    view = view[(slice(None), *(slice(None, None, step) for step in stride))]
    inside = tuple(range(rank + 2, 2 * rank + 2))
    return view.transpose((0, *inside, *range(1, rank + 1), rank + 1))


def taps(size: Shape) -> list[Index]:
    """The places inside a window, row by row."""
    return list(product(*(range(n) for n in size)))


def spread(
    length: Shape, places: Shape, tap: Index, stride: Shape, padding: Shape
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a tap of all windows lies in the operand, and which windows have it inside."""
    there, which = [], []
    for n, count, offset, step, border in zip(length, places, tap, stride, padding, strict=True):
        first = max(0, -(-(border - offset) // step))
        stop = min(count, (n - 1 + border - offset) // step + 1)
        start = first * step + offset - border
        there.append(slice(start, start + max(0, stop - first - 1) * step + 1, step))
        which.append(slice(first, max(first, stop)))
    return tuple(there), tuple(which)


def gather_taps(
    k: Kernel, parts: list[tuple[Index, Array]], dx: Array, stride: Shape, padding: Shape
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
    place: Index, x: Shape, size: Shape, stride: Shape, padding: Shape
) -> Iterator[tuple[Index, Index]]:
    """For one output place: each tap inside the operand and the operand's place there."""
    for tap in taps(size):
        every = zip(place, tap, stride, padding, strict=True)
        there = tuple(p * step + t - border for p, t, step, border in every)
        if all(0 <= i < n for i, n in zip(there, x, strict=True)):
            yield tap, there


def seeing(
    there: Index, places: Shape, size: Shape, stride: Shape, padding: Shape
) -> Iterator[tuple[Index, Index]]:
    """For one place of the operand: each tap at which a window sees it, and that window's place."""
    for tap in taps(size):
        ways = [i + border - t for i, t, border in zip(there, tap, padding, strict=True)]
        if all(
            way % step == 0 and 0 <= way // step < n
            for way, step, n in zip(ways, stride, places, strict=True)
        ):
            yield tap, tuple(way // step for way, step in zip(ways, stride, strict=True))
