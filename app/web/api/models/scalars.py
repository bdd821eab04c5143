"""Tensors and the scalar nodes of their entries."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.web.api.models.base import Given, Said
from app.web.api.models.sessions import Session


class ScalarsBody(Given):
    scalars: bool = Field(description="true: every number a node; false: arrays")
    node: str | None = Field(default=None, description="a node whose counterpart is wanted")


class Tensor(Said):
    shape: list[int]
    nodes: Any = Field(description="nested lists of scalar nodes' names; one name for a number")


class Scalars(Said):
    scalars: bool = Field(description="whether the session is taken apart")
    limit: int = Field(description="entries that a graph to be taken apart may have in all")
    why: str | None = Field(description="why it cannot be taken apart; null: it can")
    nodes: int | None = Field(description="nodes of the scalar graph")
    tensors: dict[str, Tensor] | None


class TakenApart(Session):
    node: str | None = Field(description="what stands for the node of the body")
