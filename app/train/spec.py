"""A spec: the JSON document that, with the list of changes, determines every number of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import mapping, pick, whole
from app.engine.graph import CONSTANT, INPUT, PARAMETER, Graph
from app.engine.plan import Step
from app.engine.types import FLOAT, Array
from app.nn.init import Init, parse_init
from app.nn.model import Model, build_model, parse_loss
from app.nn.program import Program, parse
from app.nn.values import to_array
from app.train.batches import Batches
from app.train.clipping import ClipStep, parse_clip
from app.train.data import parse_data
from app.train.limits import SpecLimits
from app.train.optimizers import OPTIMIZERS, Optimizer
from app.train.schedules import SCHEDULES, Schedule

MODEL_FIELDS = (
    "title model loss optimizer schedule clip accumulate data batch_size shuffle parameters init "
    "precision seed zero_grad"
).split()
PROGRAM_FIELDS = (
    "title program values output parameters optimizer schedule clip zero_grad seed".split()
)
DEFAULT_OPTIMIZER = {"type": "sgd", "lr": 0.1}


class Problem(Protocol):
    """What a run needs to know of a spec's model or program."""

    def graph(self, iteration: int) -> Graph: ...

    def feed(self, iteration: int) -> dict[str, Array]: ...

    def initial(self) -> dict[str, Array]: ...

    def edit(self, iteration: int, name: str, value: Array) -> None: ...

    def forget(self, iteration: int) -> None: ...

    def version(self, iteration: int) -> object: ...

    def steady(self, start: int, stop: int) -> bool: ...

    def position(self, iteration: int) -> dict[str, int]: ...

    @property
    def batches(self) -> Batches | None: ...


@dataclass(frozen=True)
class Spec:
    """A checked spec. `document` is what was given, with nothing added."""

    document: dict[str, Any]
    problem: Problem
    optimizer: Optimizer | None
    schedule: Schedule | None
    clip: dict[str, Any] | None
    zero_grad: bool
    title: str
    limits: SpecLimits


def parse_spec(given: Any, limits: SpecLimits | None = None) -> Spec:
    """Check a spec and build its problem.

    Raises BackstepError with the field at fault in `where`, such as `model.layers[1].out_features`.
    """
    limits = limits or SpecLimits()
    if not isinstance(given, dict):
        raise BackstepError(f"a spec is an object: {given!r}", where="spec")
    fields = PROGRAM_FIELDS if "program" in given else MODEL_FIELDS
    for name in given:
        if name not in fields:
            raise BackstepError(
                f"field is not known: {name!r}; accepted: {', '.join(fields)}", where=name
            )
    title = given.get("title", "")
    if not isinstance(title, str) or len(title) > 200:
        raise BackstepError("must be a text of at most 200 characters", where="title")
    seed = whole(given.get("seed", 0), "seed", low=0, high=2**32 - 1)
    optimizer = parse_optimizer(given.get("optimizer", DEFAULT_OPTIMIZER))
    clip = given.get("clip")
    parse_clip(clip)
    zero_grad = given.get("zero_grad", True)
    if not isinstance(zero_grad, bool):
        raise BackstepError(f"must be true or false: {zero_grad!r}", where="zero_grad")
    problem: Problem
    if "program" in given:
        problem = ProgramProblem.parse(given, limits)
    else:
        problem = ModelProblem.parse(given, seed, limits)
    schedule = given.get("schedule")
    if schedule is not None:
        schedule = pick(SCHEDULES, schedule, "schedule", "the schedule")
    spec = Spec(given, problem, optimizer, schedule, clip, zero_grad, title, limits)
    problem.graph(0)
    return spec


def parse_optimizer(given: Any) -> Optimizer | None:
    return None if given is None else pick(OPTIMIZERS, given, "optimizer", "the optimizer")


class ModelProblem:
    """Layers, a loss and samples. A graph is kept for every batch size that occurs (there are at
    most two).
    """

    def __init__(
        self,
        layers: Any,
        loss: Any,
        batches: Batches,
        init: Init | None,
        given: Mapping[str, Any],
        seed: int,
        limits: SpecLimits,
    ) -> None:
        self._batches, self.seed, self.limits = batches, seed, limits
        self._given = given
        self.model = lru_cache(maxsize=4)(
            lambda size: build_model(
                layers,
                loss,
                input_shape=batches.inputs.shape[1:],
                target_shape=batches.targets.shape[1:],
                target_dtype=batches.targets.dtype,
                batch=size,
                init=init,
                max_nodes=limits.graph_nodes,
            )
        )

    @classmethod
    def parse(cls, given: Mapping[str, Any], seed: int, limits: SpecLimits) -> ModelProblem:
        for name in ("model", "loss", "data"):
            if name not in given:
                raise BackstepError(
                    "a spec needs model, loss and data, or a program with values", where=name
                )
        model = mapping(given["model"], "model")
        for name in model:
            if name not in ("input_shape", "layers"):
                raise BackstepError(
                    f"field is not known: {name!r}; accepted: input_shape, layers",
                    where=f"model.{name}",
                )
        loss = parse_loss(given["loss"])
        batches = parse_data(
            given["data"],
            classes=loss.name in ("cross_entropy", "nll"),
            batch_size=given.get("batch_size"),
            shuffle=given.get("shuffle", False),
            seed=seed,
            limits=limits,
        )
        shape = batches.inputs.shape[1:]
        declared = model.get("input_shape")
        if declared is not None:
            if not isinstance(declared, list) or tuple(declared) != shape:
                raise BackstepError(
                    f"a sample of data.inputs has the shape {list(shape)}, not {declared!r}",
                    where="model.input_shape",
                )
        init = parse_init(given["init"], "init") if given.get("init") is not None else None
        problem = cls(model.get("layers"), loss, batches, init, given, seed, limits)
        problem._check_size()
        problem.initial()
        return problem

    def _check_size(self) -> None:
        for node in self.graph(0).nodes.values():
            size = int(np.prod(node.shape))
            if size > self.limits.array_entries:
                raise LimitError(
                    f"{node.name} would have {size} entries, "
                    f"at most {self.limits.array_entries} are allowed in one array",
                    where="model",
                )

    @property
    def batches(self) -> Batches:
        return self._batches

    def graph(self, iteration: int) -> Graph:
        built: Model = self.model(self._batches.size(iteration))
        return built.graph

    def feed(self, iteration: int) -> dict[str, Array]:
        return self._batches.feed(iteration)

    def initial(self) -> dict[str, Array]:
        """Parameters as the spec gives them; others are drawn, each from its own seeded stream."""
        given = self._given.get("parameters") or {}
        if not isinstance(given, dict):
            raise BackstepError("must be an object of name: array", where="parameters")
        declared = self.model(self._batches.size(0)).declared
        names = [d.name for d in declared]
        for name in given:
            if name not in names:
                raise BackstepError(
                    f"parameter is not known: {name!r}; known are {', '.join(names)}",
                    where=f"parameters.{name}",
                )
        found = {}
        for number, d in enumerate(declared):
            if d.name in given:
                array = to_array(given[d.name], f"parameters.{d.name}", self.limits.array_entries)
                if array.shape != d.shape:
                    raise BackstepError(
                        f"must have the shape {d.shape}: {array.shape}",
                        where=f"parameters.{d.name}",
                    )
                found[d.name] = array
            else:
                rng = np.random.default_rng([self.seed, 0, number])
                found[d.name] = d.init.draw(rng, d.shape, d.fan_in, d.fan_out)
        return found

    def edit(self, iteration: int, name: str, value: Array) -> None:
        self._batches.edit(iteration, name, value)

    def forget(self, iteration: int) -> None:
        self._batches.forget(iteration)

    def version(self, iteration: int) -> object:
        b = self._batches
        place = (
            iteration % b.count
            if not b.shuffle
            else iteration
            if b.count > 1
            else b.epoch(iteration)
        )
        return (place, b.fixed(iteration))

    def steady(self, start: int, stop: int) -> bool:
        """Whether all these iterations see the same samples in the same order."""
        b = self._batches
        return b.count == 1 and not b.shuffle and b.fixed(start) == b.fixed(stop - 1)

    def position(self, iteration: int) -> dict[str, int]:
        b = self._batches
        return {
            "epoch": b.epoch(iteration),
            "batch": iteration % b.count,
            "batches": b.count,
            "samples": b.seen(iteration),
        }


class ProgramProblem:
    """A visitor's text. Every iteration sees the same inputs until one is edited."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._edits: list[tuple[int, str, Array]] = []

    @classmethod
    def parse(cls, given: Mapping[str, Any], limits: SpecLimits) -> ProgramProblem:
        return cls(
            parse(
                given["program"],
                given.get("values", {}),
                output=given.get("output"),
                parameters=given.get("parameters"),
                limits=limits,
            )
        )

    @property
    def batches(self) -> None:
        return None

    def graph(self, iteration: int) -> Graph:
        return self.program.graph

    def _values(self, *kinds: str) -> dict[str, Array]:
        names = {node.name for node in self.program.graph.kind(*kinds)}
        return {k: np.asarray(v, FLOAT) for k, v in self.program.values.items() if k in names}

    def feed(self, iteration: int) -> dict[str, Array]:
        values = self._values(INPUT)
        values.update({name: v for since, name, v in self._edits if since <= iteration})
        return values

    def initial(self) -> dict[str, Array]:
        return self._values(PARAMETER, CONSTANT)

    def edit(self, iteration: int, name: str, value: Array) -> None:
        self._edits = [e for e in self._edits if (e[0], e[1]) != (iteration, name)]
        self._edits.append((iteration, name, value))

    def forget(self, iteration: int) -> None:
        self._edits = [e for e in self._edits if e[0] <= iteration]

    def version(self, iteration: int) -> object:
        return sum(1 for since, _, _ in self._edits if since <= iteration)

    def steady(self, start: int, stop: int) -> bool:
        return self.version(start) == self.version(stop - 1)

    def position(self, iteration: int) -> dict[str, int]:
        return {"epoch": iteration, "batch": 0, "batches": 1, "samples": iteration}


def clip_step(given: Any, graph: Graph) -> Step | None:
    clip = parse_clip(given)
    return None if clip is None else ClipStep(tuple(graph.kind(PARAMETER)), clip)
