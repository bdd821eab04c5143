"""What travels over HTTP, for the API page and for checking requests. Answers are not passed
through these models (they are encoded where they are made); a test holds real answers against them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Number = float | Literal["NaN", "Infinity", "-Infinity"]
Slot = Literal["value", "grad"]


class Given(BaseModel):
    """A request's body: nothing is guessed, nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


# --- requests -------------------------------------------------------------------------------------


class Place(Given):
    iteration: int = Field(ge=0, description="0 is the first")
    step: int = Field(default=0, ge=0, description="how many steps of the iteration are done")


def one_of_both(lesson: str | None, spec: dict[str, Any] | None) -> None:
    if (lesson is None) == (spec is None):
        raise ValueError('give either "lesson": an id of GET /api/lessons, or "spec": {…}')


class NewSession(Given):
    lesson: str | None = Field(default=None, description="id of a lesson; or give a spec")
    spec: dict[str, Any] | None = Field(
        None, description="model, loss, optimizer and data, or a program with values"
    )
    title: str | None = Field(default=None, max_length=200)
    changes: list[Any] = Field(default=[], description="a session's `changes`, to be made again")
    position: Place | None = Field(default=None, description="where to stand at the beginning")

    @model_validator(mode="after")
    def _one(self) -> NewSession:
        one_of_both(self.lesson, self.spec)
        return self


class StepBody(Given):
    count: int = Field(default=1, description="how many; negative steps back")
    unit: Literal["node", "phase", "iteration", "epoch"] = "node"
    frames: bool = Field(
        True, description="whether the answer holds the frames of node and phase steps"
    )


class TrainBody(Given):
    iterations: int | None = Field(default=None, ge=0)
    epochs: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one(self) -> TrainBody:
        if (self.iterations is None) == (self.epochs is None):
            raise ValueError('give either "iterations": n or "epochs": n')
        return self


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

    @model_validator(mode="after")
    def _some(self) -> SettingsBody:
        if not self.model_fields_set:
            raise ValueError("give at least one of lr, zero_grad and clip")
        for name in ("lr", "zero_grad"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


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


class LandscapeBody(Given):
    plane: Literal["random", "trajectory", "parameters"] = Field(
        default="random",
        description="two random directions with the filters' own lengths, the first two principal "
        "directions of the way, or two chosen parameters",
    )
    parameters: list[Any] | None = Field(
        None, description='for "parameters": [{"node": "0.weight", "index": [0, 1]}, {…}]'
    )
    points: int = Field(default=25, ge=2, description="along each side of the grid")
    span: float = Field(default=1.0, gt=0, description="how far it reaches; 1 is as usual")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="of the random directions")
    iteration: int | None = Field(None, ge=0, description="default: the session's own")


# --- answers --------------------------------------------------------------------------------------


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


class GraphNode(Said):
    name: str
    op: str | None
    kind: str
    inputs: list[str]
    shape: list[int]
    scope: str
    label: str
    mathml: str
    symbol: str
    summary: str
    requires_grad: bool
    editable: bool
    x: float
    y: float
    width: float
    height: float


class GraphEdge(Said):
    source: str = Field(alias="from")
    to: str
    slot: int = Field(description="which operand")
    points: list[list[float]]


class Graph(Said):
    width: float
    height: float
    nodes: list[GraphNode]
    edges: list[GraphEdge]


class PlanStep(Said):
    index: int
    phase: str
    node: str | None
    label: str
    mathml: str


class Note(Said):
    index: int
    says: str


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


class State(Said):
    id: str
    revision: int
    position: Position
    counters: Counters
    loss: Number | None
    settings: Settings
    seen: Moment


class Session(State):
    title: str
    lesson: str | None
    spec: dict[str, Any]
    graph: Graph
    plan: list[PlanStep]
    changes: list[dict[str, Any]]
    notes: list[Note]


class Moved(State):
    frames: list[Frame] = Field(description="of the steps run, or undone, in that order")


class History(Said):
    iteration: list[int]
    train_loss: list[Number]
    validation_loss: list[Number | None]
    lr: list[Number | None]
    grad_norm: list[Number]


class Trained(State):
    history: History
    frames: list[Frame]


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


class Frames(Said):
    iteration: int
    of: int
    frames: list[Frame]


class NodeState(Said):
    name: str
    value: Array | None
    grad: Array | None
    state: dict[str, Array]


class Snapshot(Said):
    position: Position
    nodes: dict[str, NodeState]
    loss: Number | None


class Node(NodeState):
    op: str | None
    kind: str
    shape: list[int]


class Element(Said):
    symbols: str
    numbers: str
    result: str
    refs: dict[str, Any]


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


class Lesson(Said):
    id: str
    title: str
    topic: str
    question: str
    summary: str
    picture: dict[str, Any]


class Lessons(Said):
    lessons: list[Lesson]
    topics: list[str]


class WholeLesson(Lesson):
    spec: dict[str, Any]
    takeaway: str
    source: str
    notes: list[Note]


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


class Lane(Said):
    label: str
    lr: float
    loss: list[Number]
    verdict: dict[str, Any]
    final: Number
    rates: list[float] | None = Field(None, description="of each iteration, under a schedule")


class Sweep(Said):
    lanes: list[Lane]


class FindingPlace(Said):
    layer: str | None
    node: str | None
    iteration: int
    step: int | None = Field(description="plan index of the step to look at")


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
    source: str
    place: FindingPlace
    cures: list[Cure]


class DoctorCheck(Said):
    name: str
    title: str
    looks_at: str
    threshold: float
    source: str
    cures: list[str]


class Doctor(Said):
    iteration: int
    verdict: str
    findings: list[Finding]
    spec: dict[str, Any] = Field(description="the spec with what was changed by hand since")
    checks: list[DoctorCheck]
    vitals: dict[str, Any] = Field(
        description="per layer and look: gradients, update : weight, histograms"
    )


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
