"""Looking at a run: frames, values, one entry."""

from __future__ import annotations

from typing import Any

from app.web.api.models.base import Array, Number, Position, Said
from app.web.api.models.moves import Frame


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
