"""The figure for gradient accumulation: what every micro-batch adds, the sum, and beside it the
gradient of the large batch, computed by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import PARAMETER
from app.engine.types import GRAD, Array
from app.train.plans.accumulation import loss_of, share
from app.train.run import Run
from app.train.spec import parse_spec

MOST_ENTRIES = 4096


def accumulation_proof(run: Run, iteration: int) -> dict[str, Any]:
    """Both runs start this iteration from the same parameters."""
    parts = run.spec.method.accumulate
    if parts < 2:
        raise BackstepError("needs a spec with accumulate of at least 2", where="accumulate")
    graph = run.graph(iteration)
    stepper = run.stepper(iteration)
    start = dict(run.slots(iteration, 0))
    terms: dict[str, list[Array]] = {node.name: [] for node in graph.kind(PARAMETER)}
    part = -1
    last = next(
        (i for i, s in enumerate(stepper.plan) if s.phase in ("unscale", "clip", "update")),
        len(stepper.plan),
    )
    stepper.seek(last)
    for step, record in zip(stepper.plan[:last], stepper.records, strict=False):
        part += step.phase == "data"
        for c in record.contributions:
            if c.target in terms:
                if len(terms[c.target]) <= part:
                    terms[c.target].append(np.zeros(c.value.shape))
                terms[c.target][part] = terms[c.target][part] + c.value
    loss = float(loss_of(stepper.slots, graph))
    large = Run(parse_spec({**run.spec.document, "accumulate": 1}, run.spec.limits))
    whole = _gradients(large, iteration, start)
    rows, worst = [], 0.0
    for node in graph.kind(PARAMETER):
        total = np.sum(terms[node.name], axis=0) if terms[node.name] else np.zeros(node.shape)
        gap = np.abs(total - whole[node.name])
        size = float(np.max(np.abs(whole[node.name]), initial=0.0))
        error = float(np.max(gap, initial=0.0)) / size if size else float(np.max(gap, initial=0.0))
        worst = max(worst, error)
        small = total.size <= MOST_ENTRIES
        rows.append(
            {
                "node": node.name,
                "label": node.label,
                "parts": [t.tolist() for t in terms[node.name]] if small else None,
                "sum": total.tolist() if small else None,
                "large_batch": whole[node.name].tolist() if small else None,
                "relative_error": error,
            }
        )
    return {
        "iteration": iteration,
        "parts": list(range(parts)),
        "share": share(graph, parts),
        "loss": loss,
        "parameters": rows,
        "worst": worst,
    }


def _gradients(large: Run, iteration: int, start: dict[Any, Array]) -> dict[str, Array]:
    """The large batch's gradients at the very parameters of the accumulating run."""
    graph = large.graph(iteration)
    stepper = large._stepper(iteration, start)
    last = next(
        (i for i, s in enumerate(stepper.plan) if s.phase in ("unscale", "clip", "update")),
        len(stepper.plan),
    )
    stepper.seek(last)
    return {node.name: stepper.slots[node.name, GRAD] for node in graph.kind(PARAMETER)}
