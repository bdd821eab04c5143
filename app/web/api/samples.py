"""A session's samples: all of them for drawing, those of an iteration, and how well the network
does on them. Nothing here moves anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.engine.errors import BackstepError
from app.lab.gradient_noise import gradient_noise as noise
from app.sessions.errors import limited
from app.sessions.moment import Moment
from app.sessions.session import Session, worded
from app.train.plans.rewritten import model_of
from app.train.problem import ModelProblem
from app.train.run import Run
from app.train.scores import evaluated
from app.train.showing import batch_view, rows_view
from app.web.api import looking
from app.web.api.answers import READ, Id, Iteration, desk_of, says
from app.web.api.looking import examine, look, whole_numbers
from app.web.api.models import datasets as models

router = APIRouter(prefix="/api/sessions/{id}", tags=["looking"])

Make = Callable[[Session, Moment], dict[str, Any]]


async def view(
    request: Request, id: str, iteration: int | None, make: Make, reach: bool
) -> Response:
    """`reach`: the run has to be computed up to there."""
    at = await look(request, id, iteration)
    return await looking.view(at, lambda: worded(make(at.session, at.moment)), reach)


def samples_of(run: Run) -> ModelProblem:
    problem = model_of(run.problem)
    if problem is None:
        raise BackstepError("a program has no samples, only its values", where="id")
    return problem


def data_of(run: Run, iteration: int, most: int) -> dict[str, Any]:
    problem = samples_of(run)
    told = {name: problem.names(name) for name in ("columns", "classes")}
    return {"iteration": iteration, **told, **rows_view(problem.batches, most, iteration)}


@router.get("/data", summary="Its samples", responses=says(models.SessionRows, "data", *READ))
async def data(request: Request, id: Id, iteration: Iteration = None) -> Response:
    """Training and validation samples in the units that they came in, edits by hand included, and
    what standardisation does to them.
    """
    most = desk_of(request).limits.data_rows_shown
    return await view(
        request, id, iteration, lambda s, at: data_of(s.run, at.iteration, most), False
    )


def batch_of(run: Run, iteration: int) -> dict[str, Any]:
    return batch_view(samples_of(run).batches, iteration)


@router.get("/batch", summary="An iteration's batch", responses=says(models.Batch, "batch", *READ))
async def batch(request: Request, id: Id, iteration: Iteration = None) -> Response:
    """Which training samples this iteration sees, and the order in which its epoch sees them all,
    so that shuffling can be shown.
    """
    return await view(request, id, iteration, lambda s, at: batch_of(s.run, at.iteration), False)


@router.get(
    "/evaluate",
    summary="How good it is",
    responses=says(models.Evaluation, "evaluation", *READ),
)
async def evaluate(request: Request, id: Id, iteration: Iteration = None) -> Response:
    """Loss, accuracy and confusion matrix with the parameters at the start of an iteration: of all
    training samples and of those held back, without dropout and augmentation.
    """
    return await view(request, id, iteration, lambda s, at: evaluated(s.run, at.iteration), True)


Sizes = Annotated[
    str | None,
    Query(max_length=80, description="sizes such as 1,10,100; default: one, the batch, all"),
]


@router.get(
    "/gradient-noise",
    summary="What a mini-batch sees of the slope",
    responses=says(models.GradientNoise, "gradient_noise", *READ),
)
async def gradient_noise(
    request: Request,
    id: Id,
    iteration: Iteration = None,
    batches: Annotated[int, Query(ge=1, description="mini-batches of each size")] = 8,
    sizes: Sizes = None,
) -> Response:
    """The gradient of all training samples and those of some mini-batches, as arrows on a plane,
    with their norms and how far they turn away from the full one.
    """
    limited(desk_of(request).limits, "noise_batches", batches, "batches")
    wanted = None if sizes is None else whole_numbers(sizes, "sizes", "1,10")
    at = await look(request, id, iteration)
    run, i = at.session.run, at.moment.iteration
    return await examine(request, at, lambda _: noise(run, i, count=batches, sizes=wanted))


def examples(run: Run) -> dict[str, Any]:
    """For the API page: one run with classes."""
    return {
        "data": worded(data_of(run, 0, 2)),
        "batch": batch_of(run, 1),
        "evaluation": worded(evaluated(run, 4)),
        "gradient_noise": worded(noise(run, 1, count=2)),
    }
