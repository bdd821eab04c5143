"""The doctor's findings, the layers' vital signs, and a cure tried as a second lane."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.web.api.models.base import Given, Number, Said


class VitalSigns(Said):
    weight: Number = Field(description="root mean square, as all sizes here")
    gradient: Number | None
    delta: Number | None = Field(description="of the gradient that reaches the layer")
    update_ratio: Number | None
    step: int | None = Field(description="plan index of the step that made delta")
    outputs: dict[str, Any] | None = Field(description="histogram: low, high, counts")
    gradients: dict[str, Any] | None
    sizes: dict[str, Any] | None = Field(description="of the gradients, as powers of ten")
    weights: dict[str, Any]


class VitalLayer(Said):
    node: str
    label: str
    layer: str | None
    output: dict[str, str] | None = Field(description="the node whose values `outputs` counts")
    looks: list[VitalSigns]


class Vitals(Said):
    iterations: list[int]
    usual_step: float = Field(description="a usual update : weight")
    usual_step_source: str
    weights: int = Field(description="of the model; the first 40 are told about")
    layers: list[VitalLayer]


class FindingPlace(Said):
    layer: str | None
    node: str | None
    iteration: int
    step: int | None = Field(description="plan index of the step to look at")
    says: str


class Cure(Said):
    name: str
    says: str
    changes: dict[str, Any] | None = Field(description="a lane for POST /api/sweeps over `spec`")
    until: int | None = Field(description="the iteration at which training had better end")


class Finding(Said):
    check: str
    title: str
    says: str = Field(description="the cause, in words")
    measured: Number
    threshold: float
    compared: str = Field(description="the measured number against its threshold, in words")
    source: str
    place: FindingPlace
    cures: list[Cure]


class DoctorCheck(Said):
    name: str
    title: str
    looks_at: str
    threshold: float
    source: str
    measures: str
    above: bool = Field(description="whether sick is above the threshold, or below it")
    share: bool = Field(description="told in percent")
    cures: list[str]


class Doctor(Said):
    iteration: int
    verdict: str
    findings: list[Finding]
    spec: dict[str, Any] = Field(description="the spec with what was changed by hand since")
    checks: list[DoctorCheck]
    vitals: Vitals | None


class TreatmentBody(Given):
    check: str = Field(description="the finding's check", examples=["vanishing"])
    cure: str = Field(description="a cure that is offered for it", examples=["relu"])
    iteration: int | None = Field(None, ge=0, description="default: the session's own")
    iterations: int | None = Field(
        None, ge=1, description="of both lanes; default: as many as there were, at least 60"
    )


class TreatmentLane(Said):
    label: str
    spec: dict[str, Any] = Field(description="makes a session that walks this lane")
    loss: list[Number]
    validation: list[Number | None]
    final: Number


class Treatment(Said):
    check: str
    cure: str
    iterations: int
    lanes: list[TreatmentLane] = Field(description="as it is, and with the cure")
    healed: bool
    comparable: bool = Field(description="whether both losses measure the same thing")
    findings: list[str] = Field(description="checks that find something in the second lane")
    says: str
