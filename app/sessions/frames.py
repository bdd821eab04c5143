"""Iterations as bytes that are ready to be sent. Frames follow from the spec and the changes alone,
so they are kept under that name and shared by everybody who walks through the same lesson.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.sessions.session import Session
from app.sessions.views import frame_view, loss_at

BLOCK = 64  # frames that are made at once
MOST_BYTES = 96_000_000

NOTHING: Mapping[int, bytes] = {}

Key = tuple[bytes, int]


def encode(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


@dataclass
class Leg:
    """One iteration: what stands in its loss node after each number of steps, and its frames."""

    losses: list[float | str | None]
    frames: dict[int, bytes] = field(default_factory=dict)
    states: dict[int, bytes] = field(default_factory=dict)
    size: int = 200

    def lacks(self, start: int, stop: int) -> bool:
        return any(k not in self.frames for k in range(start, stop))


def make_leg(session: Session, iteration: int) -> Leg:
    session.reach(iteration)
    graph, stepper = session.run.graph(iteration), session.run.stepper(iteration)
    losses = []
    for step in range(len(stepper.plan) + 1):
        stepper.seek(step)
        losses.append(loss_at(stepper.slots, graph, stepper.plan, step))
    return Leg(losses)


def make_frames(session: Session, iteration: int, start: int, stop: int) -> dict[int, bytes]:
    session.reach(iteration)
    return {k: encode(frame_view(session.run, iteration, k)) for k in range(start, stop)}


class Legs:
    """The least recently used go when the whole is too large."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes, self.size = most_bytes, 0
        self._legs: OrderedDict[Key, Leg] = OrderedDict()

    def get(self, key: Key) -> Leg | None:
        leg = self._legs.get(key)
        if leg is not None:
            self._legs.move_to_end(key)
        return leg

    def put(self, key: Key, leg: Leg) -> None:
        self._legs[key] = leg
        self.size += leg.size
        self._shrink()

    def add(
        self,
        key: Key,
        frames: Mapping[int, bytes] = NOTHING,
        states: Mapping[int, bytes] = NOTHING,
    ) -> None:
        leg = self._legs.get(key)
        if leg is None:
            return
        for kept, new in ((leg.frames, frames), (leg.states, states)):
            more = sum(len(made) for k, made in new.items() if k not in kept)
            kept.update(new)
            leg.size += more
            self.size += more
        self._shrink()

    def _shrink(self) -> None:
        while self.size > self.most_bytes and len(self._legs) > 1:
            _, dropped = self._legs.popitem(last=False)
            self.size -= dropped.size
