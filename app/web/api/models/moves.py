"""Moving: steps with their frames, seeking, training."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from app.web.api.models.base import Array, Given, Number, Position, Said, State


class StepBody(Given):
    count: int = Field(default=1, description="how many; negative steps back")
    unit: Literal["node", "phase", "iteration", "epoch"] = "node"
    frames: bool = Field(
        True, description="whether the answer holds the frames of node and phase steps"
    )


class TrainBody(Given):
    iterations: int | None = Field(default=None, ge=0)
    epochs: int | None = Field(default=None, ge=0)
    until: dict[str, Any] | None = Field(
        default=None,
        description="whichever comes about first ends the training: loss_below (a number, "
        "for the mean over an epoch's batches), grad_norm_below (a number), gradient_below "
        '({"node": "0.weight", "unit": 0, "border": 0.001}, its row or without "unit" all of it), '
        "nonfinite (true), dead_unit (true, or "
        '{"node": "1.a", "unit": 0}), validation_patience (epochs, with min_delta). With it '
        "iterations and epochs are a limit that may be left out",
    )
    restore_best: bool = Field(
        default=False,
        description="go on with the weights of the least validation loss; a change in the log",
    )
    history: bool = Field(default=True, description="answer the whole history; it may be long")

    @model_validator(mode="after")
    def _one(self) -> TrainBody:
        given = (self.iterations is not None) + (self.epochs is not None)
        if given > 1 or (given == 0 and self.until is None):
            raise ValueError('give either "iterations": n or "epochs": n, or "until": {…}')
        return self


class Ending(Said):
    reason: str = Field(description="a condition of until, or iterations, or stopped")
    iteration: int = Field(description="training ended before it")
    step: int | None = Field(description="plan index of the step concerned")
    node: str | None
    unit: int | None
    says: str


class Best(Said):
    iteration: int = Field(description="the weights at its start")
    validation_loss: Number


class Write(Said):
    node: str
    slot: str
    value: Array | None = Field(description="null: emptied")


class Contribution(Said):
    source: str = Field(alias="from")
    to: str
    slot: int
    value: Array
    first: bool = Field(description="fills an empty slot rather than adding to it")


class Frame(Said):
    index: int
    position: Position
    phase: str
    node: str | None
    op: str | None
    writes: list[Write]
    contributions: list[Contribution]
    formula: dict[str, str]
    lines: list[dict[str, Any]]
    refs: dict[str, Any]
    curve: dict[str, Any] | None
    says: str
    code: dict[str, str]


class History(Said):
    iteration: list[int]
    train_loss: list[Number]
    validation_loss: list[Number | None]
    lr: list[Number | None]
    grad_norm: list[Number]


class Moved(State):
    frames: list[Frame] = Field(description="of the steps run, or undone, in that order")


class Trained(State):
    ended: Ending
    best: Best | None = Field(description="of the validation losses so far")
    changes: list[dict[str, Any]]
    history: History | None = Field(default=None, description="absent if not asked for")
    frames: list[Frame]
