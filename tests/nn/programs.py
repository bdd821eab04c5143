"""A program's graph walked once forward and backward, without a session around it."""

from __future__ import annotations

from typing import Any

from app.engine.plan import backward_steps, forward_steps
from app.engine.stepper import Stepper
from app.nn.program import Program


def run(program: Program) -> dict[tuple[str, str], Any]:
    """Every slot after a forward and a backward pass."""
    plan = forward_steps(program.graph) + backward_steps(program.graph)
    start = {(name, "value"): value for name, value in program.values.items()}
    stepper = Stepper(plan, start, {}, {})
    stepper.seek(len(plan))
    return stepper.slots
