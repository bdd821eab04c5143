"""A few sequences, said step by step: what came, what was to be said, what the network says, and
what every unit of a recurrent layer remembers meanwhile. Every number comes from the model's own
evaluation graph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from app.engine.graph import PARAMETER, Graph, Node
from app.engine.types import INT, Array, Slot
from app.lab.seen import Answer, Column, answers
from app.train.evaluation import Evaluation
from app.train.problem import ModelProblem
from app.train.scores import Reading

SHOWN = 6  # sequences
LONGEST = 64  # steps of one
READS = "weight_ih_l"
RECURRENT = re.compile(r"weight_[ih]h_l\d+(_reverse)?$")


def tokens(inputs: Array) -> bool:
    """Whether samples are rows of single tokens: whole numbers to be looked up, or numbers each in
    a step of its own.
    """
    in_a_row = inputs.ndim == 2 and inputs.dtype == INT
    return (in_a_row or inputs.ndim == 3 and inputs.shape[2] == 1) and inputs.shape[1] <= LONGEST


def columns_of(graph: Graph, prediction: str, length: int) -> list[Column]:
    """Embedding, each recurrent layer with its states in the order of time, and linear layers."""
    found: list[Column] = []
    names = list(graph.nodes)
    for name in names[: names.index(prediction) + 1]:
        node = graph[name]
        if node.kind == PARAMETER and READS in name:
            found.append(_recurrent(graph, node, length))
        if node.op is None:
            continue
        weight = graph[node.inputs[1]] if len(node.inputs) > 1 else None
        listens = weight is not None and weight.kind == PARAMETER
        if weight and listens and node.op.name == "embedding":
            rows = weight.shape[0]
            found.append(Column(name, "embedding", weight.name, "", node.shape[-1], looked_up=rows))
        elif weight and listens and node.op.name == "linear" and not RECURRENT.search(weight.name):
            bias = node.inputs[2] if len(node.inputs) > 2 else ""
            found.append(Column(name, "", weight.name, bias, node.shape[-1]))
        elif found and node.inputs[0] == found[-1].node and node.shape[-1] == found[-1].units:
            if not found[-1].steps:  # what follows a layer, such as its activation
                found[-1] = replace(found[-1], node=name, title=node.op.name)
    if not found or found[-1].node != prediction:
        op = graph[prediction].op
        title = op.name if op else ""
        found.append(Column(prediction, title, "", "", graph[prediction].shape[-1]))
    return found


def _recurrent(graph: Graph, weight: Node, length: int) -> Column:
    """The layer that reads with that weight. Of gates that lie over each other in it, the rows that
    make the new content: the third part in LSTM and GRU.
    """
    scope, layer = weight.name.rsplit(READS, 1)
    front = f"l{layer}_" if layer != "0" else ""
    units = graph[f"{scope}weight_hh_l{layer}"].shape[1]
    steps = tuple(f"{scope}{front}h_{t}" for t in range(1, length + 1))
    kinds = {1: "rnn", 3: "gru", 4: "lstm"}
    gates = weight.shape[0] // units
    if steps[0] not in graph.nodes:  # one op of all steps
        steps = (f"{scope}{front}H",)
    if layer.endswith("_reverse"):  # its steps are numbered as they are taken
        steps = steps[::-1]
    first = 2 * units if gates > 1 else 0
    bias = f"{scope}bias_ih_l{layer}"
    return Column(
        steps[-1],
        kinds[gates],
        weight.name,
        bias if bias in graph.nodes else "",
        units,
        first=first,
        steps=steps,
    )


class Recital:
    """The first few sequences of those held back, or of those trained on where none are."""

    def __init__(
        self,
        problem: ModelProblem,
        samples: Mapping[str, tuple[Array, Array]],
        read: Reading | None,
        answer: Answer,
    ) -> None:
        self.part = "validation" if "validation" in samples else "train"
        inputs, targets = (rows[:SHOWN] for rows in samples[self.part])
        model = problem.evaluation(len(inputs))
        self.inputs, self._read, self._answer = inputs.reshape(inputs.shape[:2]), read, answer
        self.columns = columns_of(model.graph, model.prediction, inputs.shape[1])
        shape = model.graph[model.prediction].shape
        self._rows, self._units, self._steps = len(inputs), shape[-1], inputs.shape[1]
        said = targets if read is None else read.true(targets, np.empty(shape))
        self.targets = said.reshape(self._rows, -1)
        self._prediction = model.prediction
        self._evaluation = Evaluation(model.graph, {"input": inputs}, until=model.prediction)

    @property
    def scene(self) -> dict[str, Any]:
        """What stays as it is: tokens and what is to be said, [sequence][step]."""
        return {
            "part": self.part,
            "inputs": self.inputs.tolist(),
            "targets": self.targets.tolist(),
        }

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Rows (sequences) and columns (steps) of each column's maps."""
        graph = self._evaluation.graph
        whole = self._steps
        return [
            (self._rows, whole if c.steps or len(graph[c.node].shape) > 2 else 1)
            for c in self.columns
        ]

    def maps(self, slots: Mapping[Slot, Array]) -> list[Array]:
        """For each column (units, sequences, steps); the last one as it is to be understood."""
        self._evaluation.run(slots)
        found = [self._said(column) for column in self.columns[:-1]]
        shown = self._answer.shown(self._flat())
        found.append(shown.T.reshape(shown.shape[1], self._rows, -1))
        return found

    def _flat(self) -> Array:
        return self._evaluation.value(self._prediction).reshape(-1, self._units)

    def _said(self, column: Column) -> Array:
        steps = [self._evaluation.value(name) for name in column.steps]
        if len(steps) > 1:
            return np.stack(steps).transpose(2, 1, 0)
        whole = steps[0] if steps else self._evaluation.value(column.node)
        return np.moveaxis(whole.reshape(self._rows, -1, column.units), 2, 0)

    def answers(self) -> dict[str, Any]:
        """After `maps`: what is said at every step."""
        return answers(self._read, self._answer, self._flat(), self._rows)
