"""Data: what data sets there are, what they look like, and tables that people bring."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.responses import Response

from app.engine.errors import BackstepError
from app.sessions.errors import NotFoundError
from app.sessions.frames import encode
from app.sessions.session import spec_limits, worded
from app.settings import Limits
from app.train.augment import Augment
from app.train.csv_table import read_table
from app.train.data import OPTIONS, parse_data
from app.train.datasets import DATASETS
from app.train.limits import SpecLimits
from app.train.showing import rows_view
from app.web.api.answers import FRESH, READ, answer, desk_of, says
from app.web.api.catalogue import parameters
from app.web.api.models import datasets as models
from app.web.errors import Json

router = APIRouter(prefix="/api/datasets", tags=["data"])

TABLES = {
    "labels": {
        "summary": "labels become class numbers",
        "value": {"text": "width,height,kind\n1.0,2.0,a\n1.5,0.5,b\n2.0,1.0,b\n"},
    },
    "commas": {
        "summary": "semicolons and decimal commas",
        "value": {"text": "0,5;1,5;2,25\n1,0;2,0;3,5\n2,0;0,5;1,75\n", "task": "values"},
    },
}
SAYS = {
    "validation": (0.0, "share of the samples that is held back"),
    "standardise": (False, "inputs less their mean, by their spread, of the training part"),
    "augment": (None, '{"jitter": 0.1, "shift": 1}: inputs a little different in each iteration'),
    "overfit_one_batch": (False, "keep the samples of the first batch only"),
    "seed": (None, "of data and split; default: the spec's"),
}


@router.get("", summary="Data sets", responses=says(models.Datasets, "datasets"))
async def listed(request: Request) -> Response:
    """Each with its parameters, the kind of task and a loss that fits; and the options that every
    spec's `data` has.
    """
    return answer(listing(desk_of(request).limits))


def listing(limits: Limits) -> dict[str, Any]:
    return {
        "datasets": [{**row.about(), "parameters": parameters(row)} for row in DATASETS.values()],
        "options": [
            {
                "name": name,
                "default": SAYS[name][0],
                "summary": SAYS[name][1],
                "parameters": parameters(Augment) if name == "augment" else [],
            }
            for name in OPTIONS
        ],
        "limits": {
            "samples": limits.data_samples,
            "array_entries": limits.array_entries,
            "body_bytes": limits.body_bytes,
            "rows_shown": limits.data_rows_shown,
        },
    }


Text = Annotated[str | None, Query(description="default: the data set's own")]


@router.get(
    "/{name}", summary="One data set's samples", responses=says(models.DatasetRows, "rows", *READ)
)
async def rows(
    request: Request,
    name: Annotated[str, Path(description="a data set's name", examples=["moons"])],
    samples: Text = None,
    noise: Text = None,
    seed: Annotated[int, Query(ge=0, le=2**32 - 1, description="as in a spec")] = 0,
    validation: Annotated[float, Query(description="share that is held back")] = 0.0,
    standardise: Annotated[bool, Query(description="tells mean and spread")] = False,
) -> Response:
    """The very samples that a spec with these arguments trains on, in their own units, for drawing.
    A data set's other parameters (`turns`, `length`, `delay`, …) are given in the same way.
    """
    desk = desk_of(request)
    if name not in DATASETS:
        there = ", ".join(DATASETS)
        raise NotFoundError(f"there is no data set {name[:80]!r}; there are {there}", where="name")
    given = dict(request.query_params)
    for option in ("seed", "validation", "standardise"):
        given.pop(option, None)
    data = {"dataset": name, **{key: _read(value) for key, value in given.items()}}
    data |= {"validation": validation, "standardise": standardise}

    def make() -> bytes:
        return encode(worded(shown(data, seed, desk.limits)))

    return Json(await desk.workers.run(make), 200, FRESH)


def shown(data: dict[str, Any], seed: int, limits: Limits) -> dict[str, Any]:
    row = DATASETS[data["dataset"]]
    batches = parse_data(
        data,
        classes=row.task == "multiclass",
        batch_size=None,
        shuffle=False,
        seed=seed,
        limits=spec_limits(limits),
    )
    told = rows_view(batches, limits.data_rows_shown)
    return {"name": row.name, "task": row.task, "classes": row.classes, **told}


def _read(text: str) -> Any:
    """A number or true or false as in JSON, else the text itself, for the message."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text[:60]


class Upload(APIRoute):
    """A file as it is, sent as text/csv, does as well as JSON; options then stand in the query."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        usual = super().get_route_handler()

        async def handle(request: Request) -> Response:
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "text/csv":
                return await usual(request)
            return await csv(request, _uploaded(await request.body(), request))

        return handle


def _uploaded(content: bytes, request: Request) -> models.CsvBody:
    options = {name: _read(value) for name, value in request.query_params.items()}
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BackstepError(
            "the file is not in UTF-8; save it as CSV UTF-8", where=f"line {line}"
        ) from None
    try:
        return models.CsvBody.model_validate({**options, "text": text})
    except ValidationError as error:
        errors = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(errors) from None


files = APIRouter(prefix="/api/datasets", tags=["data"], route_class=Upload)


@files.post(
    "/csv",
    summary="Read a table",
    responses=says(models.Table, "table", 400, 413, 415, 422),
    openapi_extra={"requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def csv(
    request: Request, body: Annotated[models.CsvBody, Body(openapi_examples=TABLES)]
) -> Response:
    """Text as `inputs` and `targets` for a spec's `data`; what is wrong is said with line and
    column. A file may be sent as it is, as text/csv: the options then stand in the query. Nothing
    is kept.
    """
    desk = desk_of(request)

    def make() -> bytes:
        if "\0" in body.text:
            raise BackstepError(
                "this is no text: it holds a zero byte; save the table as CSV", where="text"
            )
        return encode(table(body, spec_limits(desk.limits)))

    return Json(await desk.workers.run(make), 200, FRESH)


def table(body: models.CsvBody, limits: SpecLimits) -> dict[str, Any]:
    options = body.model_dump(exclude={"text"})
    return read_table(body.text, **options, limits=limits).as_json()


def examples() -> dict[str, Any]:
    """For the API page."""
    limits = Limits()
    some = listing(limits)
    data = {"dataset": "moons", "samples": 4, "validation": 0.25, "standardise": True}
    example: Any = TABLES["labels"]["value"]
    return {
        "datasets": {**some, "datasets": some["datasets"][:1]},
        "rows": worded(shown(data, 0, limits)),
        "table": table(models.CsvBody.model_validate(example), spec_limits(limits)),
    }
