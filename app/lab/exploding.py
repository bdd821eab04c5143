"""Where a run broke: the first step that wrote a number that is not finite, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.engine.kernel import Record
from app.engine.plan import Backward, Forward, Step
from app.engine.types import GRAD, VALUE, Array, Slot
from app.render import numbers
from app.train.run import Run


@dataclass(frozen=True)
class Break:
    """The step (plan index) and the node and slot that it wrote; `why` in words."""

    iteration: int
    step: int
    node: str
    slot: str
    why: str


def first_break(run: Run, iteration: int) -> Break | None:
    """The first non-finite write of this iteration or of the one before, whose update may have
    made the first bad number.
    """
    for i in (iteration - 1, iteration):
        if i < 0:
            continue
        stepper = run.stepper(i)
        stepper.seek(0)
        while stepper.position < len(stepper.plan):
            before = dict(stepper.slots)
            step = stepper.plan[stepper.position]
            record = stepper.step()
            for (node, slot), value in record.writes.items():
                if value is not None and slot in (VALUE, GRAD) and not np.isfinite(value).all():
                    why = _why(step, (node, slot), before, record, value)
                    return Break(i, stepper.position - 1, node, slot, why)
    return None


def _why(step: Step, slot: Slot, before: dict[Slot, Array], record: Record, value: Array) -> str:
    """What went in decides: a bad number that came in, one that is too large, or a hole of the
    function itself.
    """
    if isinstance(step, Forward | Backward):
        node = step.graph_node
        operands = [(name, before[name, VALUE]) for name in node.inputs if (name, VALUE) in before]
        bad = [name for name, operand in operands if not np.isfinite(operand).all()]
        if bad:
            return f"{bad[0]} came in with a value that is no finite number"
        name, top = max(((n, _top(x)) for n, x in operands), key=lambda pair: pair[1])
        kind = node.op_name or ""
        if kind == "log" and any(np.any(x <= 0) for _, x in operands):
            return f"log has no value at {numbers.text(_lowest(operands))}"
        if kind in ("bce", "nll"):
            return f"the logarithm in the loss met a prediction outside (0, 1) in {name}"
        if kind in ("div", "reciprocal") and any(np.any(x == 0) for _, x in operands):
            return "it divides by 0"
        if kind == "sqrt":
            return f"the root has no value or no slope at {numbers.text(_lowest(operands))}"
        if kind == "exp":
            return f"e to the power of {numbers.text(top)} is too large for a float64"
        if isinstance(step, Backward):
            upstream = _top(before.get((node.name, GRAD), np.ones(())))
            return (
                f"the gradient that arrives is up to {numbers.text(upstream)}, the operands up to "
                f"{numbers.text(top)}: their product is too large for a float64"
            )
        return f"{name} has grown to {numbers.text(top)}: the result is too large for a float64"
    gradient = before.get((slot[0], GRAD))
    if slot[1] == VALUE and gradient is not None:
        return (
            f"the step was rate times a gradient of up to {numbers.text(_top(gradient))}, "
            "too large for a float64"
        )
    return "the number that it made is too large for a float64"


def _top(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def _lowest(operands: list[tuple[str, Array]]) -> float:
    return min((float(np.min(x, initial=math.inf)) for _, x in operands), default=math.nan)
