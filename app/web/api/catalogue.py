"""GET /api/catalogue: all that can be chosen, read off the tables in which it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

import app.engine.ops  # noqa: F401  fills the table
from app.engine.op import OPS
from app.nn.init import INITS
from app.nn.layers import LAYERS
from app.nn.model import LOSSES
from app.sessions.frames import encode
from app.train.arguments import Recipe
from app.train.clipping import CLIPS
from app.train.datasets import DATASETS
from app.train.optimizers import OPTIMIZERS
from app.train.plans.listed import PLANS
from app.train.schedules import SCHEDULES
from app.web.api.answers import FRESH, says
from app.web.api.models import catalogue as models
from app.web.errors import Json

router = APIRouter(prefix="/api", tags=["catalogue"])

TABLES: dict[str, Mapping[str, type[Any]]] = {
    "ops": {name: op for name, op in OPS.items() if not op.is_loss},
    "layers": LAYERS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "datasets": DATASETS,
    "inits": INITS,
    "clips": CLIPS,
    "plans": PLANS,
}
ALSO = ("symbol", "formula", "pytorch", "differs", "task")
"""Class attributes that are worth telling where a table's rows have them."""


def parameters(row: type[Any]) -> list[dict[str, Any]]:
    """The arguments of a row with their defaults."""
    if issubclass(row, Recipe):
        return [
            {key: value for key, value in one.items() if key != "kw_only"}
            for one in row.arguments()
        ]
    found = []
    for field in fields(row):
        default: Any = field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        required = default is MISSING
        found.append(
            {
                "name": field.name,
                "default": None if required else default,
                "required": required,
                "summary": field.metadata.get("summary", ""),
            }
        )
    return found


def entry(name: str, row: type[Any]) -> dict[str, Any]:
    also = {key: getattr(row, key, None) for key in ALSO}
    return {
        "name": name,
        "summary": row.summary,
        "parameters": parameters(row),
        **{
            key: told.replace("@", "")
            for key, told in also.items()
            if isinstance(told, str) and told
        },
    }


@cache
def catalogue() -> bytes:
    return encode({table: [entry(*row) for row in rows.items()] for table, rows in TABLES.items()})


@router.get("/catalogue", summary="What there is", responses=says(models.Catalogue, "catalogue"))
async def read() -> Response:
    """Ops, layers, losses, optimizers, schedules, data sets, initialisers, ways of clipping,
    other plans.
    """
    return Json(catalogue(), 200, FRESH)
