"""What of a long run is remembered: its state at spaced iterations, and where somebody was last.
The spacing grows with the run, so that the memory does not.
"""

from __future__ import annotations

from collections import OrderedDict

from app.engine.types import Array, Slot

SNAPSHOTS = 64
LATEST = 4
FIRST_SPACING = 256

Slots = dict[Slot, Array]


class Snapshots:
    """States at the start of iterations, at most so many bytes of spaced ones (but at least 4)."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.spacing = FIRST_SPACING
        self._spaced: dict[int, Slots] = {}
        self._latest: OrderedDict[int, Slots] = OrderedDict()

    def __len__(self) -> int:
        return len(self._spaced)

    def __contains__(self, iteration: int) -> bool:
        return iteration in self._spaced or iteration in self._latest

    def nearest(self, iteration: int) -> tuple[int, Slots] | None:
        """The last one that is known up to there."""
        known = [i for i in (*self._spaced, *self._latest) if i <= iteration]
        if not known:
            return None
        base = max(known)
        return base, self._spaced[base] if base in self._spaced else self._latest[base]

    def spaced(self, iteration: int) -> int:
        """The last of the spaced ones up to there."""
        return max((i for i in self._spaced if i <= iteration), default=0)

    def due(self, iteration: int) -> bool:
        return iteration % self.spacing == 0

    def next(self, iteration: int) -> int:
        """The next iteration that is to be kept."""
        return (iteration // self.spacing + 1) * self.spacing

    def keep(self, iteration: int, slots: Slots) -> None:
        """A spaced one; when there are too many, every other one goes and the spacing doubles."""
        if iteration in self._spaced:
            return
        self._spaced[iteration] = slots
        size = sum(value.nbytes for value in slots.values())
        limit = max(4, min(SNAPSHOTS, self.most_bytes // max(1, size)))
        while len(self._spaced) > limit:
            self.spacing *= 2
            self._spaced = {i: s for i, s in self._spaced.items() if i % self.spacing == 0}

    def latest(self, iteration: int, slots: Slots) -> None:
        """Where somebody was just now."""
        if iteration in self._spaced:
            return
        self._latest[iteration] = slots
        self._latest.move_to_end(iteration)
        while len(self._latest) > LATEST:
            self._latest.popitem(last=False)

    def forget(self, iteration: int) -> None:
        """All from there on."""
        self._spaced = {i: s for i, s in self._spaced.items() if i < iteration}
        self._latest = OrderedDict((i, s) for i, s in self._latest.items() if i < iteration)
