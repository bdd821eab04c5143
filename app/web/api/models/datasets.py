"""Data sets, and a person's own tables."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.web.api.models.base import Given, Number, Said


class CsvBody(Given):
    text: str = Field(description="the table; commas, semicolons or tabs between columns")
    delimiter: Literal[",", ";", "\t"] | None = Field(None, description="default: found out")
    header: bool | None = Field(None, description="whether the first line holds names")
    target: str | int | None = Field(
        None, description="the target's column, by name or number from 1; default: the last"
    )
    task: Literal["auto", "classes", "values"] = Field(
        default="auto", description="whether a target of whole numbers means classes"
    )
    skip_missing: bool = Field(
        default=False, description="leave out lines with a missing value instead of refusing them"
    )


class Feature(Said):
    name: str
    min: Number
    max: Number
    mean: Number
    std: Number


class Table(Said):
    inputs: list[list[float]]
    targets: list[list[float]]
    columns: list[str]
    target: str
    classes: list[str] | None = Field(description="label of class 0, 1, …")
    task: str
    loss: str = Field(description="a loss that fits")
    outputs: int = Field(description="so many numbers the network should end in")
    samples: int
    delimiter: str
    header: bool
    features: list[Feature]
    notes: list[str] = Field(description="what was decided or found on the way, in words")


class Dataset(Said):
    name: str
    summary: str
    task: str = Field(description="binary, multiclass, regression or sequence")
    classes: int | None
    loss: str
    outputs: int
    shape: list[int]
    target_shape: list[int]
    parameters: list[dict[str, Any]]


class Datasets(Said):
    datasets: list[Dataset]
    options: list[dict[str, Any]] = Field(description="of the spec's `data`, for own data too")
    limits: dict[str, int]


class Part(Said):
    samples: int
    inputs: list[Any]
    targets: list[Any]


class Scaling(Said):
    mean: list[Number]
    std: list[Number]


class Rows(Said):
    samples: int
    shape: list[int]
    target_shape: list[int]
    train: Part
    validation: Part | None
    scaling: Scaling | None = Field(
        description="the network sees (input − mean) / std; rows here are as they came in"
    )
    notes: list[str]


class DatasetRows(Rows):
    name: str
    task: str
    classes: int | None


class SessionRows(Rows):
    iteration: int
    columns: list[str] | None
    classes: list[str] | None


class Batch(Said):
    iteration: int
    epoch: int
    batch: int = Field(description="its number within the epoch")
    batches: int
    batch_size: int
    size: int = Field(description="of this batch; the last one of an epoch may be smaller")
    samples: int
    samples_before: int = Field(description="samples seen before this iteration, repeats counted")
    shuffle: bool
    rows: list[int] = Field(description="training samples of this batch, counted from 0")
    order: list[int] = Field(description="all training samples as this epoch sees them")
    augment: dict[str, Number] | None


class Score(Said):
    samples: int
    loss: Number
    answers: int | None = Field(description="a sequence may give one for each step")
    correct: int | None
    accuracy: float | None = Field(description="null where targets are values")
    undecided: int | None = Field(description="answers that are no number")
    confusion: list[list[int]] | None = Field(description="rows: true classes, columns: said")


class Evaluation(Said):
    iteration: int
    classes: int | None
    labels: list[str] | None
    train: Score
    validation: Score | None


class Arrow(Said):
    norm: Number
    x: Number = Field(description="along the full gradient")
    y: Number = Field(description="along the direction in which the others leave it most")


class BatchArrow(Arrow):
    cosine: Number | None = Field(description="of the angle to the full gradient")
    own: bool = Field(description="this iteration's own batch")
    rows: list[int] | None = Field(description="training samples; null if there are many")


class NoiseSize(Said):
    size: int
    spread: Number | None = Field(
        description="root of the mean squared distance from the full gradient, by its length"
    )
    batches: list[BatchArrow]


class GradientNoise(Said):
    iteration: int
    parameters: int = Field(description="axes of the space in which the arrows really are")
    full: Arrow
    sizes: list[NoiseSize]
    noise_scale: Number | None = Field(
        description="variance of one sample's gradient by the full one's square: about the batch "
        "size beyond which larger batches hardly help (McCandlish et al. 2018)"
    )
