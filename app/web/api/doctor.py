"""What ails a run, what its layers look like, and a cure tried as a second lane beside it."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Body, Query, Request
from starlette.responses import PlainTextResponse, Response

from app.lab import doctor as doctoring
from app.lab.evidence import LOOKS, Evidence
from app.lab.treatment import treat
from app.lab.vitals import vitals
from app.sessions.errors import limited
from app.web.api.answers import FRESH, READ, Id, Iteration, says
from app.web.api.long import KeepOn, streams
from app.web.api.looking import Heard, examine, examined, look
from app.web.api.models import doctor as models

router = APIRouter(prefix="/api/sessions/{id}", tags=["experiments"])

TREATMENTS = {
    "forgotten": {
        "summary": "empty the gradients again",
        "value": {"check": "forgotten_zero_grad", "cure": "zero_grad"},
    }
}
DOCTOR_ANSWERS = says(models.Doctor, "doctor", *READ)
DOCTOR_ANSWERS[200]["content"]["text/plain"] = {"schema": {"type": "string"}}


@router.get("/doctor", summary="What ails this run", responses=DOCTOR_ANSWERS)
async def doctor(
    request: Request,
    id: Id,
    iteration: Iteration = None,
    vitals: Annotated[bool, Query(description="with each layer's vitals")] = True,
) -> Response:
    """Checks of the run up to the position (or another iteration), each with its threshold and
    source. A finding names cause, place and cures; POST on the same address tries one, and the
    `changes` of a cure are a lane for POST /api/sweeps over the answer's `spec`. With
    `Accept: text/plain` a text to be read. Nothing is changed.
    """
    at = await look(request, id, iteration)
    plain = request.headers.get("accept", "").startswith("text/plain")

    def work(keep_on: KeepOn) -> Any:
        return doctoring.report(
            at.session.run, at.moment.iteration, keep_on, with_vitals=vitals and not plain
        )

    if not plain:
        return await examine(request, at, work)
    text = await examined(request, at, lambda keep_on: doctoring.in_words(work(keep_on)).encode())
    return PlainTextResponse(text, 200, {**FRESH, "etag": f'"{at.session.revision}"'})


@router.post(
    "/doctor",
    summary="Try a cure",
    responses=streams(says(models.Treatment, "treatment", 400, 404, 413, 415, 422)),
)
async def cure(
    request: Request,
    id: Id,
    body: Annotated[models.TreatmentBody, Body(openapi_examples=TREATMENTS)],
) -> Response:
    """Two lanes from the same start: the run as it is, and with one of the cures that a finding of
    GET on the same address offers; and whether the finding is gone. Each lane's `spec` makes a
    session. Nothing is changed. With `Accept: text/event-stream` it tells its progress first.
    """
    at = await look(request, id, body.iteration)

    def work(heard: Heard) -> Any:
        found = treat(
            at.session.run,
            at.moment.iteration,
            body.check,
            body.cure,
            body.iterations,
            max_iterations=at.desk.limits.sweep_iterations,
            progress=heard,
        )
        return {**vars(found), "lanes": [vars(lane) for lane in found.lanes]}

    return await examine(request, at, work)


@router.get(
    "/vitals", summary="Every layer's vital signs", responses=says(models.Vitals, "vitals", *READ)
)
async def vital_signs(
    request: Request,
    id: Id,
    iteration: Iteration = None,
    looks: Annotated[
        int, Query(ge=2, description="iterations looked at, evenly up to this one")
    ] = LOOKS,
) -> Response:
    """For each weight and each look: the size of the gradient that reaches its layer (the ladder),
    update : weight, and histograms of outputs, gradients and weights. Nothing is changed.
    """
    at = await look(request, id, iteration)
    limited(at.desk.limits, "vitals_looks", looks, "looks")

    def work(keep_on: KeepOn) -> Any:
        with np.errstate(all="ignore"):
            evidence = Evidence(at.session.run, at.moment.iteration, looks, keep_on)
            return vitals(evidence, keep_on)

    return await examine(request, at, work)
