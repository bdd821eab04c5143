"""Sessions, their graph and their plan."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from app.web.api.models.base import Given, Note, Place, Said, State, one_of_both


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
    group: str = Field(description="the innermost scope around it; empty: none")


class GraphEdge(Said):
    source: str = Field(alias="from")
    to: str
    slot: int = Field(description="which operand")
    points: list[list[float]] = Field(description="its way; empty inside a closed scope")


class Rectangle(Said):
    x: float
    y: float
    width: float
    height: float


class Scope(Said):
    name: str
    label: str
    parent: str | None
    says: str = Field(description="its ops")
    ops: int
    parameters: list[str]
    outputs: list[str] = Field(description="nodes whose values leave it")
    open: bool
    place: Rectangle | None = Field(description="null: not drawn")


class Graph(Said):
    width: float
    height: float
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    scopes: list[Scope] = Field(description="layers, time steps, tensors taken apart")


class PlanStep(Said):
    index: int
    phase: str
    node: str | None
    label: str
    mathml: str


class Session(State):
    title: str
    lesson: str | None
    spec: dict[str, Any]
    graph: Graph
    plan: list[PlanStep]
    changes: list[dict[str, Any]]
    notes: list[Note]
