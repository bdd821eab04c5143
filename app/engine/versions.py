"""Recorded calls as lines that name contents instead of memory: each time that an array is written
anew its content is a *version* of its own, so that lines may be moved, left out or made one.

Only small arrays that nobody asks for after the calls are told apart so, and only where every call
that writes them writes all of them; all other memory stays where it is, and is a matter of order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from app.engine.types import Array, Shape, owner

FIXED, OTHER = -1, -2
Type = np.dtype[Any]
ADDENDS = 3  # so many at least are added up at once


class Operand(NamedTuple):
    """A view of a version, `start` bytes behind its first; of FIXED memory, where `start` is an
    address; or an OTHER thing, known by its id.
    """

    version: int
    start: int
    shape: Shape = ()
    strides: tuple[int, ...] = ()
    dtype: Any = None


@dataclass
class Line:
    """A call; what each operand is, the last one being where it writes; and the things themselves.
    Without a function it is a sum: all operands but the last, added up in their order.
    """

    function: Callable[..., Any] | None
    operands: list[Operand]
    given: list[Any]
    keyword: bool = False

    @property
    def out(self) -> Operand:
        return self.operands[-1]


@dataclass
class Lines:
    """`versions` tells the shape and type of each version."""

    lines: list[Line]
    versions: list[tuple[Shape, Type]]
    owners: dict[int, Any] = field(default_factory=dict)

    def fresh(self, shape: Shape, dtype: Type) -> int:
        self.versions.append((shape, dtype))
        return len(self.versions) - 1


def plain(function: Any) -> bool:
    """Whether the function writes all of its last operand, and reads the others alone."""
    if function is np.dot:
        return True
    return isinstance(function, np.ufunc) and function.signature is None and function.nout == 1


def versions_of(calls: Sequence[partial[Any]], passing: Iterable[Array]) -> Lines:
    """The calls as lines."""
    mine = {id(a): a for a in passing if a.base is None and a.ndim and a.flags.c_contiguous}
    written: set[int] = set()
    for call in calls:
        *ins, out = (*call.args, *call.keywords.values())
        for x in ins:
            if (key := id(owner(x))) not in written:
                mine.pop(key, None)
        key = id(owner(out))
        whole = key in mine and out.nbytes == mine[key].nbytes and out.flags.c_contiguous
        if not (whole and plain(call.func)):
            mine.pop(key, None)
        written.add(key)
    found, now = Lines([], []), dict[int, int]()
    for call in calls:
        given = [*call.args, *call.keywords.values()]
        operands = [_operand(x, mine, now, found) for x in given[:-1]]
        key = id(owner(given[-1]))
        if key in mine:
            now[key] = found.fresh(mine[key].shape, mine[key].dtype)
        operands.append(_operand(given[-1], mine, now, found))
        found.lines.append(Line(call.func, operands, given, bool(call.keywords)))
    return found


def _operand(x: Any, mine: dict[int, Array], now: dict[int, int], found: Lines) -> Operand:
    if not isinstance(x, np.ndarray):
        return Operand(OTHER, id(x))
    whole, start = owner(x), x.__array_interface__["data"][0]
    version = now.get(id(whole), FIXED) if id(whole) in mine else FIXED
    if version == FIXED:
        found.owners[start] = whole
    else:
        start -= whole.__array_interface__["data"][0]
    return Operand(version, start, x.shape, x.strides, x.dtype)


def once(found: Lines) -> None:
    """Leave out what is computed a second time from the same contents, and copies of versions."""
    same: dict[int, int] = {}
    epochs: dict[int, int] = {}
    known: dict[Any, Operand] = {}
    kept: list[Line] = []

    def now(x: Operand) -> Operand:
        return x._replace(version=same[x.version]) if x.version in same else x

    for line in found.lines:
        line.operands = [now(x) for x in line.operands]
        *ins, out = line.operands
        if out.version == FIXED:
            key = id(found.owners[out.start])
            epochs[key] = epochs.get(key, 0) + 1
        elif plain(line.function):
            ages = [epochs.get(id(found.owners[x.start]), 0) for x in ins if x.version == FIXED]
            told = (line.function, *ins, *ages, out._replace(version=0))
            equal = known.setdefault(told, out)
            if line.function is np.positive and ins[0]._replace(version=out.version) == out:
                equal = ins[0] if ins[0].version >= 0 else equal
            if equal is not out:
                same[out.version] = equal.version
                continue
        kept.append(line)
    found.lines = kept


def sums(found: Lines) -> None:
    """What is filled once and then added to again and again, with nobody looking in between, is one
    sum of all its addends, in the same order.
    """
    adds = Counter(
        line.out
        for line in found.lines
        if line.function is np.add and line.out.version == FIXED and line.out == line.operands[0]
    )
    touching: dict[int, list[int]] = {}
    for i, line in enumerate(found.lines):
        for key in {id(found.owners[x.start]) for x in line.operands if x.version == FIXED}:
            touching.setdefault(key, []).append(i)
    made: dict[int, Line] = {}
    gone: set[int] = set()
    for place, count in adds.items():
        if count >= ADDENDS and place.shape:
            _sum(found, place, touching[id(found.owners[place.start])], made, gone)
    found.lines = [made.get(i, line) for i, line in enumerate(found.lines) if i not in gone]


def _sum(
    found: Lines, place: Operand, lines: Sequence[int], made: dict[int, Line], gone: set[int]
) -> None:
    """The sums into one place; `lines` are those that touch the memory around it. What is to stand
    for a line goes into `made`, which lines are to go into `gone`.
    """
    low, high = reach(place)
    first: int | None = None
    early: list[int] = []
    adds: list[int] = []

    def close() -> None:
        if first is None or len(adds) < ADDENDS:
            return
        start = found.lines[first]
        fresh = found.fresh(place.shape, place.dtype)
        filled = Operand(fresh, 0, place.shape, place.strides, place.dtype)
        start.operands[-1] = filled
        for i in early:
            line = found.lines[i]
            line.operands = [filled if x == place else x for x in line.operands]
        addends = [found.lines[i].operands[1] for i in adds]
        target = found.lines[adds[-1]].given[-1]
        made[adds[-1]] = Line(None, [filled, *addends, place], [target])
        gone.update(adds[:-1])

    for i in lines:
        line = found.lines[i]
        touched = [x for x in line.operands if _touches(x, low, high)]
        if not touched:
            continue
        if first is not None and touched == [place, place] and _adds(line, place):
            adds.append(i)
        elif first is not None and not adds and set(touched) == {place} and line.out != place:
            early.append(i)
        else:
            close()
            begins = line.out == place and plain(line.function) and touched == [place]
            first, early, adds = (i if begins else None), [], []
    close()


def _adds(line: Line, place: Operand) -> bool:
    """Whether the line adds a whole version to what stands there."""
    if line.function is not np.add:
        return False
    old, value, out = line.operands
    return old == out == place and value.version >= 0 and value[1:] == (0, *place[2:])


def _touches(x: Operand, low: int, high: int) -> bool:
    if x.version != FIXED:
        return False
    first, last = reach(x)
    return first < high and last > low


@lru_cache(maxsize=4096)
def reach(x: Operand) -> tuple[int, int]:
    """From which address to which an operand in fixed memory lies."""
    low = x.start + sum((n - 1) * s for n, s in zip(x.shape, x.strides, strict=True) if s < 0)
    high = x.start + sum((n - 1) * s for n, s in zip(x.shape, x.strides, strict=True) if s > 0)
    return low, high + int(x.dtype.itemsize)


def before(found: Lines) -> list[set[int]]:
    """For each line those that have to run before it."""
    changed = {
        id(found.owners[line.out.start]) for line in found.lines if line.out.version == FIXED
    }
    made: dict[int, int] = {}
    memory: dict[int, dict[tuple[int, int], tuple[int | None, list[int]]]] = {}
    needs: list[set[int]] = []
    for i, line in enumerate(found.lines):
        need: set[int] = set()
        for last, x in zip([False] * (len(line.operands) - 1) + [True], line.operands, strict=True):
            if x.version >= 0:
                if last:
                    made[x.version] = i
                else:
                    need.add(made[x.version])
                continue
            if x.version == OTHER or id(found.owners[x.start]) not in changed:
                continue
            known, here = memory.setdefault(id(found.owners[x.start]), {}), reach(x)
            for there, (writer, readers) in known.items():
                if there[0] < here[1] and there[1] > here[0]:
                    need.update([] if writer is None else [writer])
                    need.update(readers if last else ())
            if last:
                known[here] = i, []
            else:
                known.setdefault(here, (None, []))[1].append(i)
        need.discard(i)
        needs.append(need)
    return needs
