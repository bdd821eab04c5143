"""Walks a plan one step at a time, ahead and back. Nothing is written over: a step back puts the
former arrays in place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.engine.kernel import Eager, Record
from app.engine.plan import Step
from app.engine.types import Array, Slot


class Stepper:
    """One iteration's plan over a set of slots; `records[i]` is what step i wrote."""

    def __init__(
        self,
        plan: Sequence[Step],
        slots: Mapping[Slot, Array],
        feed: Mapping[str, Array],
        scalars: Mapping[str, float],
    ) -> None:
        self.plan, self.slots = plan, dict(slots)
        self.feed, self.scalars = feed, scalars
        self.records: list[Record] = []

    @property
    def position(self) -> int:
        return len(self.records)

    def step(self) -> Record:
        """Run the next step."""
        kernel = Eager(self.slots, self.feed, self.scalars)
        try:
            with np.errstate(all="ignore"):
                self.plan[self.position].run(kernel)
        except BaseException:
            self._restore(kernel.record)
            raise
        self.records.append(kernel.seal())
        return self.records[-1]

    def back(self) -> Record:
        """Undo the last step."""
        record = self.records.pop()
        self._restore(record)
        return record

    def _restore(self, record: Record) -> None:
        for slot, former in record.former.items():
            if former is None:
                self.slots.pop(slot, None)
            else:
                self.slots[slot] = former

    def seek(self, position: int) -> None:
        """Step ahead or back until `position` steps are done."""
        while self.position < position:
            self.step()
        while self.position > position:
            self.back()
