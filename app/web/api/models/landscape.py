"""The loss on a plane."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from app.web.api.models.base import Given, Number, Said, one_of_both


class PlaneBody(Given):
    plane: Literal["random", "trajectory", "parameters"] = Field(
        default="random",
        description="two random directions with the filters' own lengths, the first two principal "
        "directions of the way, or two chosen parameters",
    )
    parameters: list[Any] | None = Field(
        None,
        description='for "parameters": [{"node": "0.weight", "index": [0, 1]}, {…}]; a single one '
        "gives a curve",
    )
    points: int = Field(default=25, ge=2, description="along each side of the grid")
    span: float = Field(default=1.0, gt=0, description="how far it reaches; 1 is as usual")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="of the random directions")
    ranges: list[list[float]] | None = Field(
        None, description="of a and b, instead of `span`: [[-1, 1], [-2, 2]]"
    )


class LandscapeBody(PlaneBody):
    iteration: int | None = Field(None, ge=0, description="default: the session's own")


class SurveyBody(PlaneBody):
    lesson: str | None = None
    spec: dict[str, Any] | None = None
    lane: dict[str, Any] | None = Field(
        None, description="what is changed of the spec, as in POST /api/sweeps"
    )
    lanes: list[Any] | None = Field(
        None,
        description="instead of `lane`: up to twelve, whose ways are laid onto one plane, that of "
        "the principal directions of all of them, around the first one's start",
    )
    iterations: int = Field(default=0, ge=0, description="so many are trained first")

    @model_validator(mode="after")
    def _one(self) -> SurveyBody:
        one_of_both(self.lesson, self.spec)
        return self


class Landscape(Said):
    iteration: int
    axes: list[str]
    explained: list[Number] | None = Field(
        description="share of the way's spread along each principal direction"
    )
    a: list[float]
    b: list[float]
    loss: list[list[Number] | None] = Field(description="loss[j][i] is that at a[i], b[j]")
    complete: bool
    here: dict[str, Number]
    path: list[dict[str, Number]]
    paths: list[list[dict[str, Number]]] | None = Field(
        None, description="with `lanes`: the way of each, up to where it is thrown out"
    )
    parameters: list[dict[str, Any]] = Field(description="all that there are: node and shape")
