"""Is it up, and which version is it?"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from app import __version__

router = APIRouter(prefix="/api", tags=["server"])


class Health(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok", "version": __version__}]}
    )

    status: Literal["ok"]
    version: str


@router.get("/health", summary="Is the server up?")
async def health() -> Health:
    return Health(status="ok", version=__version__)
