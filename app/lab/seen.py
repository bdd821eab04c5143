"""What is seen of a network: its units in columns, and its answer as it is to be understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.kernel import Eager
from app.engine.op import OPS
from app.engine.types import Array
from app.train.scores import Reading


@dataclass(frozen=True)
class Column:
    """The neurons of one layer: `node` holds what they say, `weight` what they listen with."""

    node: str
    title: str
    weight: str
    bias: str
    units: int
    first: int = 0
    """The row of the weight at which the units begin, where gates lie over each other in it."""
    looked_up: int = 0
    """How many tokens have a row in the weight, if it is looked up."""
    steps: tuple[str, ...] = ()
    """In a recurrent layer: what holds its states, in the order of time."""


@dataclass(frozen=True)
class Answer:
    """What a prediction means. `classes` is 0 for a number that is to be hit."""

    classes: int
    loss: str

    def shown(self, prediction: Array) -> Array:
        """Two classes: from −1 (surely the first) to 1 (surely the second); more: the share of
        each, from 0 to 1; none: the prediction itself. (points, units).
        """
        flat = prediction.reshape(len(prediction), -1)
        out, k = np.empty_like(flat), Eager({}, {}, {})
        with np.errstate(all="ignore"):
            if self.loss == "bce_with_logits":
                OPS["sigmoid"]().forward(k, out, flat)
            elif self.loss == "cross_entropy":
                OPS["softmax"]().forward(k, out, flat)
            elif self.loss == "nll":
                np.exp(flat, out)
            else:
                out[:] = flat
        return np.asarray(2 * out[:, -1:] - 1) if self.classes == 2 else out


def answers(read: Reading | None, answer: Answer, outputs: Array, rows: int) -> dict[str, Any]:
    """Of outputs (rows times columns, units): the class that is said (None where a number is to be
    hit) and how sure that is: the share of class 1 of two, of the said one of more, or the number;
    [row][column] both.
    """
    by_row = (rows, -1)
    if read is None:
        return {"said": None, "answers": outputs.reshape(by_row).tolist()}
    said, shown = read.said(outputs), answer.shown(outputs)
    if answer.classes == 2:
        sure = (shown[:, -1] + 1) / 2
    else:
        sure = shown[np.arange(len(said)), np.maximum(said, 0)]
    return {"said": said.reshape(by_row).tolist(), "answers": sure.reshape(by_row).tolist()}
