"""How the gradients of an iteration are computed: what a spec says about its plan, in one place.

Penalties, casts and scaled losses change the graph (`rewrites`); micro-batches, checkpoints and
faults change the order of steps over it. All may be combined, except those in `ALONE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.engine.errors import BackstepError
from app.engine.graph import Graph
from app.engine.plan import Step, backward_steps, forward_steps
from app.engine.types import Array
from app.train.plans.accumulation import Share, parse_accumulate
from app.train.plans.checkpointing import Checkpoint, checkpointed, parse_checkpoint
from app.train.plans.faults import Fault, naive_plan, parse_fault
from app.train.plans.forward_mode import ForwardMode, parse_forward_mode
from app.train.plans.fusing import WITHOUT, Fused, parse_fused
from app.train.plans.mixed_precision import Precision, parse_precision
from app.train.plans.penalty import Penalty, parse_penalty

ALONE = ("fault", "forward_mode", "scalars")
"""Fields that go with no other plan, nor with each other."""

FIELDS = ("accumulate", "checkpoint", "precision", "regularisation", "fused", *ALONE)


class Rewrite(Protocol):
    """A change of the graph: the new one, and the numbers of the leaves that it brings."""

    def rewrite(self, old: Graph) -> tuple[Graph, Mapping[str, Array]]: ...


@dataclass(frozen=True)
class Method:
    """The plain method is all defaults."""

    accumulate: int = 1
    checkpoint: Checkpoint | None = None
    precision: Precision | None = None
    penalty: Penalty | None = None
    fused: Fused | None = None
    fault: Fault | None = None
    forward_mode: ForwardMode | None = None
    scalars: bool = False

    @property
    def rewrites(self) -> list[Rewrite]:
        """In the order in which they are made."""
        share = Share(self.accumulate) if self.accumulate > 1 else None
        every = (self.penalty, self.fault, share, self.precision)
        return [rewrite for rewrite in every if rewrite is not None]

    def trained_fused(self, iteration: int) -> bool | None:
        """Whether recurrent layers are trained as one op there; None: as each of them says."""
        return True if self.fused is not None and self.fused.at(iteration) else None

    @property
    def shown_fused(self) -> bool | None:
        """The same of what is shown; numbers can only be taken apart step by step."""
        if self.scalars:
            return False
        return None if self.fused is None else self.fused.shown

    @property
    def overwrites(self) -> bool:
        """Whether a value is overwritten in place."""
        fault = self.fault
        return fault is not None and fault.type == "in_place" and not fault.repaired

    @property
    def stepped(self) -> bool:
        """Whether full speed has no form of this plan."""
        return self.overwrites or self.forward_mode is not None

    @property
    def scaler(self) -> Precision | None:
        """The precision, where the loss is scaled."""
        p = self.precision
        return p if p is not None and p.loss_scale is not None else None

    def passes(self, graph: Graph) -> list[Step]:
        """Forward, loss and backward of one (micro-)batch."""
        if self.fault is not None and self.fault.type == "naive_recursion":
            return naive_plan(graph)
        if self.checkpoint is not None:
            return checkpointed(graph, self.checkpoint)
        return forward_steps(graph) + backward_steps(graph)


PLAIN = Method()


def parse_method(given: Mapping[str, Any]) -> Method:
    """The parts of a spec that change its plan."""
    method = Method(
        parse_accumulate(given.get("accumulate")),
        parse_checkpoint(given.get("checkpoint")),
        parse_precision(given.get("precision")),
        parse_penalty(given.get("regularisation")),
        parse_fused(given.get("fused")),
        parse_fault(given.get("fault")),
        parse_forward_mode(given.get("forward_mode")),
        parse_scalars(given.get("scalars")),
    )
    for name in ALONE:
        others = [o for o in ("accumulate", "checkpoint", "precision", *ALONE) if o != name]
        other = next((o for o in others if given.get(o)), None)
        if given.get(name) and other is not None:
            raise BackstepError(f"is shown without {other}", where=name)
    for name in WITHOUT if method.fused is not None else ():
        if given.get(name) is not None:
            raise BackstepError(f"is for training without {name}", where="fused")
    return method


def parse_scalars(given: Any) -> bool:
    """Whether every entry is a node."""
    if given is not None and not isinstance(given, bool):
        raise BackstepError(f"must be true or false: {given!r}", where="scalars")
    return bool(given)
