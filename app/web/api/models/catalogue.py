"""The catalogue."""

from __future__ import annotations

from typing import Any

from app.web.api.models.base import Said


class Catalogue(Said):
    ops: list[dict[str, Any]]
    layers: list[dict[str, Any]]
    losses: list[dict[str, Any]]
    optimizers: list[dict[str, Any]]
    schedules: list[dict[str, Any]]
    datasets: list[dict[str, Any]]
    inits: list[dict[str, Any]]
    clips: list[dict[str, Any]]
    plans: list[dict[str, Any]]
