"""Which samples an iteration sees. Chance is an input: the order of an epoch follows from the seed
and the epoch's number, what augmentation does to a batch from the seed and the iteration's.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from app.engine.types import INT, Array
from app.train.augment import Augment
from app.train.scaling import Scaling


@dataclass
class Batches:
    """Samples in batches; the last, smaller one is kept. Edits replace rows from then on.

    Inputs are as the network sees them: standardised by `scaling`, if there is one.
    """

    inputs: Array
    targets: Array
    batch_size: int
    shuffle: bool = False
    seed: int = 0
    validation: tuple[Array, Array] | None = None
    scaling: Scaling | None = None
    augment: Augment | None = None
    _edits: list[tuple[int, str, Array]] = field(default_factory=list)
    _ordered: tuple[object, dict[str, Array]] = (None, {})

    def whole_inputs(self) -> None:
        """From now on inputs are whole numbers."""
        self.inputs = self.inputs.astype(INT)
        if self.validation is not None:
            self.validation = self.validation[0].astype(INT), self.validation[1]

    @property
    def samples(self) -> int:
        return len(self.inputs)

    @cached_property
    def count(self) -> int:
        """Batches in an epoch."""
        return -(-self.samples // self.batch_size)

    def epoch(self, iteration: int) -> int:
        return iteration // self.count

    def size(self, iteration: int) -> int:
        """How many samples this iteration's batch has."""
        first = (iteration % self.count) * self.batch_size
        return min(self.batch_size, self.samples - first)

    def order(self, epoch: int) -> Array:
        """The numbers of all samples in the order in which this epoch sees them."""
        if not self.shuffle:
            return np.arange(self.samples)
        return np.random.default_rng([self.seed, 1, epoch]).permutation(self.samples)

    def rows(self, iteration: int) -> Array:
        """The numbers of the samples in this iteration's batch."""
        first = (iteration % self.count) * self.batch_size
        last = first + self.size(iteration)
        if not self.shuffle:
            return np.arange(first, last)
        return self.order(self.epoch(iteration))[first:last]

    def pause(self, iteration: int) -> int:
        """Up to where batches have one size, but no further than the epoch's end if it is then
        validated.
        """
        uneven = self.samples % self.batch_size > 0 and self.count > 1
        if self.validation is None and not uneven:
            return sys.maxsize
        end = (self.epoch(iteration) + 1) * self.count
        return end - 1 if uneven and iteration < end - 1 else end

    def whole(self, iteration: int, which: str) -> Array:
        """All inputs or targets as they stand at this iteration, edits included."""
        array = self.inputs if which == "input" else self.targets
        for since, name, edited in self._edits:
            if since <= iteration and name == which:
                array = edited
        return array

    def feed(self, iteration: int) -> dict[str, Array]:
        first = iteration % self.count * self.batch_size
        last = first + self.batch_size
        fed = {which: rows[first:last] for which, rows in self.ordered(iteration).items()}
        if self.augment is not None and not self._set(iteration):
            rng = np.random.default_rng([self.seed, 5, iteration])
            fed["input"] = self.augment.drawn(fed["input"], self._paper, rng)
        return fed

    def _set(self, iteration: int) -> bool:
        """Whether somebody gave this very batch its inputs: then they are left alone."""
        return any(since == iteration and which == "input" for since, which, _ in self._edits)

    @property
    def _paper(self) -> Array:
        """What 0 is for the network, in each channel of a picture."""
        channels = np.zeros((self.inputs.shape[1], 1, 1))
        return channels if self.scaling is None else self.scaling.apply(channels)

    def ordered(self, iteration: int) -> dict[str, Array]:
        """All samples in the order of this iteration's epoch: its batches are their slices."""
        key = (
            iteration // self.count if self.shuffle else 0,
            self.fixed(iteration) if self._edits else 0,
        )
        known, found = self._ordered
        if known != key:
            found = {which: self.whole(iteration, which) for which in ("input", "target")}
            if self.shuffle:
                order = self.order(key[0])
                found = {which: rows[order] for which, rows in found.items()}
            found = {which: rows.view() for which, rows in found.items()}
            for rows in found.values():
                rows.flags.writeable = False
            self._ordered = key, found
        return found

    def seen(self, iteration: int) -> int:
        """Samples seen before this iteration."""
        epochs, batch = divmod(iteration, self.count)
        return epochs * self.samples + batch * self.batch_size

    def edit(self, iteration: int, which: str, value: Array) -> None:
        """From this iteration on, its batch's rows hold `value`."""
        array = self.whole(iteration, which).copy()
        array[self.rows(iteration)] = value
        self._edits = [e for e in self._edits if (e[0], e[1]) != (iteration, which)]
        self._edits.append((iteration, which, array))
        self._ordered = (None, {})

    def forget(self, iteration: int) -> None:
        """Drop the edits that start after this iteration."""
        self._ordered = (None, {})
        self._edits = [e for e in self._edits if e[0] <= iteration]

    def fixed(self, iteration: int) -> int:
        """A number that changes only when the data differ from the iteration before."""
        return sum(1 for since, _, _ in self._edits if since <= iteration)
