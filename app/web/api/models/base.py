"""What all models share: how requests are read, how a refusal looks, where a session stands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Number = float | Literal["NaN", "Infinity", "-Infinity"]
Slot = Literal["value", "grad"]


class Given(BaseModel):
    """A request's body: nothing is guessed, nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Said(BaseModel):
    model_config = ConfigDict(extra="allow")


class Problem(Said):
    code: str
    message: str = Field(description="what is wrong and what would be accepted")
    where: str | None = Field(description="the field, node, line or route concerned")
    revision: int | None = Field(
        default=None, description="with code stale_revision: the current one"
    )


class Refusal(Said):
    error: Problem


def one_of_both(lesson: str | None, spec: dict[str, Any] | None) -> None:
    if (lesson is None) == (spec is None):
        raise ValueError('give either "lesson": an id of GET /api/lessons, or "spec": {…}')


class Place(Given):
    iteration: int = Field(ge=0, description="0 is the first")
    step: int = Field(default=0, ge=0, description="how many steps of the iteration are done")


class Moment(Said):
    iteration: int
    step: int


class Position(Said):
    iteration: int
    step: int = Field(description="how many steps of this iteration are done, 0 … of")
    of: int


class Counters(Said):
    step: int
    iteration: int
    epoch: int
    batch: int
    batches: int
    samples: int


class Settings(Said):
    lr: float | None
    lr_now: Number | None = Field(description="after the schedule")
    zero_grad: bool
    clip: Any = None
    regularisation: Any = None


class Array(Said):
    shape: list[int]
    dtype: str
    data: Any = Field(
        description="nested lists; null above 4,096 entries; not-finite ones as words"
    )
    min: Number | None
    max: Number | None
    mean: Number | None
    norm: Number | None
    nonfinite: int


class State(Said):
    id: str
    revision: int
    position: Position
    counters: Counters
    loss: Number | None
    settings: Settings
    seen: Moment


class Note(Said):
    index: int
    says: str
