"""What a run is about: a model with samples, or a visitor's program. Both give a graph, the leaves'
first numbers, and what is fed to an iteration."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property, lru_cache
from math import prod
from typing import Any, Protocol

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import mapping
from app.engine.graph import CONSTANT, INPUT, PARAMETER, TARGET, Graph
from app.engine.ops.class_loss import ClassLoss
from app.engine.types import INT, Array
from app.nn.init import Init, parse_init
from app.nn.model import Model, build_model, parse_loss, vocabulary
from app.nn.program import Program, parse
from app.nn.values import to_array
from app.train.batches import Batches
from app.train.data import parse_data
from app.train.limits import SpecLimits


def check_choices(graph: Graph, name: str, value: Array, where: str) -> None:
    """Class numbers have to be whole and one of the classes that there are."""
    for edge in graph.edges:
        node = graph[edge.target]
        if edge.source != name or graph[name].dtype != INT or node.op is None:
            continue
        count = node.op.choices(edge.operand, *(graph[n].shape for n in node.inputs))
        if count is None:
            continue
        wrong = value[~((value >= 0) & (value < count) & (value == np.floor(value)))]
        if wrong.size:
            raise BackstepError(
                f"must be whole numbers from 0 to {count - 1}: {float(wrong[0]):g}; "
                f"{node.op.name} has {count} to choose from here",
                where=where,
            )


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
        self._noise_edits: dict[tuple[int, str], Array] = {}

        def build(size: int, training: bool, fused: bool | None = None) -> Model:
            return build_model(
                layers,
                loss,
                input_shape=batches.inputs.shape[1:],
                target_shape=batches.targets.shape[1:],
                input_dtype=batches.inputs.dtype,
                target_dtype=batches.targets.dtype,
                batch=size,
                init=init,
                max_nodes=limits.graph_nodes,
                training=training,
                fused=fused,
            )

        self._build = build
        self._forms: dict[bool | None, ModelProblem] = {None: self}
        self._of_form(None)

    def _of_form(self, fused: bool | None) -> None:
        build = self._build
        self.model = lru_cache(maxsize=4)(lambda size: build(size, True, fused))
        self.evaluation = lru_cache(maxsize=4)(lambda size: build(size, False, fused))

    def in_form(self, fused: bool | None) -> ModelProblem:
        """The same with recurrent layers as one op each, or step by step; None: as the spec says.
        Samples, noise and their edits are shared.
        """
        first = self._forms[None]
        if fused not in self._forms:
            size, other = first.batches.size(0), copy(first)
            vars(other).pop("at_once", None)
            other._of_form(fused)
            alike = list(other.model(size).graph.nodes) == list(first.model(size).graph.nodes)
            self._forms[fused] = first if alike else other
        return self._forms[fused]

    @classmethod
    def parse(cls, given: Mapping[str, Any], seed: int, limits: SpecLimits) -> ModelProblem:
        for name in ("model", "loss", "data"):
            if name not in given:
                raise BackstepError(
                    "a spec needs model, loss and data, or a program with values", where=name
                )
        model = mapping(given["model"], "model", '{"layers": […]}')
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
        if vocabulary(model.get("layers")) is not None:
            if batches.scaling is not None:
                raise BackstepError(
                    "numbers that an embedding looks up cannot be standardised",
                    where="data.standardise",
                )
            broken = batches.inputs[batches.inputs != np.floor(batches.inputs)]
            if broken.size:
                raise BackstepError(
                    f"an embedding looks up whole numbers: {float(broken[0]):g}",
                    where="data.inputs",
                )
            batches.whole_inputs()
        if batches.augment is not None:
            batches.augment.check(shape, batches.inputs.dtype)
        init = parse_init(given["init"], "init") if given.get("init") is not None else None
        problem = cls(model.get("layers"), loss, batches, init, given, seed, limits)
        problem._read_classes()
        for size in {batches.size(i) for i in (0, batches.count - 1)}:
            problem.model(size)
        problem._check_size()
        check_choices(problem.graph(0), "input", batches.inputs, "data.inputs")
        check_choices(problem.graph(0), "target", batches.targets, "data.targets")
        problem.initial()
        return problem

    def _read_classes(self) -> None:
        """A target with one number where the prediction has a row of scores is a class number."""
        model: Model = self.model(self._batches.size(0))
        graph, targets = model.graph, self._batches.targets
        loss = graph[graph.output]
        scores = graph[model.prediction].shape
        if not isinstance(loss.op, ClassLoss) or targets.dtype == INT:
            return
        if targets.shape[1:] == scores[1:-1]:
            broken = targets[~np.isfinite(targets) | (targets != np.floor(targets))]
            if broken.size:
                raise BackstepError(
                    f"class numbers must be whole: {float(broken[0]):g}", where="data.targets"
                )
            self._batches.targets = targets.astype(INT)
            self.model.cache_clear()
            self.evaluation.cache_clear()

    def _check_size(self) -> None:
        total, graph = 0, self.graph(0)
        for node in graph.nodes.values():
            size = prod(node.shape)
            if size > self.limits.array_entries:
                raise LimitError(
                    f"{node.name} would have {size} entries, "
                    f"at most {self.limits.array_entries} are allowed in one array",
                    where="model",
                    setting="array_entries",
                )
            total += graph.entries(node)
        if total > self.limits.graph_entries:
            raise LimitError(
                f"all arrays of the network would have {total:,} entries together, "
                f"at most {self.limits.graph_entries:,} are allowed",
                where="model",
                setting="graph_entries",
            )

    @property
    def batches(self) -> Batches:
        return self._batches

    @cached_property
    def at_once(self) -> int:
        """So many samples may be put through the network together: no array is then larger than
        one may be.
        """
        graph, size = self.graph(0), self._batches.size(0)
        sizes = (int(np.prod(n.shape)) for n in graph.nodes.values() if n.kind != PARAMETER)
        return max(1, self.limits.array_entries * size // max(1, *sizes))

    @property
    def prediction(self) -> str:
        """The node that the loss compares with the target."""
        built: Model = self.model(self._batches.size(0))
        return built.prediction

    def names(self, what: str) -> list[str] | None:
        """What the spec calls its `columns` or `classes`, if it says so."""
        found: list[str] | None = self._given["data"].get(what)
        return found

    def graph(self, iteration: int) -> Graph:
        built: Model = self.model(self._batches.size(iteration))
        return built.graph

    def feed(self, iteration: int) -> dict[str, Array]:
        """The batch, and this iteration's noise: every mask from its own seeded stream."""
        fed = self._batches.feed(iteration)
        model: Model = self.model(self._batches.size(iteration))
        for number, noise in enumerate(model.noises):
            edited = self._noise_edits.get((iteration, noise.name))
            rng = np.random.default_rng([self.seed, 4, iteration, number])
            drawn = noise.draw(rng, model.graph[noise.name].shape)
            fed[noise.name] = drawn if edited is None else edited
        return fed

    def initial(self) -> dict[str, Array]:
        """Parameters and buffers as the spec gives them (a PyTorch `state_dict` will do); others
        are drawn, each from its own seeded stream.
        """
        given = self._given.get("parameters") or {}
        if not isinstance(given, dict):
            raise BackstepError("must be an object of name: array", where="parameters")
        model: Model = self.model(self._batches.size(0))
        declared = model.declared
        names = [d.name for d in declared]
        for name in given:
            if name not in names and name not in model.ignored:
                raise BackstepError(
                    f"parameter is not known: {name!r}; known are {', '.join(names)}",
                    where=f"parameters.{name}",
                )
        found = dict(model.constants)
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
        """Samples hold from this iteration on; noise is drawn anew for the next one."""
        if name in (INPUT, TARGET):
            self._batches.edit(iteration, name, value)
        else:
            self._noise_edits[iteration, name] = value

    def forget(self, iteration: int) -> None:
        self._batches.forget(iteration)
        for at in [at for at in self._noise_edits if at[0] > iteration]:
            del self._noise_edits[at]

    @property
    def noisy(self) -> bool:
        """Whether every iteration has draws of its own."""
        model: Model = self.model(self._batches.size(0))
        return bool(model.noises) or self._batches.augment is not None

    def version(self, iteration: int) -> object:
        if self.noisy:
            return iteration
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
        if self.noisy:
            return False
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
        return {name: value for name, value in self.program.values.items() if name in names}

    def feed(self, iteration: int) -> dict[str, Array]:
        values = self._values(INPUT, TARGET)
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
