"""Where the arrays of a recording lie: those that are never needed at the same time share memory.

From the recorded calls follows from which call to which each array holds something. Recorded once
more with these places, an iteration's numbers stay in the cache; a result may even take the place
of an operand that is read for the last time.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from sys import getrefcount
from typing import Any, TypeVar

import numpy as np

from app.engine.types import Array, Slot, owner

Key = TypeVar("Key", bound=Hashable)

ALIGNED = 64  # bytes: a line of the cache
GIVEN = 6  # blocks that a pool remembers
ALONE = 2  # references to a block of which only its pool knows: the list's and the question's


class Pool:
    """Blocks of memory for copies that are given away. One that nobody holds any more is used
    again: to get fresh memory from the system takes longer than to fill it.
    """

    def __init__(self) -> None:
        self._given: list[Array] = []

    def take(self, size: int) -> Array:
        """So many bytes. Every view of them, and view of a view, counts as a holder."""
        given = self._given
        free = (i for i in range(len(given)) if getrefcount(given[i]) == ALONE)
        i = next((i for i in free if given[i].nbytes == size), None)
        block = np.empty(size, np.uint8) if i is None else given.pop(i)
        self._given = [*self._given[1 - GIVEN :], block]
        return block

    def copies(self, arrays: Mapping[Slot, Array]) -> dict[Slot, Array]:
        """Copies side by side in one block."""
        sizes = [-(-array.nbytes // ALIGNED) * ALIGNED for array in arrays.values()]
        block, stop, found = self.take(sum(sizes)), 0, {}
        for (slot, array), size in zip(arrays.items(), sizes, strict=True):
            part = block[stop : stop + array.nbytes].view(array.dtype).reshape(array.shape)
            np.copyto(part, array)
            found[slot], stop = part, stop + size
        return found


@dataclass
class Span:
    """From which call to which an array holds something; `written` marks the entries that are
    written before any is read.
    """

    array: Array
    first: int
    last: int
    written: Array
    read: bool = False
    start: int = 0
    stop: int = 0


def shared_places(calls: Sequence[partial[Any]], made: Mapping[Key, Array]) -> dict[Key, Array]:
    """For arrays that a recorder made, and that nobody needs after the calls, a place each in one
    piece of memory. Left out are single numbers, and what is not wholly written before it is read.
    """
    spans = _spans(calls, made)
    fit = {key: s for key, s in spans.items() if s.array.size > 1 and s.written.all()}
    size = _place(calls, sorted(fit.values(), key=lambda span: span.first))
    memory = np.empty(size + ALIGNED, np.uint8)
    memory = memory[-memory.ctypes.data % ALIGNED :]
    return {key: _like(span.array, memory[span.start : span.stop]) for key, span in fit.items()}


def _spans(calls: Sequence[partial[Any]], made: Mapping[Key, Array]) -> dict[Key, Span]:
    keys = {id(owner(array)): key for key, array in made.items()}
    found: dict[Key, Span] = {}
    for i, call in enumerate(calls):
        *ins, out = (*call.args, *call.keywords.values())
        for x in (*ins, out):
            key = keys.get(id(owner(x)))
            if key is None:
                continue
            whole = owner(made[key])
            span = found.setdefault(key, Span(made[key], i, i, np.zeros(whole.size, bool)))
            span.last = i
            if x is not out:
                span.read = True
            elif not span.read:
                _mark(span.written, x, whole)
    return found


def _mark(written: Array, part: Array, whole: Array) -> None:
    """Note that the entries of this view are written."""
    offset = (part.ctypes.data - whole.ctypes.data) // whole.itemsize
    strides = [stride // whole.itemsize for stride in part.strides]
    np.lib.stride_tricks.as_strided(written[offset:], part.shape, strides)[...] = True


def _place(calls: Sequence[partial[Any]], spans: list[Span]) -> int:
    """Choose each span's start, lowest first; returns how many bytes there are in all."""
    living: list[Span] = []
    ending: dict[int, list[Span]] = {}
    for span in spans:
        ending.setdefault(span.last, []).append(span)
    size = 0
    for span in spans:
        before = (old for old in ending.get(span.first, ()) if old.first < span.first)
        heir = next((old for old in before if _inherits(calls[span.first], old, span)), None)
        living = [old for old in living if old.last >= span.first and old is not heir]
        span.start = 0 if heir is None else heir.start
        for old in living if heir is None else ():
            if old.start >= span.start + span.array.nbytes:
                break
            span.start = max(span.start, -(-old.stop // ALIGNED) * ALIGNED)
        span.stop = span.start + span.array.nbytes
        insort(living, span, key=lambda one: one.start)
        size = max(size, span.stop)
    return size


def _inherits(call: partial[Any], old: Span, new: Span) -> bool:
    """Whether the call computes entry by entry, and reads the old array for the last time."""
    if not isinstance(call.func, np.ufunc) or call.func.signature:
        return False
    *ins, out = (*call.args, *call.keywords.values())
    mine = [x for x in ins if owner(x) is owner(old.array)]
    return all(_lies(x) == _lies(old.array) for x in mine) and (
        _lies(out)[1:] == _lies(old.array)[1:] and _lies(out) == _lies(new.array)
    )


def _lies(x: Array) -> tuple[Any, ...]:
    """Where an array's first entry is, and how the others lie."""
    return (x.ctypes.data, x.shape, x.strides, x.dtype)


def _like(array: Array, memory: Array) -> Array:
    """An array of the same shape, type and order in that memory."""
    order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    flat = memory.view(array.dtype).reshape([array.shape[axis] for axis in order])
    return flat.transpose([order.index(axis) for axis in range(array.ndim)])
