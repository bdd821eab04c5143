"""A run seen from outside: what every neuron says about the whole input plane, how the samples are
answered, and the losses over all of them. Every number comes from the model's own evaluation graph,
fed with a grid of points or with the samples; nothing of a layer is computed a second way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.graph import PARAMETER, Graph
from app.engine.ops.matrix import Linear
from app.engine.types import VALUE, Array, Slot
from app.lab.gallery import Gallery
from app.lab.recital import Recital, tokens
from app.lab.seen import Answer, Column
from app.train.evaluation import Evaluation
from app.train.plans.rewritten import model_of
from app.train.run import Run
from app.train.scores import reading, tally

SAMPLES = 2_000  # of which losses are taken and which are drawn
MOST = 400_000  # numbers in the maps of one picture
LARGEST = 100
FEATURES = 30  # of a table, whose weights are drawn one below the other
NO_NUMBER = -128  # stands for NaN and infinity in a map of bytes


@dataclass(frozen=True)
class Domain:
    """The part of the input space that is drawn: one or two intervals."""

    axes: tuple[tuple[float, float], ...]

    def grid(self, size: int) -> Array:
        """Points row by row from the top left; on one axis, twice as many in one row."""
        if len(self.axes) == 1:
            return np.linspace(*self.axes[0], 2 * size)[:, None]
        x, y = (np.linspace(low, high, size) for low, high in self.axes)
        return np.column_stack([np.tile(x, size), np.repeat(y[::-1], size)])


def domain_of(inputs: Array) -> Domain:
    """Around the samples, with 0 in the middle where they lie about it; both axes alike if they
    are nearly so.
    """
    axes = []
    finite = np.where(np.isfinite(inputs), inputs, 0.0)
    for column in finite.T:
        low, high = float(column.min()), float(column.max())
        middle, half = (low + high) / 2, (high - low) / 2 or 1.0
        if abs(middle) < half / 2:
            middle, half = 0.0, max(abs(low), abs(high))
        axes.append((middle, _rounded(1.12 * half)))
    halves = [half for _, half in axes]
    if max(halves) < 2 * min(halves):
        axes = [(middle, max(halves)) for middle, _ in axes]
    return Domain(tuple((middle - half, middle + half) for middle, half in axes))


def _rounded(x: float) -> float:
    return float(f"{x:.2g}")


def columns_of(graph: Graph, prediction: str) -> list[Column]:
    """Every linear layer with what follows it, up to the next one."""
    found: list[Column] = []
    for node in graph.ops:
        if isinstance(node.op, Linear) and graph[node.inputs[1]].kind == PARAMETER:
            bias = node.inputs[2] if len(node.inputs) > 2 else ""
            found.append(Column(node.name, "", node.inputs[1], bias, node.shape[-1]))
        elif found and len(node.shape) == 2 and node.shape[-1] == found[-1].units and node.op:
            last = found[-1]
            found[-1] = Column(node.name, node.op.name, last.weight, last.bias, last.units)
        if node.name == prediction:
            break
    return found


class Portrait:
    """`size` is the number of points along each axis of the plane."""

    def __init__(self, run: Run, size: int = 64) -> None:
        if not 2 <= size <= LARGEST:
            raise LimitError(f"must be from 2 to {LARGEST}: {size}", where="size")
        problem = model_of(run.problem)
        if problem is None or run.spec.method.scalars:
            what = "a model taken apart into scalars" if problem else "a program"
            raise BackstepError(f"{what} has no maps, only a model with samples", where="id")
        self.problem, batches = problem, problem.batches
        inputs = batches.inputs
        self.flat = inputs.ndim == 2 and inputs.shape[1] <= 2 and inputs.dtype.kind == "f"
        self.picture = () if tokens(inputs) else _picture(inputs.shape[1:])
        self.samples = {"train": self._some(batches.inputs, batches.targets)}
        if batches.validation is not None:
            self.samples["validation"] = self._some(*batches.validation)
        model = self.problem.evaluation(len(self.samples["train"][0]))
        self.weights = [n for n in model.graph.kind(PARAMETER) if int(np.prod(n.shape)) <= 10_000]
        loss = model.graph[model.graph.output].op
        assert loss is not None
        shape = model.graph[model.prediction].shape
        self.reading = reading(loss, batches.targets, shape)
        self.answer = Answer(self.reading.classes if self.reading else 0, loss.name)
        self.recital: Recital | None = None
        if tokens(inputs):
            self.recital = Recital(self.problem, self.samples, self.reading, self.answer)
            self.columns = self.recital.columns
        else:
            self.columns = columns_of(model.graph, model.prediction)
            first = model.graph[self.columns[0].weight] if self.columns else None
            if first and first.shape[-1] != math.prod(self.picture):
                self.picture = ()  # what this layer sees is no picture any more
        self.gallery: Gallery | None = None
        if not (self.recital or self.flat) and _telling(
            model.graph, self.columns, model.prediction
        ):
            self.gallery = Gallery(
                self.problem, self.samples, self.columns, self.reading, self.answer
            )
        self._judges = {
            which: (
                self.problem.evaluation(len(rows[0])),
                Evaluation(
                    self.problem.evaluation(len(rows[0])).graph,
                    {"input": rows[0], "target": rows[1]},
                ),
            )
            for which, rows in self.samples.items()
        }
        self.size, self.domain = 0, Domain(())
        if self.flat:
            units = sum(column.units for column in self.columns) or 1
            self.size = max(2, min(size, int(np.sqrt(MOST / units))))
            self.domain = domain_of(np.concatenate([rows[0] for rows in self.samples.values()]))
            points = self.domain.grid(self.size)
            plane = self.problem.evaluation(len(points))
            self.prediction = plane.prediction
            self._plane = Evaluation(plane.graph, {"input": points}, until=plane.prediction)

    def _some(self, inputs: Array, targets: Array) -> tuple[Array, Array]:
        most = min(SAMPLES, self.problem.at_once)
        if len(inputs) <= most:
            return inputs, targets
        rows = np.linspace(0, len(inputs) - 1, most).astype(int)
        return inputs[rows], targets[rows]

    # --- maps -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int]:
        return (self.size, self.size) if len(self.domain.axes) == 2 else (1, 2 * self.size)

    @property
    def shapes(self) -> list[tuple[int, ...] | None]:
        """Rows and columns of the pixels of each column's maps, None where it has none."""
        last = len(self.columns) - 1
        if self.recital:
            return [*self.recital.shapes]
        if self.flat:
            half = (-(-self.shape[0] // self.skip), -(-self.shape[1] // self.skip))
            return [self.shape if k == last else half for k in range(last + 1)]
        shown = self.gallery.grid if self.gallery else None
        return [self.picture or shown if k == 0 else shown for k in range(last + 1)]

    def maps(self, slots: Mapping[Slot, Array]) -> list[Array]:
        """For each column (units, rows, columns of the plane); the last one is the answer as it is
        to be understood. Where the inputs are pictures: only what each unit of the first layer
        looks for, its weights; of the others what they say to the samples of the gallery. Of
        sequences: (units, sequences, steps).
        """
        if self.recital:
            return self.recital.maps(slots)
        if not self.flat:
            first = self.columns[:1] if self.picture else []
            looked = [slots[c.weight, VALUE].reshape(c.units, *self.picture) for c in first]
            return looked + self.gallery.maps(slots)[len(looked) :] if self.gallery else looked
        self._plane.run(slots)
        found = []
        for column in self.columns[:-1]:
            found.append(self._plane.value(column.node).T.reshape(-1, *self.shape))
        shown = self.answer.shown(self._plane.value(self.prediction))
        found.append(shown.T.reshape(-1, *self.shape))
        return found

    def limits(self, maps: list[Array]) -> list[float]:
        """How far the colour scale of each column reaches."""
        found = []
        for each in maps:
            finite = np.abs(each[np.isfinite(each)])
            reach = float(finite.max()) if finite.size else 1.0
            found.append(max(1.0, reach) if self.flat or self.recital else reach or 1.0)
        if maps and (self.flat or self.recital or self.gallery and len(maps) > 1):
            targets = np.abs(self.samples["train"][1].astype(float))
            reach = 1.0 if self.answer.classes else float(targets.max(initial=0.0)) or 1.0
            found[-1] = reach if np.isfinite(reach) else 1.0
        return found

    def pixels(self, maps: list[Array], limits: list[float]) -> bytes:
        """All maps as signed bytes, the last column in full and the hidden ones at every second
        point. Of a curve −127 … 127 stand for −limit … limit; of a plane the root does, so that the
        line where it changes its sign is fine also where it hardly rises.
        """
        parts = []
        for k, (each, limit) in enumerate(zip(maps, limits, strict=True)):
            whole = k == len(maps) - 1 or not self.flat
            some = each if whole else each[:, :: self.skip, :: self.skip]
            with np.errstate(invalid="ignore"):
                share = np.clip(some / limit, -1, 1)
                if self.shape[0] > 1 or not self.flat:
                    share = np.sign(share) * np.sqrt(np.abs(share))
                scaled = np.rint(share * 127)
            parts.append(np.where(np.isfinite(some), scaled, NO_NUMBER).astype(np.int8).tobytes())
        return b"".join(parts)

    @property
    def skip(self) -> int:
        return 2 if len(self.domain.axes) == 2 else 1

    # --- how well ---------------------------------------------------------------------------

    def scores(self, slots: Mapping[Slot, Array]) -> dict[str, dict[str, Any]]:
        """Loss without penalties, accuracy and confusion over the training and validation
        samples.
        """
        found: dict[str, dict[str, Any]] = {}
        for which, (model, judge) in self._judges.items():
            row: dict[str, Any] = {"loss": judge.loss(slots)}
            if self.reading is not None:
                targets = self.samples[which][1]
                row |= tally(self.reading, judge.value(model.prediction), targets)
            found[which] = row
        return found


def _telling(graph: Graph, columns: list[Column], prediction: str) -> bool:
    """Whether every column says one number of each sample, and the last one is the prediction."""
    flat = all(len(graph[column.node].shape) == 2 for column in columns)
    return flat and bool(columns) and columns[-1].node == prediction


def _picture(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Rows and columns of an input that is a grey picture, or a square of numbers in a row; a few
    features stand one below the other.
    """
    if len(shape) == 3 and shape[0] == 1:
        return shape[1:]
    side = math.isqrt(shape[0]) if len(shape) == 1 else 0
    if side > 2 and side * side == shape[0]:
        return side, side
    return (shape[0], 1) if len(shape) == 1 and 2 < shape[0] <= FEATURES else ()
