"""Somebody who watches a run live. Of pictures only the latest one waits; the points of the loss
curve are all kept, thinned without hiding a peak, until they are fetched. So what waits for a slow
viewer is bounded, and a fast one sees everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

POINTS = 600


@dataclass
class Point:
    """The curve at one picture: losses over all samples, and between which bounds the batches'
    losses have moved since the point before.
    """

    iteration: int
    train: float
    validation: float | None
    low: float
    high: float

    def joined(self, earlier: Point) -> Point:
        """This one, standing for the earlier one as well."""
        low, high = _lowest(self.low, earlier.low), _highest(self.high, earlier.high)
        return Point(self.iteration, self.train, self.validation, low, high)

    def row(self) -> list[float | None]:
        return [self.iteration, self.train, self.validation, self.low, self.high]


def _lowest(a: float, b: float) -> float:
    return b if a != a else a if b != b else min(a, b)


def _highest(a: float, b: float) -> float:
    return b if a != a else a if b != b else max(a, b)


class Curve:
    """At most so many points: when there are more, neighbours are joined in pairs."""

    def __init__(self, most: int = POINTS) -> None:
        self.points: list[Point] = []
        self.most = most

    def add(self, points: Iterable[Point]) -> None:
        for point in points:
            while self.points and self.points[-1].iteration >= point.iteration:
                self.points.pop()  # the run was taken back
            self.points.append(point)
        if len(self.points) > self.most:
            old = self.points
            first, last = old[0], old[-1]
            inner = old[1:-1]
            pairs = [b.joined(a) for a, b in zip(inner[::2], inner[1::2], strict=False)]
            self.points = [first, *pairs, *(inner[-1:] if len(inner) % 2 else []), last]

    def cut(self, iteration: int) -> None:
        """Forget what lies after that iteration."""
        self.points = [point for point in self.points if point.iteration <= iteration]

    def take(self) -> list[Point]:
        taken, self.points = self.points, []
        return taken

    def rows(self) -> list[list[Any]]:
        return [point.row() for point in self.points]


class Viewer:
    """Put in what there is to be seen; `messages` gives it in the order in which it matters."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._scene: dict[str, Any] | None = None
        self._picture: dict[str, Any] | None = None
        self._curve = Curve()
        self._alive = False
        self.ended = False

    def scene(self, scene: dict[str, Any]) -> None:
        """What everything after it belongs to."""
        self._scene, self._picture = scene, None
        self._curve.take()
        self._news.set()

    def picture(self, picture: dict[str, Any], points: list[Point]) -> None:
        self._picture = picture
        self._curve.add(points)
        self._news.set()

    def sign_of_life(self) -> None:
        self._alive = True
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._news.set()

    async def messages(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """(event, data), the latest of each; ends when there is nothing more to come."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._scene is not None:
                scene, self._scene = self._scene, None
                yield "scene", scene
            if self._picture is not None:
                picture, self._picture = self._picture, None
                yield "picture", picture | {"points": [p.row() for p in self._curve.take()]}
            if self._alive:
                self._alive = False
                yield "alive", {}
            if self.ended:
                return
