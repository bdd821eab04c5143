"""A spec: the JSON document that, with the list of changes, determines every number of a run."""

from __future__ import annotations

from collections.abc import Mapping
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
from app.train.plans.checkpointing import check_distance
from app.train.plans.fusing import check_fused, in_form
from app.train.plans.method import PLAIN, Method, parse_method
from app.train.plans.rewritten import changed
from app.train.problem import ModelProblem, Problem, ProgramProblem
from app.train.schedules import Schedule, parse_schedule

MODEL_FIELDS = (
    "title model loss optimizer schedule clip accumulate data batch_size shuffle parameters init "
    "precision seed zero_grad checkpoint regularisation fused fault forward_mode scalars"
).split()
PROGRAM_FIELDS = (
    "title program values output parameters optimizer schedule clip zero_grad seed "
    "precision checkpoint regularisation fault forward_mode scalars"
).split()
MOVES = frozenset("title optimizer schedule clip zero_grad".split())
"""How a problem is trained: specs that differ in nothing else may have one problem."""
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


def parse_spec(given: Any, limits: SpecLimits | None = None, like: Spec | None = None) -> Spec:
    """Check a spec and build its problem, or take that of one `like` it, if they agree about it;
    nobody may then edit what either is trained on.

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
    if like is not None and like.limits == limits and _agree(given, like.document):
        problem, method = like.problem, like.method
    else:
        if "program" in given:
            problem = ProgramProblem.parse(given, limits)
        else:
            problem = ModelProblem.parse(given, seed, limits)
        method = parse_method(given)
        if method.checkpoint is not None:
            check_distance(problem.graph(0), method.checkpoint)
        if method.fused is not None:
            check_fused(problem)
        problem = changed(in_form(problem, method.shown_fused), method, limits.graph_nodes)
    schedule = parse_schedule(given.get("schedule"))
    spec = Spec(given, problem, optimizer, schedule, clip, zero_grad, title, limits, method)
    graph = problem.graph(0)
    iteration_plan(graph, optimizer, method=method)
    return spec


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two documents say the same of the problem: the very same objects, or equal numbers
    and words. Equal lists may count as different; then one is read again.
    """
    if one.keys() - MOVES != other.keys() - MOVES:
        return False
    pairs = [(one[name], other[name]) for name in one.keys() - MOVES]
    return all(
        a is b or (isinstance(a, int | float | str) and type(a) is type(b) and a == b)
        for a, b in pairs
    )


def parse_optimizer(given: Any) -> Optimizer | None:
    return None if given is None else pick(OPTIMIZERS, given, "optimizer", "the optimizer")


def clip_step(given: Any, graph: Graph) -> Step | None:
    clip = parse_clip(given)
    return None if clip is None else ClipStep(tuple(graph.kind(PARAMETER)), clip)
