"""Recorded calls made fewer: calls that are alike and do not wait for one another become one call
on arrays that lie side by side, such as the products of all steps of a sequence with one weight.

Every number stays the same to the last bit. Entry by entry only what is rounded exactly is taken
together, products of matrices only where this machine's `matmul` and `dot` agree in every bit, and
sums keep their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache, partial, reduce
from heapq import heapify, heappop, heappush
from operator import or_
from typing import Any

import numpy as np

from app.engine.memory import shared_places
from app.engine.rows import Memory, Rows
from app.engine.types import FLOAT, Array, Shape
from app.engine.versions import Line, Lines, Operand, before, once, sums, versions_of

FEWEST, MOST = 64, 2_400  # calls: few gain little, of many the search would be waited for
ALIKE = 8  # calls that are worth being made one
WORTH = 0.75  # of the calls may be left; to lay the arrays anew takes its time, too
SMALL = 8_192  # bytes of an array; for larger ones the arithmetic counts, not the call
TOGETHER = 1 << 20  # bytes of such arrays in one call; more would not stay in the cache
TRIES = 32  # numbers that have to be equal; one alone may be so by chance
EXACT: set[Any] = {
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.absolute, np.sqrt,
    np.square, np.maximum, np.minimum, np.greater, np.less, np.equal,
}  # fmt: skip
"""Functions of single entries that are rounded exactly, however many are taken at once."""

Group = tuple[int, ...]


def grouped(calls: Sequence[partial[Any]], made: Iterable[Array]) -> list[partial[Any]]:
    """The same arithmetic in fewer calls; `made` are arrays that nobody needs after them."""
    if not FEWEST <= len(calls) <= MOST:
        return list(calls)
    found = versions_of(calls, [a for a in made if a.nbytes <= SMALL])
    if len(found.versions) < ALIKE:
        return list(calls)
    once(found)
    sums(found)
    once(found)  # two sums may begin with the same
    made_one = Grouping(found)
    return made_one.calls() if len(made_one) < WORTH * len(calls) else list(calls)


class Grouping:
    """`groups` are the lines that are run as one. Sets of lines are whole numbers, a bit for each:
    `earlier[i]` are all that have to run before line i.
    """

    def __init__(self, found: Lines) -> None:
        self.found, self.lines = found, found.lines
        self.rows, self.needs = Rows(found.versions), before(found)
        self.groups: list[Group] = []
        self.earlier: list[int] = []
        for needs in self.needs:
            self.earlier.append(_union(1 << j | self.earlier[j] for j in needs))
        for line in self.lines:
            if line.function is None:
                self.rows.join([[x.version for x in line.operands[:-1]]], rising=True)
        for members in self._alike():
            self._try(members)

    def __len__(self) -> int:
        """How many calls it takes, if every sum can be taken at once."""
        return len(self.lines) - sum(len(group) - 1 for group in self.groups)

    def _alike(self) -> list[Group]:
        """Lines that differ only in which contents they read and write, and of which none waits
        for another.
        """
        kinds: dict[Hashable, list[int]] = defaultdict(list)
        for i, line in enumerate(self.lines):
            if line.out.version >= 0 and (line.function in EXACT or line.function is np.dot):
                kinds[line.function, tuple(map(self._form, line.operands))].append(i)
        return [
            part
            for members in kinds.values()
            if len(members) >= ALIKE
            for level in self._levels(members)
            for part in self._parts(level)
        ]

    def _form(self, x: Operand) -> Hashable:
        if x.version >= 0:
            return (*x[1:], *self.found.versions[x.version])
        return x if x.dtype is None else x[2:]

    def _levels(self, members: Sequence[int]) -> list[list[int]]:
        """Those before which equally many others of them have to run: none waits for another."""
        mine, found = _union(1 << i for i in members), defaultdict(list)
        for i in members:
            found[(self.earlier[i] & mine).bit_count()].append(i)
        return [level for level in found.values() if len(level) >= ALIKE]

    def _parts(self, members: Sequence[int]) -> list[Group]:
        """By the operands that many of them have in common, such as a weight."""
        columns = zip(*(self.lines[i].operands for i in members), strict=True)
        common = [len(set(column)) * ALIKE <= len(members) for column in columns]
        found = defaultdict(list)
        for i in members:
            operands = zip(self.lines[i].operands, common, strict=True)
            found[tuple(x for x, shared in operands if shared)].append(i)
        return [tuple(part) for part in found.values()]

    def _try(self, members: Group) -> None:
        """Make them one, or each half of them."""
        if len(members) < ALIKE or self._join(members):
            return
        half = len(members) // 2
        self._try(members[:half])
        self._try(members[half:])

    def _join(self, members: Group) -> bool:
        columns = self._columns(members)
        if len(members) * _bytes(columns[-1][0]) > TOGETHER or not self._evenly(columns):
            return False
        if self.lines[members[0]].function is np.dot:
            a, b, _ = columns
            if len(a[0].shape) == 1 and len(set(a)) > 1 or len(b[0].shape) != 2:
                return False
            forms = [(x[0].shape, x[0].strides, len(set(x)) > 1) for x in (a, b)]
            if {x[0].dtype for x in columns} != {FLOAT} or not _agree(len(members), *forms):
                return False
        mine = _union(1 << i for i in members)
        earlier = _union(self.earlier[i] for i in members)
        moving = [[x.version for x in c] for c in columns if c[0].version >= 0 and len(set(c)) > 1]
        if mine & earlier or not self.rows.join(moving):
            return False
        self.groups.append(members)
        for i, known in enumerate(self.earlier):
            if known & mine or mine >> i & 1:
                self.earlier[i] = known | earlier | (0 if mine >> i & 1 else mine)
        return True

    def _columns(self, members: Group) -> list[list[Operand]]:
        """Operand by operand, what it is in each line."""
        lines = [self.lines[i].operands for i in members]
        return [list(column) for column in zip(*lines, strict=True)]

    def _evenly(self, columns: Sequence[Sequence[Operand]]) -> bool:
        """Whether what lies in fixed memory is one thing, or lies in equal steps."""
        for column in columns:
            if column[0].version < 0:
                whole = {id(self.found.owners.get(x.start)) for x in column}
                steps = {b.start - a.start for a, b in zip(column, column[1:], strict=False)}
                if len(steps) > 1 or (len(whole) > 1 and steps != {0}):
                    return False
        return True

    def _order(self) -> list[Group]:
        """All lines in an order in which they can run, each group as one."""
        unit = {i: group for group in self.groups for i in group}
        units = [unit.get(i, (i,)) for i in range(len(self.lines))]
        waits = {one: {units[j] for i in one for j in self.needs[i]} for one in units}
        after: dict[Group, list[Group]] = defaultdict(list)
        for one, needs in waits.items():
            for other in needs:
                after[other].append(one)
        open_ = {one: len(needs) for one, needs in waits.items()}
        ready, found = [one for one, count in open_.items() if not count], list[Group]()
        heapify(ready)
        while ready:
            found.append(heappop(ready))
            for other in after[found[-1]]:
                open_[other] -= 1
                if not open_[other]:
                    heappush(ready, other)
        return found

    def calls(self) -> list[partial[Any]]:
        """Recorded anew, on arrays of which those that are not needed at the same time share
        memory.
        """
        used = [line.out.version for line in self.lines if line.out.version >= 0]
        memory = self.rows.lay(used)
        order = self._order()
        memory.arrays |= shared_places(self._recorded(order, memory), memory.arrays)
        return self._recorded(order, memory)

    def _recorded(self, order: Sequence[Group], memory: Memory) -> list[partial[Any]]:
        calls: list[partial[Any]] = []
        for group in order:
            line = self.lines[group[0]]
            if len(group) > 1:
                calls.append(_several(line, self._columns(group), memory))
            elif line.function is None:
                calls += _sum(line, memory)
            else:
                calls.append(
                    _call(line, line.function, [_array(line, i, memory) for i in _each(line)])
                )
        return calls


def _union(sets: Iterable[int]) -> int:
    """All that are in one of these sets."""
    return reduce(or_, sets, 0)


def _each(line: Line) -> range:
    return range(len(line.operands))


def _array(line: Line, i: int, memory: Memory) -> Any:
    x = line.operands[i]
    return memory.one(x) if x.version >= 0 else line.given[i]


def _call(line: Line, function: Any, given: Sequence[Any]) -> partial[Any]:
    *ins, out = given
    return partial(function, *ins, out=out) if line.keyword else partial(function, *ins, out)


def _sum(line: Line, memory: Memory) -> list[partial[Any]]:
    """All addends at once where they lie one behind the other, else one by one."""
    *addends, _ = line.operands
    out = line.given[-1]
    steps = {
        memory.step((a.version, b.version)) for a, b in zip(addends, addends[1:], strict=False)
    }
    one_row = len({memory.place[x.version][0] for x in addends}) == 1
    if one_row and steps == {1} and _in_order(len(addends), addends[0].shape):
        return [partial(total, memory.several(addends), out)]
    first, *others = map(memory.one, addends)
    return [partial(np.positive, first, out), *(partial(np.add, out, x, out) for x in others)]


def total(rows: Array, out: Array) -> None:
    """The sum over the first axis, row after row; it begins with −0, to which any number may be
    added and stays what it is.
    """
    np.add.reduce(rows, axis=0, out=out, initial=-0.0)


@lru_cache(maxsize=256)
def _in_order(count: int, shape: Shape) -> bool:
    """Whether NumPy adds so many rows one after the other: single numbers it adds in pairs."""
    out = np.empty(shape)
    tries = -(-TRIES // out.size)
    for rows in np.random.default_rng(count).normal(size=(tries, count, *shape)):
        total(rows, out)
        if out.tobytes() != np.asarray(reduce(np.add, rows)).tobytes():
            return False
    return True


def _several(line: Line, columns: Sequence[Sequence[Operand]], memory: Memory) -> partial[Any]:
    """One call for all lines of a group."""
    axes = max(len(column[0].shape) for column in columns)
    given = []
    for i, column in enumerate(columns):
        first = column[0]
        if len(set(column)) == 1:
            given.append(_array(line, i, memory))
            continue
        if first.version >= 0:
            array = memory.several(column)
        else:
            step = column[1].start - first.start
            shape, strides = (len(column), *first.shape), (step, *first.strides)
            array = np.lib.stride_tricks.as_strided(line.given[i], shape, strides)
        if line.function is not np.dot:
            array = array.reshape(len(column), *[1] * (axes - len(first.shape)), *first.shape)
        given.append(array)
    return _call(line, np.matmul if line.function is np.dot else line.function, given)


def _bytes(x: Operand) -> int:
    return int(np.prod(x.shape)) * int(x.dtype.itemsize)


@lru_cache(maxsize=256)
def _agree(count: int, a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Whether `matmul` of so many gives the bits that `dot` gives of each; `a` and `b` are shape,
    strides, and whether each product has its own.
    """
    rng = np.random.default_rng(count)
    left, right = (_noise(rng, count if own else 1, *form) for *form, own in (a, b))
    every = np.matmul(left if a[2] else left[0], right if b[2] else right[0])
    pairs = [(left[i if a[2] else 0], right[i if b[2] else 0]) for i in range(count)]
    return all(
        np.dot(x, y).tobytes() == z.tobytes() for (x, y), z in zip(pairs, every, strict=True)
    )


def _noise(rng: np.random.Generator, count: int, shape: Shape, strides: tuple[int, ...]) -> Array:
    """Random matrices that lie in memory as those do that they stand for."""
    size = sum((n - 1) * abs(s) for n, s in zip(shape, strides, strict=True)) // FLOAT.itemsize + 1
    whole = rng.normal(size=(count, size))
    start = sum((1 - n) * s for n, s in zip(shape, strides, strict=True) if s < 0)
    steps = (whole.strides[0], *strides)
    return np.ndarray((count, *shape), FLOAT, whole, start, steps)
