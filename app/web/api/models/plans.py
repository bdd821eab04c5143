"""What other plans tell: micro-batches, memory, float16, ways to a slope."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.web.api.models.base import Number, Said


class ProofRow(Said):
    node: str
    label: str
    parts: list[Any] | None = Field(description="what each micro-batch adds; null if large")
    sum: Any
    large_batch: Any
    relative_error: Number


class Proof(Said):
    iteration: int
    parts: list[int]
    share: float = Field(description="what a micro-batch counts for")
    loss: Number
    parameters: list[ProofRow]
    worst: Number


class Series(Said):
    bytes: list[int] = Field(description="that live after each step")
    phases: list[str]
    nodes: list[str | None]
    peak: int
    peak_at: int = Field(description="plan index")


class Memory(Said):
    iteration: int
    plan: Series
    plain: Series
    recomputed: int = Field(description="values that are computed a second time")
    computed: int


class UnderflowRow(Said):
    node: str
    label: str
    lost: int = Field(description="entries that are 0 here and not in full precision")
    infinite: int
    of: int
    largest: Number
    smallest: Number


class Underflow(Said):
    iteration: int
    loss_scale: Number | None
    overflow: bool
    skipped_updates: int
    where: list[Any] = Field(description="nodes in which entries became 0")
    parameters: list[UnderflowRow]


class DecayRow(Said):
    node: str
    label: str
    index: list[int] = Field(description="of its largest entry")
    before: Number
    after: Number
    decay: Number = Field(description="what this way took off, beside no decay at all")


class DecayWay(Said):
    way: str = Field(description="none, l1, l2, coupled, decoupled")
    says: str
    parameters: list[DecayRow]


class Decay(Said):
    iteration: int
    rate: Number
    lr: Number
    rows: list[DecayWay]


class Approach(Said):
    approach: str
    gradient: dict[str, Any]
    error: Number | None = Field(description="relative to the largest slope")
    evaluations: int


class Approaches(Said):
    iteration: int
    loss: Number
    numbers: int
    outputs: int
    rows: list[Approach]
    sweep: dict[str, list[float | None]]
