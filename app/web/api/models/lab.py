"""Experiments: gradient check, sweep, range test, sharpness, doctor."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from app.web.api.models.base import Given, Number, Position, Said, one_of_both


class CheckBody(Given):
    epsilon: float = Field(
        default=1e-5, gt=0, le=1, description="how far each number is moved both ways"
    )


class SweepBody(Given):
    lesson: str | None = None
    spec: dict[str, Any] | None = None
    lanes: list[Any] = Field(
        description='[{"lr": 0.1}, {"optimizer": {"type": "adam", "lr": 0.01}}, …]: what each '
        'lane changes of the spec, and a "label" if you like'
    )
    iterations: int = Field(ge=1)
    specs: bool = Field(default=False, description="tell each lane's whole spec, to be walked")

    @model_validator(mode="after")
    def _one(self) -> SweepBody:
        one_of_both(self.lesson, self.spec)
        return self


class RangeTestBody(Given):
    lesson: str | None = None
    spec: dict[str, Any] | None = None
    low: float = Field(default=1e-5, gt=0, description="the first rate")
    high: float = Field(default=10.0, gt=0, description="the last rate")
    iterations: int = Field(default=200, ge=10)

    @model_validator(mode="after")
    def _one(self) -> RangeTestBody:
        one_of_both(self.lesson, self.spec)
        return self


class SharpnessBody(Given):
    lesson: str | None = None
    spec: dict[str, Any] | None = None
    lane: dict[str, Any] | None = Field(
        None, description="what is changed of the spec, as in POST /api/sweeps"
    )
    iterations: int = Field(default=100, ge=0)
    points: int = Field(default=10, ge=1, description="at so many iterations, evenly")

    @model_validator(mode="after")
    def _one(self) -> SharpnessBody:
        one_of_both(self.lesson, self.spec)
        return self


class CheckEntry(Said):
    node: str
    index: list[int]
    automatic: Number
    numerical: Number
    relative_error: Number
    ok: bool


class GradientCheck(Said):
    position: Position
    epsilon: float
    entries: list[CheckEntry]
    worst: Number
    ok: bool
    verdict: str


class Verdict(Said):
    kind: str = Field(description="crawls, stands, right, unsteady, oscillates or diverges")
    at: int = Field(description="the iteration at which it was decided")
    says: str


class Lane(Said):
    label: str
    lr: float
    loss: list[Number] = Field(description="loss[k] is that after k updates")
    verdict: Verdict
    final: Number
    path: list[Number] | list[list[Number]] | None = Field(
        description="of the parameter after k updates, if there is one number, or of both"
    )
    axes: list[dict[str, Any]] | None = Field(description="which two numbers those are")
    rates: list[Number] | None = Field(description="of each iteration, under a schedule")
    smooth: list[Number] | None = Field(description="losses as means over an epoch of batches")
    samples: list[int] | None = Field(description="seen after k updates")
    batches: int = Field(description="in an epoch")
    spec: dict[str, Any] | None = Field(description="with `specs`: what POST /api/sessions takes")


class Sweep(Said):
    lanes: list[Lane]


class SharpnessPoint(Said):
    iteration: int
    sharpness: Number = Field(description="λmax, the largest eigenvalue of the loss's Hessian")
    limit: Number | None = Field(description="2/λmax; null where the loss curves upward nowhere")
    lr: Number | None
    rounds: int = Field(description="of power iteration")
    residual: Number
    settled: bool
    says: str


class Sharpness(Said):
    method: str
    epsilon: float
    points: list[SharpnessPoint]


class RangeTest(Said):
    lr: list[float]
    loss: list[Number]
    smooth: list[Number]
    interval: list[float] | None = Field(description="rates worth trying, from and to")
    steepest: float | None
    lowest: float | None
    diverges: float | None = Field(description="the rate from which on the loss climbs")
    says: str


class SharpnessCourse(Sharpness):
    loss: list[Number] = Field(description="after k updates")
    lr: list[Number | None]
