"""Recurrent layers as one op each, or step by step."""

from __future__ import annotations

from pydantic import Field

from app.web.api.models.base import Given


class FusedBody(Given):
    fused: bool = Field(description="true: one op for all steps of time; false: a node for each")
    node: str | None = Field(default=None, description="a node whose counterpart is wanted")
