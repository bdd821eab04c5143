"""Four ways to keep weights small, side by side: the same update from the same numbers with an L1
penalty, an L2 penalty, coupled weight decay, and (with adam) decoupled weight decay.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import PARAMETER
from app.engine.types import VALUE, Array
from app.train.optimizers import OPTIMIZERS
from app.train.plans.penalty import DECAY_SAYS
from app.train.run import Run
from app.train.spec import parse_spec

SAYS = {
    "none": "The loss's own gradient alone.",
    "l1": "An L1 penalty pulls every weight by the same λ, however small it is: down to exactly 0.",
    "l2": DECAY_SAYS["penalty"],
    "coupled": DECAY_SAYS["coupled"],
    "decoupled": DECAY_SAYS["decoupled"],
}
ADAMS = ("adam", "adamw")


def decay_rate(document: dict[str, Any]) -> float:
    """The spec's λ, wherever it stands; 0 if there is none."""
    penalty = document.get("regularisation") or {}
    optimizer = document.get("optimizer") or {}
    given = optimizer.get("weight_decay")
    if given is None and optimizer.get("type") == "adamw":
        given = OPTIMIZERS["adamw"]().weight_decay  # type: ignore[attr-defined]
    return float(given or penalty.get("l2") or penalty.get("l1") or 0.0)


def ways_of(document: dict[str, Any], rate: float, lr: float) -> dict[str, dict[str, Any]]:
    """The spec in each way, with the rate that holds now."""
    kept = {"weight_decay", "lr", "type"}
    given = document["optimizer"]
    rest = {name: value for name, value in given.items() if name not in kept}
    adam = given["type"] in ADAMS
    kind = "adam" if adam else given["type"]
    plain = {"type": kind, "lr": lr, **rest}
    base = {k: v for k, v in document.items() if k not in ("regularisation", "schedule")}
    ways = {
        "none": base | {"optimizer": plain},
        "l1": base | {"optimizer": plain, "regularisation": {"l1": rate}},
        "l2": base | {"optimizer": plain, "regularisation": {"l2": rate}},
    }
    if hasattr(OPTIMIZERS[kind], "weight_decay"):
        ways["coupled"] = base | {"optimizer": plain | {"weight_decay": rate}}
    if adam:
        ways["decoupled"] = base | {"optimizer": plain | {"type": "adamw", "weight_decay": rate}}
    return ways


def decay_view(run: Run, iteration: int) -> dict[str, Any]:
    """What each way makes of the largest entry of every parameter in this iteration's update."""
    document = run.spec.document
    rate = decay_rate(document)
    lr = run.lr(iteration)
    if not rate or lr is None or run.spec.method.scalars:
        raise BackstepError("needs a spec with weight_decay, l1 or l2", where="weight_decay")
    start = dict(run.slots(iteration, 0))
    ways = {
        name: _updated(Run(parse_spec(spec, run.spec.limits)), iteration, start)
        for name, spec in ways_of(document, rate, lr).items()
    }
    rows = []
    for name, after in ways.items():
        parameters = []
        for node in run.graph(iteration).kind(PARAMETER):
            before = start[node.name, VALUE]
            index = np.unravel_index(int(np.argmax(np.abs(before))), before.shape)
            parameters.append(
                {
                    "node": node.name,
                    "label": node.label,
                    "index": [int(i) for i in index],
                    "before": float(before[index]),
                    "after": float(after[node.name][index]),
                    "decay": float(ways["none"][node.name][index] - after[node.name][index]),
                }
            )
        rows.append({"way": name, "says": SAYS[name], "parameters": parameters})
    return {"iteration": iteration, "rate": rate, "lr": lr, "rows": rows}


def _updated(other: Run, iteration: int, start: dict[Any, Array]) -> dict[str, Array]:
    """The parameters after that iteration, from these numbers; penalties bring leaves of theirs."""
    fresh: dict[Any, Array] = {(n, VALUE): v for n, v in other.problem.initial().items()}
    stepper = other._stepper(iteration, {**fresh, **start})
    stepper.seek(len(stepper.plan))
    graph = other.graph(iteration)
    return {node.name: stepper.slots[node.name, VALUE] for node in graph.kind(PARAMETER)}
