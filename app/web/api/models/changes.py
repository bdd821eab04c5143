"""Changes by hand, and what they did."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from app.web.api.models.base import Given, Number, Said, State
from app.web.api.models.moves import Frame


class ValueBody(Given):
    value: Any = Field(description='a number, nested lists, or "NaN", "Infinity", "-Infinity"')


class SettingsBody(Given):
    lr: float | None = Field(default=None, description="the rate that the schedule multiplies")
    zero_grad: bool | None = Field(
        default=None, description="false forgets `optimizer.zero_grad()`"
    )
    clip: dict[str, Any] | None = Field(
        None, description='{"max_norm": 1}, {"clip_value": 0.5}, or null for none'
    )
    regularisation: dict[str, Any] | None = Field(
        None, description='{"l2": 0.01}, {"l1": 0.001}, both, or null for none'
    )

    @model_validator(mode="after")
    def _some(self) -> SettingsBody:
        if not self.model_fields_set:
            raise ValueError("give at least one of lr, zero_grad, clip and regularisation")
        for name in ("lr", "zero_grad"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class RestoreBody(Given):
    iteration: int | None = Field(
        default=None, ge=0, description="whose weights; default: the least validation loss's"
    )


class Effect(Said):
    node: str
    before: Number = Field(description="the loss")
    after: Number
    predicted: Number = Field(description="Σ gradient · change")
    actual: Number = Field(description="after − before")


class Changed(State):
    effect: Effect | None
    changes: list[dict[str, Any]]
    frames: list[Frame]
