"""What a check is: one row of the doctor's table, and the signs that it may find."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.lab.evidence import Evidence
from app.render import numbers


@dataclass(frozen=True)
class Sign:
    """One place where a check's threshold is passed: `says` is the cause in words, `measured` the
    number that stands against the threshold, `step` the plan index to look at. `cures`, and what is
    measured against which threshold, are named where they differ from the check's own; `until` is
    where training had better ended.
    """

    says: str
    measured: float
    iteration: int
    node: str | None = None
    layer: str | None = None
    step: int | None = None
    cures: tuple[str, ...] | None = None
    until: int | None = None
    measures: str | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Check:
    """A row: what it looks at, from where on it speaks up, who says so, and what helps. `measures`
    names the number that is held against the threshold; sick is above it, or else below; `share`
    is told in percent.
    """

    name: str
    title: str
    looks_at: str
    threshold: float
    source: str
    cures: tuple[str, ...]
    find: Callable[[Evidence, float], Iterable[Sign]]
    measures: str
    above: bool = True
    share: bool = False

    def compared(self, sign: Sign) -> str:
        """The measured number against its threshold, in words."""
        name = self.measures if sign.measures is None else sign.measures
        limit = self.threshold if sign.threshold is None else sign.threshold
        if sign.measured == math.inf:
            return f"{name}: none may be there"
        side = "above" if self.above else "below"
        return f"{name} = {self.written(sign.measured)}; sick {side} {self.written(limit)}"

    def written(self, value: float) -> str:
        return f"{numbers.text(100 * value)} %" if self.share else numbers.text(value)


def layer_of(evidence: Evidence, name: str) -> str | None:
    """The layer that a node belongs to; a program has none."""
    node = evidence.graph.nodes.get(name)
    return node.scope or None if node is not None else None
