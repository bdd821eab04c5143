"""What was set by hand: a leaf as a whole, or some of its entries over what stands there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.engine.types import VALUE, Array
from app.train.snapshots import Slots

Entries = dict[tuple[int, ...], float]


def sealed(array: Array) -> Array:
    array.flags.writeable = False
    return array


class Edits:
    """By iteration, at whose start they count."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, tuple[Array | None, Entries]]] = {}

    def iterations(self) -> list[int]:
        return list(self._known)

    def put(self, iteration: int, name: str, value: Array) -> None:
        """All of a leaf; entries set before are gone."""
        self._known.setdefault(iteration, {})[name] = (sealed(value), {})

    def put_entries(self, iteration: int, name: str, entries: Entries) -> None:
        """Some entries, over those that were set before."""
        here = self._known.setdefault(iteration, {})
        whole, before = here.get(name, (None, {}))
        here[name] = (whole, before | entries)

    def over(self, iteration: int, slots: Mapping[tuple[str, str], Array]) -> Slots:
        """The slots that the edits of this iteration put in place of those."""
        found: Slots = {}
        for name, (whole, entries) in self._known.get(iteration, {}).items():
            value = slots[name, VALUE] if whole is None else whole
            if entries:
                value = np.array(value)
                for index, number in entries.items():
                    value[index] = number
            found[name, VALUE] = sealed(value)
        return found

    def drop(self, iteration: int) -> None:
        """Those of this iteration."""
        self._known.pop(iteration, None)

    def forget(self, iteration: int) -> None:
        """Those after it."""
        self._known = {i: known for i, known in self._known.items() if i <= iteration}
