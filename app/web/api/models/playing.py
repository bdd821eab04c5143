"""Watched training: how to play, maps of neurons, and what a picture holds."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.web.api.models.base import Given, Number, Said, State


class PlayBody(Given):
    speed: float | None = Field(
        None, gt=0, le=1e9, description="updates a second; null: all that the machine can do"
    )
    gentle: bool = Field(False, description="begin slowly, so that the first updates can be seen")
    iterations: int | None = Field(
        None, ge=1, description="stop after so many; without it, when stopped or no longer watched"
    )
    until: dict[str, Any] | None = Field(None, description="as for …/train")
    restore_best: bool = Field(
        False,
        description="when validation_patience has ended it, take up the weights of the least "
        "validation loss; a change in the log",
    )


class Played(State):
    playing: bool
    reason: str = Field(
        description="why it stands still: paused, done, limit (of the session), moved (somebody "
        "went elsewhere), alone (nobody watched), error, or a condition such as nonfinite; empty "
        "while it plays"
    )
    says: str = Field(description="the same in words, where there is more to say")
    batch_loss: Number | None = Field(
        description="the loss that the iteration at the position has; null while it plays"
    )


class Column(Said):
    node: str = Field(description="whose value the neurons of this layer say")
    title: str = Field(description="the op at its end")
    weight: str
    bias: str
    units: int
    first: int = Field(
        description="the row of `weight` where the units begin: the new content of LSTM and GRU"
    )
    looked_up: int = Field(description="tokens that have a row in `weight`, if it is looked up")
    steps: list[str] = Field(description="of a recurrent layer: its states in the order of time")


class MappedColumn(Column):
    limit: float = Field(description="the largest size in it, at least 1: where colours end")
    maps: list[list[list[Number]]] = Field(
        description="[unit][row][column], rows from the top; one row for a single input; of tokens "
        "a row for each sequence and a column for each step"
    )


class Sequences(Said):
    part: str = Field(description="train, or validation where samples are held back")
    inputs: list[list[Number]] = Field(description="tokens, [sequence][step]")
    targets: list[list[Number]] = Field(description="one a step, or one for all of a sequence")
    said: list[list[int]] | None = Field(
        description="the class that the network says, −1 for none; null where it says numbers"
    )
    answers: list[list[Number]] = Field(
        description="how sure that is: the share of class 1 of two, of the said one of more; or "
        "the number itself"
    )


class Gallery(Said):
    part: str
    classes: list[int] | None = Field(
        description="the class of each row; null where samples go from the lowest target to the "
        "highest"
    )
    targets: list[list[Number]] = Field(description="[row][column]")
    said: list[list[int]] | None
    answers: list[list[Number]] = Field(description="as of sequences")


class Maps(Said):
    iteration: int
    domain: list[list[float]] = Field(description="from and to on each axis of the input")
    shape: list[int]
    classes: int = Field(description="0 for regression; with 2 the answer is from −1 to 1")
    columns: list[MappedColumn]
    scores: dict[str, dict[str, Any]] = Field(
        description="of train and validation: loss without penalties, accuracy, confusion "
        "(rows are true classes)"
    )
    sequences: Sequences | None = Field(description="what was said of tokens, null for others")
    gallery: Gallery | None = Field(
        description="what was said to some samples that are no points, null for others"
    )
