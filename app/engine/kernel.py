"""How a rule's arithmetic is run: at once with fresh buffers, or recorded to be replayed.

An op's rule says `k(np.multiply, a, b, y)`: call the function on a and b and write into y. `Eager`
does it there and then and keeps what stood in each slot before, so that a step can be undone.
`Recorder` binds the same calls to fixed buffers and replays them, so that training allocates
nothing. One rule, two callers: their numbers are bit-identical.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np

from app.engine.types import FLOAT, SAVED, VALUE, Array, Shape, Slot

_KEYWORD_OUT: set[Any] = {np.maximum, np.minimum}  # NumPy 2.4 deprecates their positional `out`


@lru_cache(maxsize=4096)
def const(value: float) -> Array:
    """A 0-d array of a constant: NumPy multiplies by it almost twice as fast as by a float."""
    out = np.array(value, FLOAT)
    out.flags.writeable = False
    return out


@lru_cache(maxsize=64)
def ones(size: int) -> Array:
    """A vector of ones; `np.dot(ones, g)` is the cheapest sum over rows."""
    out = np.ones(size)
    out.flags.writeable = False
    return out


def zeros(x: Array) -> Array:
    """Zeros that lie in memory as x does: NumPy finds the larger of two arrays in half the time of
    the larger of an array and a number.
    """
    return _zeros(x.shape, x.strides)


@lru_cache(maxsize=64)
def _zeros(shape: Shape, strides: tuple[int, ...]) -> Array:
    reach = sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    flat = np.zeros(max(0, reach) // FLOAT.itemsize + 1)
    return np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False)


def empty(shape: Shape, dtype: Any = FLOAT, last: bool = False) -> Array:
    """A buffer in row-major order, or with the batch (axis 0) innermost in memory.

    Images are kept the second way: every inner loop of a convolution then runs over neighbours.
    """
    if not last:
        return np.empty(shape, dtype)
    return np.moveaxis(np.empty((*shape[1:], shape[0]), dtype), -1, 0)


class Kernel(Protocol):
    """What a rule may ask for. The last operand of a call is where it writes; None means: not
    wanted, skip.
    """

    def __call__(self, function: Callable[..., Any], *operands: Any) -> None: ...

    def read(self, node: str, slot: str = VALUE) -> Array: ...

    def has(self, node: str, slot: str) -> bool: ...

    def write(
        self, node: str, slot: str, shape: Shape, dtype: Any = FLOAT, last: bool = False
    ) -> Array: ...

    def clear(self, node: str, slot: str) -> None: ...

    def gather(self, nodes: Sequence[str], slot: str) -> Array: ...

    def load(self, node: str, key: str = "") -> None: ...

    def scalar(self, name: str) -> Array: ...

    def scratch(self, shape: Shape, dtype: Any = FLOAT, last: bool = False) -> Array: ...

    def addend(self, shape: Shape, dtype: Any = FLOAT, last: bool = False) -> Array: ...

    def partial(self, array: Array) -> bool: ...

    def save(self, name: str, shape: Shape, dtype: Any = FLOAT) -> Array: ...

    def saved(self, name: str) -> Array: ...

    def at(self, node: str) -> None: ...

    def wants(self, node: str) -> bool: ...

    def contribute(
        self, source: str, target: str, operand: int, value: Array, first: bool
    ) -> None: ...


@dataclass(frozen=True)
class Contribution:
    """What one node's vjp added to one input's grad along one edge; `first` fills an empty slot."""

    source: str
    target: str
    operand: int
    value: Array
    first: bool


@dataclass
class Record:
    """What one step wrote: new and former content of each slot, and the contributions made."""

    writes: dict[Slot, Array | None] = field(default_factory=dict)
    former: dict[Slot, Array | None] = field(default_factory=dict)
    contributions: list[Contribution] = field(default_factory=list)
    scalars: dict[str, float] = field(default_factory=dict)


class Eager:
    """Runs each call at once. Every write goes to a fresh buffer that is sealed when the step is
    done.
    """

    def __init__(
        self, slots: dict[Slot, Array], feed: Mapping[str, Array], scalars: Mapping[str, float]
    ) -> None:
        self.slots, self.feed, self.scalars = slots, feed, scalars
        self.record = Record()
        self.node = ""

    def __call__(self, function: Callable[..., Any], *operands: Any) -> None:
        *ins, out = operands
        if out is None:
            return
        if function in _KEYWORD_OUT:
            function(*ins, out=out)
        else:
            function(*ins, out)

    def read(self, node: str, slot: str = VALUE) -> Array:
        return self.slots[node, slot]

    def has(self, node: str, slot: str) -> bool:
        return (node, slot) in self.slots

    def _put(self, slot: Slot, value: Array | None) -> None:
        self.record.former.setdefault(slot, self.slots.get(slot))
        self.record.writes[slot] = value
        if value is None:
            self.slots.pop(slot, None)
        else:
            self.slots[slot] = value

    def write(
        self, node: str, slot: str, shape: Shape, dtype: Any = FLOAT, last: bool = False
    ) -> Array:
        fresh = empty(shape, dtype, last)
        self._put((node, slot), fresh)
        return fresh

    def clear(self, node: str, slot: str) -> None:
        if (node, slot) in self.slots:
            self._put((node, slot), None)

    def gather(self, nodes: Sequence[str], slot: str) -> Array:
        """The entries of several slots as one vector."""
        return np.concatenate([self.slots[node, slot].reshape(-1) for node in nodes])

    def load(self, node: str, key: str = "") -> None:
        """Put what is fed to the node in place; `key` names one of several (a micro-batch)."""
        self._put((node, VALUE), self.feed[key or node])

    def scalar(self, name: str) -> Array:
        self.record.scalars[name] = self.scalars[name]
        return np.array(self.scalars[name], FLOAT)

    def scratch(self, shape: Shape, dtype: Any = FLOAT, last: bool = False) -> Array:
        return empty(shape, dtype, last)

    def addend(self, shape: Shape, dtype: Any = FLOAT, last: bool = False) -> Array:
        """Where a contribution goes that will be added to others."""
        return self.scratch(shape, dtype, last)

    def partial(self, array: Array) -> bool:
        """Whether this is an addend of which only the op's own part counts, and the rest need not
        be 0. Here somebody looks at the whole of it.
        """
        return False

    def at(self, node: str) -> None:
        self.node = node

    def save(self, name: str, shape: Shape, dtype: Any = FLOAT) -> Array:
        return self.write(self.node, SAVED + name, shape, dtype)

    def saved(self, name: str) -> Array:
        return self.slots[self.node, SAVED + name]

    def wants(self, node: str) -> bool:
        return True

    def contribute(self, source: str, target: str, operand: int, value: Array, first: bool) -> None:
        self.record.contributions.append(Contribution(source, target, operand, value, first))

    def seal(self) -> Record:
        """End the step: nothing that it wrote can be written over."""
        for value in self.record.writes.values():
            if value is not None:
                value.flags.writeable = False
        for contribution in self.record.contributions:
            contribution.value.flags.writeable = False
        return self.record


def _place(buffer: Array) -> tuple[int, int]:
    """Where an array's numbers lie, whatever its shape, if they lie in one piece."""
    return (buffer.ctypes.data, buffer.size if buffer.flags.forc else -id(buffer))


class Recorder:
    """Binds each call to buffers that stay, and remembers it in `calls`.

    `buffers` may be given beforehand (parameters as views of one flat vector); missing ones are
    made when first written. `flat` are those vectors by slot. `filled` are the slots that hold
    something when the iteration begins. `wanted` names the nodes whose gradient matters for
    training: all others are left out. `made` are the arrays made here, by slot or by the scratch's
    number; `places` tells where one of that name is to lie.
    """

    def __init__(
        self,
        buffers: dict[Slot, Array],
        filled: set[Slot],
        wanted: frozenset[str],
        flat: Mapping[str, Array],
        places: Mapping[Hashable, Array] | None = None,
    ) -> None:
        self.buffers, self.filled, self.wanted, self.flat = buffers, filled, wanted, flat
        self.places, self.made = places or {}, dict[Hashable, Array]()
        self.scalars: dict[str, Array] = {}
        self.waiting: dict[str, Array] = {}
        self.calls: list[partial[Any]] = []
        self.node = ""
        self._written: Counter[tuple[int, int]] = Counter()
        self._copies: list[tuple[Array, Array]] = []
        self._settled: dict[int, tuple[int, partial[Any]]] = {}
        self._addends: dict[Hashable, Array] = {}
        self._taken = 0

    def __call__(self, function: Callable[..., Any], *operands: Any) -> None:
        *ins, out = operands
        if out is None or self._is_settled(function, ins, out):
            return
        self._written[_place(out)] += 1
        if function is np.positive:
            if _place(ins[0]) == _place(out):
                return
            if ins[0].dtype == out.dtype:
                self._copies.append((ins[0], out))
        if function in _KEYWORD_OUT:
            self.calls.append(partial(function, *ins, out=out))
        else:
            self.calls.append(partial(function, *ins, out))

    def twins(self) -> dict[Slot, Slot]:
        """Slots that only ever hold a copy of another one's numbers, such as a bias' gradient for
        a single sample: recorded again with one buffer for both, the copy needs no call.
        """
        slots = {_place(buffer): slot for slot, buffer in self.buffers.items()}
        pairs = [(slots.get(_place(a)), slots.get(_place(b)), b) for a, b in self._copies]
        return {
            source: copy
            for source, copy, buffer in pairs
            if source and copy and self._written[_place(buffer)] == 1
        }

    def _is_settled(self, function: Callable[..., Any], ins: list[Any], out: Array) -> bool:
        """A single number that follows from constants alone (the gradient that starts a pass, times
        1/n) is computed once, here; a product with 1 in place needs no call at all.
        """
        if function is np.multiply and out is ins[0] and self._fixed(ins[1]) and ins[1] == 1.0:
            return True
        if id(out) in self._settled:  # written again: what was settled has to be computed in turn
            at, call = self._settled.pop(id(out))
            self.calls.insert(at, call)
        elif not out.shape and all(map(self._fixed, ins)):
            function(*ins, out)
            self._settled[id(out)] = len(self.calls), partial(function, *ins, out)
            return True
        return False

    def _fixed(self, x: Any) -> bool:
        """Whether this is a 0-d array that no replayed call changes."""
        is_number = isinstance(x, np.ndarray) and not x.shape
        return is_number and (not x.flags.writeable or id(x) in self._settled)

    def read(self, node: str, slot: str = VALUE) -> Array:
        return self.buffers[node, slot]

    def has(self, node: str, slot: str) -> bool:
        return (node, slot) in self.filled

    def write(
        self, node: str, slot: str, shape: Shape, dtype: Any = FLOAT, last: bool = False
    ) -> Array:
        self.filled.add((node, slot))
        buffer = self.buffers.get((node, slot))
        if buffer is None:
            buffer = self.buffers[node, slot] = self._make((node, slot), shape, dtype, last)
            buffer.fill(0)
        return buffer

    def _make(self, name: Hashable, shape: Shape, dtype: Any, last: bool) -> Array:
        array = self.places.get(name)
        if array is None:
            array = empty(shape, dtype, last)
        self.made[name] = array
        return array

    def clear(self, node: str, slot: str) -> None:
        """The first contribution of the coming backward pass fills the buffer instead of adding to
        it.
        """
        self.filled.discard((node, slot))

    def gather(self, nodes: Sequence[str], slot: str) -> Array:
        """The vector of which all parameters' buffers are views."""
        return self.flat[slot]

    def load(self, node: str, key: str = "") -> None:
        """The loop copies the batch into the node's buffer before it replays; a micro-batch waits
        in a buffer of its own.
        """
        if key:
            target = self.buffers[node, VALUE]
            self.waiting[key] = np.zeros_like(target)
            self(np.positive, self.waiting[key], target)

    def scalar(self, name: str) -> Array:
        return self.scalars.setdefault(name, np.zeros((), FLOAT))

    def scratch(self, shape: Shape, dtype: Any = FLOAT, last: bool = False) -> Array:
        return self._make(len(self.made), shape, dtype, last)

    def addend(self, shape: Shape, dtype: Any = FLOAT, last: bool = False) -> Array:
        """One array serves all steps, for it is added up within the step."""
        if not shape:
            return self.scratch(shape, dtype, last)
        self._taken += 1
        name = (self._taken, shape, dtype, last)  # a step may need several
        if name not in self._addends:
            self._addends[name] = self.scratch(shape, dtype, last)
        return self._addends[name]

    def partial(self, array: Array) -> bool:
        return any(array is addend for addend in self._addends.values())

    def at(self, node: str) -> None:
        self.node, self._taken = node, 0

    def save(self, name: str, shape: Shape, dtype: Any = FLOAT) -> Array:
        return self.write(self.node, SAVED + name, shape, dtype)

    def saved(self, name: str) -> Array:
        return self.buffers[self.node, SAVED + name]

    def wants(self, node: str) -> bool:
        return node in self.wanted

    def contribute(self, source: str, target: str, operand: int, value: Array, first: bool) -> None:
        """Nothing to do: nobody watches."""
