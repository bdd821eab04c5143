"""Three approaches to a derivative side by side (guide 001): by hand, by measuring, by machine.

By hand: a formula that a person derived, evaluated. By measuring: the loss is computed again with
every number moved a little; the step must be neither large (the curve bends) nor tiny (digits
cancel). By machine: exact but for rounding; reverse mode takes one pass back for all numbers,
forward mode one pass for each. Errors are against reverse mode, relative to the largest slope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.graph import PARAMETER, Graph
from app.engine.jvp import gradient
from app.engine.plan import backward_steps, forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array, Slot
from app.nn.program import parse
from app.train.measure import evaluate
from app.train.run import Run
from app.train.slopes import leaves

MOST_NUMBERS = 64
EPSILON = 1e-5
SWEEP = [10.0**-k for k in range(1, 15)]

Gradients = dict[str, Array]


def approaches(
    run: Run,
    iteration: int,
    manual: Mapping[str, str] | None = None,
    epsilon: float = EPSILON,
) -> dict[str, Any]:
    """Rows with gradient, cost and error, and how a measured slope's error depends on the step."""
    graph = run.plain_graph(iteration)
    values = leaves(run, graph, iteration)
    names = [node.name for node in graph.kind(PARAMETER)]
    count = sum(int(np.prod(graph[name].shape)) for name in names)
    if not 1 <= count <= MOST_NUMBERS:
        raise LimitError(
            f"from 1 to {MOST_NUMBERS} parameters can be compared: {count}", where="id"
        )
    if not 0.0 < epsilon < 1.0:
        raise BackstepError(f"must lie between 0 and 1: {epsilon!r}", where="epsilon")
    loss = evaluate(graph, values)
    truth = _reverse(graph, values, names)
    forward, passes = gradient(graph, values, names)
    rows = [
        _row("manual", found, truth, formula=dict(manual or {}), evaluations=0)
        for found in [_by_hand(manual, graph, values)]
        if found is not None
    ]
    for central in (False, True):
        found = _measured(graph, values, names, loss, epsilon, central)
        evaluations = 2 * count if central else count + 1
        kind = "numerical, central" if central else "numerical, one-sided"
        rows.append(_row(kind, found, truth, epsilon=epsilon, evaluations=evaluations))
    rows.append(_row("automatic, forward mode", forward, truth, evaluations=passes, passes=passes))
    rows.append(_row("automatic, reverse mode", truth, truth, evaluations=1, passes=1))
    return {
        "iteration": iteration,
        "loss": loss,
        "numbers": count,
        "outputs": 1,
        "rows": rows,
        "sweep": {
            "epsilon": SWEEP,
            "one_sided": _sweep(graph, values, names, loss, truth, False),
            "central": _sweep(graph, values, names, loss, truth, True),
        },
    }


def _reverse(graph: Graph, values: Mapping[str, Array], names: list[str]) -> Gradients:
    start: dict[Slot, Array] = {(name, VALUE): value for name, value in values.items()}
    stepper = Stepper(forward_steps(graph) + backward_steps(graph), start, {}, {})
    stepper.seek(len(stepper.plan))
    return {name: np.asarray(stepper.slots[name, GRAD]) for name in names}


def _measured(
    graph: Graph,
    values: dict[str, Array],
    names: list[str],
    loss: float,
    h: float,
    central: bool,
) -> Gradients:
    found = {}
    for name in names:
        start = values[name]
        found[name] = np.zeros(start.shape)
        for index in np.ndindex(*start.shape):
            ends = []
            for step in (h, -h) if central else (h,):
                moved = np.array(start)
                moved[index] += step
                ends.append(np.float64(evaluate(graph, {**values, name: moved})))
            with np.errstate(all="ignore"):
                rise = ends[0] - (ends[1] if central else loss)
                found[name][index] = rise / (2 * h if central else h)
    return found


def _by_hand(
    manual: Mapping[str, str] | None, graph: Graph, values: Mapping[str, Array]
) -> Gradients | None:
    """Each parameter's formula, in the language of programs over the names of the leaves."""
    if not manual:
        return None
    given = {n: v.tolist() for n, v in values.items() if n.isidentifier()}
    found = {}
    for name, formula in manual.items():
        if name not in graph.nodes or graph[name].kind != PARAMETER:
            raise BackstepError(f"is no parameter: {name!r}", where=f"manual.{name}")
        try:
            program = parse(formula, given)
        except BackstepError as error:
            raise type(error)(error.message, where=f"manual.{name}") from None
        last = {(n, VALUE): v for n, v in program.values.items()}
        stepper = Stepper(forward_steps(program.graph), last, {}, {})
        stepper.seek(len(stepper.plan))
        value = stepper.slots[program.graph.output, VALUE]
        try:
            found[name] = np.array(np.broadcast_to(value, graph[name].shape))
        except ValueError:
            raise BackstepError(
                f"the formula gives the shape {list(value.shape)}, "
                f"the parameter has {list(graph[name].shape)}",
                where=f"manual.{name}",
            ) from None
    return found


def _error(found: Gradients, truth: Gradients) -> float | None:
    """The largest difference, relative to the largest slope."""
    size = max((float(np.max(np.abs(truth[n]), initial=0.0)) for n in found), default=0.0)
    gap = max(float(np.max(np.abs(g - truth[n]), initial=0.0)) for n, g in found.items())
    error = gap / size if size else gap
    return error if np.isfinite(error) else None


def _row(kind: str, found: Gradients, truth: Gradients, **cost: Any) -> dict[str, Any]:
    return {
        "approach": kind,
        "gradient": {name: g.tolist() for name, g in found.items()},
        "error": _error(found, truth),
        **cost,
    }


def _sweep(
    graph: Graph,
    values: dict[str, Array],
    names: list[str],
    loss: float,
    truth: Gradients,
    central: bool,
) -> list[float | None]:
    few = names if sum(values[n].size for n in names) <= 16 else names[:1]
    return [_error(_measured(graph, values, few, loss, h, central), truth) for h in SWEEP]
