"""What is seen of a network: its units in columns, and its answer as it is to be understood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.kernel import Eager
from app.engine.op import OPS
from app.engine.types import Array


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
