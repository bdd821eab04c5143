"""What another plan does, shown: micro-batches add up to the large batch, checkpoints save memory,
float16 loses small gradients, and a slope can be had in several ways. Nothing here moves anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.engine.errors import BackstepError
from app.sessions.session import worded
from app.train.approaches import EPSILON, approaches
from app.train.plans.decay import decay_view
from app.train.plans.memory import memory_view
from app.train.plans.proof import accumulation_proof
from app.train.plans.underflow import underflow_view
from app.train.run import Run
from app.web.api import looking
from app.web.api.answers import READ, Id, Iteration, says
from app.web.api.looking import look
from app.web.api.models import plans as models

router = APIRouter(prefix="/api/sessions/{id}", tags=["plans"])

LONGEST = 4_000
Manual = Annotated[
    str | None,
    Query(
        max_length=LONGEST,
        description='formulas by hand, as JSON: {"w": "g = 2*(w*x + b)*x"}',
    ),
]


async def view(
    request: Request, id: str, iteration: int | None, make: Callable[[Run, int], dict[str, Any]]
) -> Response:
    """Of the session's own iteration, or of another one that can be reached."""
    at = await look(request, id, iteration)
    return await looking.view(at, lambda: worded(make(at.session.run, at.moment.iteration)))


@router.get("/proof", summary="Accumulation, proved", responses=says(models.Proof, "proof", *READ))
async def proof(request: Request, id: Id, iteration: Iteration = None) -> Response:
    """What every micro-batch adds to each gradient, the sum, and the gradient of the whole batch
    computed by itself. Needs a spec with `accumulate` of at least 2.
    """
    return await view(request, id, iteration, accumulation_proof)


@router.get("/memory", summary="Memory of the plan", responses=says(models.Memory, "memory", *READ))
async def memory(request: Request, id: Id, iteration: Iteration = None) -> Response:
    """Bytes of activations that live after each step of this plan, and of the plan without
    checkpoints.
    """
    return await view(request, id, iteration, memory_view)


@router.get(
    "/underflow",
    summary="What float16 loses",
    responses=says(models.Underflow, "underflow", *READ),
)
async def underflow(request: Request, id: Id, iteration: Iteration = None) -> Response:
    """Which gradients became 0 on their way back though in full precision they are not. Needs a
    spec with `precision`.
    """
    return await view(request, id, iteration, underflow_view)


@router.get("/decay", summary="Ways of decay", responses=says(models.Decay, "decay", *READ))
async def decay(request: Request, id: Id, iteration: Iteration = None) -> Response:
    """The same update with an L1 penalty, an L2 penalty, coupled and decoupled weight decay. Needs
    a spec with one of them.
    """
    return await view(request, id, iteration, decay_view)


@router.get(
    "/approaches",
    summary="One slope, several ways",
    responses=says(models.Approaches, "approaches", *READ),
)
async def ways(
    request: Request,
    id: Id,
    iteration: Iteration = None,
    manual: Manual = None,
    epsilon: Annotated[
        float, Query(description="how far a number is moved to measure the slope")
    ] = EPSILON,
) -> Response:
    """By hand, by measuring, by forward and by reverse mode: each with its gradient, its error and
    its cost; and how a measured slope's error depends on the step. Up to 64 parameters.
    """
    formulas = _formulas(manual)
    return await view(request, id, iteration, lambda run, i: approaches(run, i, formulas, epsilon))


def _formulas(given: str | None) -> dict[str, str] | None:
    if given is None:
        return None
    try:
        found = orjson.loads(given)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(f, str) for f in found.values()):
        raise BackstepError(
            f'must be a JSON object of formulas by parameter, such as {{"w": "g = 2*w"}}: '
            f"{given[:60]!r}",
            where="manual",
        )
    return found
