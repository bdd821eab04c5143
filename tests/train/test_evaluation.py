"""The recorded evaluation pass gives the very numbers of a stepped one, for ever new parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.engine.graph import BUFFER, CONSTANT, PARAMETER
from app.engine.types import VALUE
from app.train.evaluation import Evaluation
from app.train.measure import evaluate
from app.train.run import Run
from app.train.spec import parse_spec

LAYERS: list[Any] = [{"type": "linear", "out_features": 3}, "batch_norm", "tanh"]
SPEC: dict[str, Any] = {
    "model": {
        "layers": [*LAYERS, {"type": "dropout", "p": 0.5}, {"type": "linear", "out_features": 1}]
    },
    "loss": "bce_with_logits",
    "data": {"dataset": "moons", "samples": 40, "validation": 0.25},
    "optimizer": {"type": "sgd", "lr": 0.5},
    "batch_size": 8,
    "shuffle": True,
    "seed": 3,
}


def test_it_follows_the_parameters() -> None:
    run = Run(parse_spec(SPEC))
    problem: Any = run.problem
    inputs, targets = problem.batches.validation
    graph = problem.evaluation(len(inputs)).graph
    seen = Evaluation(graph, {"input": inputs, "target": targets})
    for iteration in (0, 7, 40):
        run.train(iteration)
        slots = run.slots(iteration, 0)
        leaves = graph.kind(PARAMETER, BUFFER, CONSTANT)
        values = {node.name: slots[node.name, VALUE] for node in leaves}
        stepped = evaluate(graph, values | {"input": inputs, "target": targets})
        assert seen.loss(slots) == stepped


def test_validation_at_full_speed_is_that_of_a_walk() -> None:
    fast, slow = Run(parse_spec(SPEC)), Run(parse_spec(SPEC))
    fast.train(20)
    for iteration in range(20):
        slow.slots(iteration + 1, 0)
    assert fast.history.validation_loss == slow.history.validation_loss
    assert sorted(fast.history.validation_loss) == [3, 7, 11, 15, 19]


def test_only_what_stands_before_a_node_is_computed() -> None:
    run = Run(parse_spec(SPEC))
    problem: Any = run.problem
    model = problem.evaluation(5)
    points = np.linspace(-1, 1, 10).reshape(5, 2)
    seen = Evaluation(model.graph, {"input": points}, until=model.prediction)
    seen.run(run.slots(0, 0))
    assert seen.value(model.prediction).shape == (5, 1)
    assert np.isfinite(seen.value(model.prediction)).all()
