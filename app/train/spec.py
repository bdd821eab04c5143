"""A spec: the JSON document that, with the list of changes, determines every number of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import pick, whole
from app.engine.graph import PARAMETER, Graph
from app.engine.plan import Step
from app.train.clipping import ClipStep, parse_clip
from app.train.iteration import iteration_plan
from app.train.limits import SpecLimits
from app.train.optimizers import OPTIMIZERS, Optimizer
from app.train.plans.method import PLAIN, Method, parse_method
from app.train.plans.rewritten import changed
from app.train.problem import ModelProblem, Problem, ProgramProblem
from app.train.schedules import Schedule, parse_schedule

MODEL_FIELDS = (
    "title model loss optimizer schedule clip accumulate data batch_size shuffle parameters init "
    "precision seed zero_grad checkpoint regularisation fault forward_mode scalars"
).split()
PROGRAM_FIELDS = (
    "title program values output parameters optimizer schedule clip zero_grad seed "
    "precision checkpoint regularisation fault forward_mode scalars"
).split()
DEFAULT_OPTIMIZER = {"type": "sgd", "lr": 0.1}


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
    method: Method = PLAIN


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
    schedule = parse_schedule(given.get("schedule"))
    method = parse_method(given)
    problem = changed(problem, method, limits.graph_nodes)
    spec = Spec(given, problem, optimizer, schedule, clip, zero_grad, title, limits, method)
    graph = problem.graph(0)
    iteration_plan(graph, optimizer, method=method)
    return spec


def parse_optimizer(given: Any) -> Optimizer | None:
    return None if given is None else pick(OPTIMIZERS, given, "optimizer", "the optimizer")


def clip_step(given: Any, graph: Graph) -> Step | None:
    clip = parse_clip(given)
    return None if clip is None else ClipStep(tuple(graph.kind(PARAMETER)), clip)
