"""The other plans as they are listed: under which field of a spec each is asked for, and what may
stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from app.train.arguments import option
from app.train.plans.accumulation import MOST
from app.train.plans.fusing import Fused
from app.train.plans.mixed_precision import Precision
from app.train.plans.penalty import Penalty


@dataclass(frozen=True)
class Listed:
    """A row; its fields are what the spec's field takes, or the field itself if it has its name."""

    summary: ClassVar[str] = ""


@dataclass(frozen=True)
class Accumulate(Listed):
    accumulate: int = option(1, f"micro-batches of an iteration, 1 to {MOST}: a whole number")
    summary = "computes a large batch in small parts whose gradients add up before the update"


@dataclass(frozen=True)
class Checkpoint(Listed):
    checkpoint: Any = option(
        None, "keep the values of every so many layers: a whole number; or a list of nodes to keep"
    )
    summary = "drops values after the forward pass and computes them again for the backward pass"


@dataclass(frozen=True)
class Fault(Listed):
    type: str = option(summary="in_place or naive_recursion")
    node: str = option("", "in_place: the node whose value is overwritten")
    after: str = option("", "in_place: the node after whose step that happens")
    repaired: bool = option(False, "in_place: write the new value beside the old one")
    summary = "a mistake to look at: a value overwritten too early, gradients passed on too early"


@dataclass(frozen=True)
class ForwardMode(Listed):
    node: str = option(summary="the parameter or input that moves")
    index: list[int] | None = option(None, "which of its numbers; null: the first")
    summary = "how every node moves along when one number does: one pass, no way back"


@dataclass(frozen=True)
class Scalars(Listed):
    scalars: bool = option(False, "true: every entry of every array is a node")
    summary = "the graph taken apart into multiplications and additions of single numbers"


PLANS: dict[str, type[Any]] = {
    "accumulate": Accumulate,
    "checkpoint": Checkpoint,
    "precision": Precision,
    "regularisation": Penalty,
    "fused": Fused,
    "fault": Fault,
    "forward_mode": ForwardMode,
    "scalars": Scalars,
}
"""In the order of `app.train.plans.method.FIELDS`."""
