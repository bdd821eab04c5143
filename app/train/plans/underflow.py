"""What float16 loses: the gradients in full precision beside those of a mixed-precision run."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import PARAMETER
from app.engine.types import GRAD, VALUE
from app.train.plans.mixed_precision import FOUND_INF, SCALE, SKIPPED, underflows
from app.train.run import Run
from app.train.spec import parse_spec


def underflow_view(run: Run, iteration: int) -> dict[str, Any]:
    """Where entries became 0 on the way, and whose gradients are 0 that should not be."""
    if run.spec.method.precision is None:
        raise BackstepError("needs a spec with precision float16", where="precision")
    graph, stepper = run.graph(iteration), run.stepper(iteration)
    start = dict(run.slots(iteration, 0))
    ends = [i for i, s in enumerate(stepper.plan) if s.phase in ("clip", "update", "update_scale")]
    scale = start.get((SCALE, VALUE))
    stepper.seek(ends[0] if ends else len(stepper.plan))
    half = stepper.slots
    full = _full_precision(run, iteration, start)
    rows = []
    for node in graph.kind(PARAMETER):
        mine, true = half[node.name, GRAD], full[node.name, GRAD]
        rows.append(
            {
                "node": node.name,
                "label": node.label,
                "lost": int(np.count_nonzero((mine == 0) & (true != 0))),
                "infinite": int(np.count_nonzero(~np.isfinite(mine))),
                "of": int(true.size),
                "largest": float(np.max(np.abs(true), initial=0.0)),
                "smallest": float(np.min(np.abs(true[true != 0]), initial=np.inf))
                if np.any(true)
                else 0.0,
            }
        )
    found = half.get((SCALE, FOUND_INF))
    skipped = start.get((SCALE, SKIPPED))
    return {
        "iteration": iteration,
        "loss_scale": None if scale is None else float(scale),
        "overflow": bool(found) if found is not None else False,
        "skipped_updates": 0 if skipped is None else int(skipped),
        "where": underflows(graph, half),
        "parameters": rows,
    }


def _full_precision(run: Run, iteration: int, start: dict[Any, Any]) -> dict[Any, Any]:
    """All slots after the backward pass of the same iteration without float16."""
    wide = Run(parse_spec({**run.spec.document, "precision": None}, run.spec.limits))
    stepper = wide._stepper(iteration, start)
    ends = [i for i, s in enumerate(stepper.plan) if s.phase in ("clip", "update")]
    stepper.seek(ends[0] if ends else len(stepper.plan))
    return stepper.slots
