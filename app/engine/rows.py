"""Which contents are to lie side by side in memory, each beside the one that comes before and after
it in every call that takes them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from app.engine.types import Array, Shape
from app.engine.versions import Operand, Type


class Rows:
    """Versions are numbered; `kinds` tells the shape and type of each."""

    def __init__(self, kinds: Sequence[tuple[Shape, Type]]) -> None:
        self.kinds = kinds
        self._beside: dict[int, list[int]] = {}
        self._rising: list[tuple[int, int]] = []

    def join(self, wanted: Sequence[Sequence[int]], *, rising: bool = False) -> bool:
        """Lay the versions of each list side by side, in this order or the opposite one (`rising`:
        in this one, if it can be); or leave all as it was.
        """
        for versions in wanted:
            kinds = {self.kinds[v] for v in versions}
            if len(kinds) > 1 or len(set(versions)) < len(versions):
                return False
        new: list[tuple[int, int]] = []
        for a, b in (pair for versions in wanted for pair in pairwise(versions)):
            mine, others = self._beside.setdefault(a, []), self._beside.setdefault(b, [])
            if b in mine:
                continue
            if len(mine) > 1 or len(others) > 1 or self._end(a) == b:
                for one, other in reversed(new):
                    self._beside[one].pop()
                    self._beside[other].pop()
                return False
            mine.append(b)
            others.append(a)
            new.append((a, b))
        self._rising += [(versions[0], versions[-1]) for versions in wanted if rising]
        return True

    def _end(self, first: int) -> int:
        """The other end of the row that begins with this version."""
        last, here = -1, first
        while following := [v for v in self._beside.get(here, ()) if v != last]:
            last, here = here, following[0]
        return here

    def lay(self, used: Sequence[int]) -> Memory:
        """An array for each row, and for each of the other versions."""
        rows: list[list[int]] = []
        place: dict[int, tuple[int, int]] = {}
        starts = [v for v in used if len(self._beside.get(v, ())) < 2]
        for start in starts:
            if start in place:
                continue
            row = [start]
            while following := [v for v in self._beside.get(row[-1], ()) if v not in row[-2:]]:
                row += following
            place |= {v: (len(rows), i) for i, v in enumerate(row)}
            rows.append(row)
        for a, b in self._rising:
            (number, i), (_, j) = place[a], place[b]
            if i > j:
                rows[number].reverse()
                place |= {v: (number, k) for k, v in enumerate(rows[number])}
        kinds = [self.kinds[row[0]] for row in rows]
        arrays = {
            n: np.empty((len(row), *shape), dtype)
            for n, (row, (shape, dtype)) in enumerate(zip(rows, kinds, strict=True))
        }
        return Memory(place, arrays)


class Memory:
    """Where each version lies: in which of the arrays, and at which place of it."""

    def __init__(self, place: dict[int, tuple[int, int]], arrays: dict[int, Array]) -> None:
        self.place, self.arrays = place, arrays

    def one(self, x: Operand) -> Array:
        """The operand there."""
        number, i = self.place[x.version]
        array = self.arrays[number]
        start = i * array[0].nbytes + x.start
        return np.ndarray(x.shape, x.dtype, array, start, x.strides)

    def step(self, versions: Sequence[int]) -> int:
        """1 where these lie one behind the other, −1 in the opposite order."""
        return self.place[versions[1]][1] - self.place[versions[0]][1]

    def several(self, column: Sequence[Operand]) -> Array:
        """Operands that lie side by side, as one array with one more axis."""
        first = column[0]
        number, i = self.place[first.version]
        array = self.arrays[number]
        size = array[0].nbytes
        step = size * self.step([x.version for x in column])
        shape = (len(column), *first.shape)
        return np.ndarray(shape, first.dtype, array, i * size + first.start, (step, *first.strides))
