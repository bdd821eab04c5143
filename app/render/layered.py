"""A layered drawing without a library: longest paths make the columns, barycentres their order.

Plain Sugiyama, enough for the graphs of a lesson when graphlay is missing. An edge that spans
columns passes through a point in each of them, which takes part in the ordering like a node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import NamedTuple, Protocol

Point = tuple[float, float]
Edge = tuple[str, str, int]

ROUNDS = 9  # odd: the last one looks back, along the way of the values
LEAF = 1e-6  # what a leaf's wish weighs beside that of a node on the way of the values
THIN = 8.0  # the height kept free for an edge that passes through a column


class Sized(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def width(self) -> float: ...
    @property
    def height(self) -> float: ...
    def column(self, own: int, last: int) -> int: ...


class Bend(NamedTuple):
    """Where an edge passes through a column between its ends."""

    edge: int
    rank: int


Spot = str | Bend


def ranks(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, int] | None:
    """Columns by longest path, a leaf next to its first user; None if the edges run in a circle."""
    users: dict[str, list[str]] = {name: [] for name in names}
    waiting = dict.fromkeys(names, 0)
    for source, target, _ in edges:
        users[source].append(target)
        waiting[target] += 1
    rank = dict.fromkeys(names, 0)
    ready = [name for name in names if not waiting[name]]
    leaves = tuple(ready)
    for name in ready:  # grows while it is walked
        for user in users[name]:
            rank[user] = max(rank[user], rank[name] + 1)
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if len(ready) < len(names):
        return None
    for leaf in leaves:
        if users[leaf]:
            rank[leaf] = min(rank[user] for user in users[leaf]) - 1
    return rank


def arrange(
    nodes: Sequence[Sized],
    edges: Sequence[Edge],
    layer_gap: float,
    node_gap: float,
    port_gap: float,
) -> tuple[dict[str, Point], list[list[Point]]]:
    """Top-left corners by name, and a route for each edge."""
    boxes = {node.name: node for node in nodes}
    rank = ranks(list(boxes), edges) or {}
    last = max(rank.values())
    rank = {name: boxes[name].column(own, last) for name, own in rank.items()}
    columns: list[list[Spot]] = [[] for _ in range(last + 1)]
    for name in boxes:
        columns[rank[name]].append(name)
    paths: list[list[Spot]] = []
    for index, (source, target, _) in enumerate(edges):
        bends = [Bend(index, at) for at in range(rank[source] + 1, rank[target])]
        for bend in bends:
            columns[bend.rank].append(bend)
        paths.append([source, *bends, target])
    middle = _middles(columns, paths, boxes, node_gap)
    corners, gaps = {}, []
    left = 0.0
    for column in columns:
        here = [boxes[spot] for spot in column if isinstance(spot, str)]
        width = max(box.width for box in here)
        for box in here:
            corners[box.name] = (left + (width - box.width) / 2, middle[box.name] - box.height / 2)
        gaps.append((left + width, left + width + layer_gap))
        left += width + layer_gap
    heights = _ports(paths, middle, boxes, port_gap)
    return corners, _routes(paths, rank, boxes, corners, gaps, middle, heights)


def _middles(
    columns: list[list[Spot]],
    paths: Sequence[Sequence[Spot]],
    boxes: Mapping[str, Sized],
    gap: float,
) -> dict[Spot, float]:
    """The height of every spot's middle: pulled towards its neighbours, then pushed apart."""
    before: dict[Spot, list[Spot]] = {}
    after: dict[Spot, list[Spot]] = {}
    for path in paths:
        for near, far in pairwise(path):
            after.setdefault(near, []).append(far)
            before.setdefault(far, []).append(near)
    middle: dict[Spot, float] = {}

    def place(column: list[Spot], wanted: Mapping[Spot, float]) -> None:
        column.sort(key=lambda spot: wanted[spot])
        end = -inf
        for spot in column:
            half = (boxes[spot].height if isinstance(spot, str) else THIN) / 2
            middle[spot] = max(wanted[spot], end + gap + half)
            end = middle[spot] + half
        weights = {spot: 1.0 if spot in before else LEAF for spot in column}
        shift = sum(weights[spot] * (wanted[spot] - middle[spot]) for spot in column)
        shift /= sum(weights.values())
        for spot in column:
            middle[spot] += shift

    def wish(spot: Spot, side: Mapping[Spot, list[Spot]]) -> float:
        near = side.get(spot) or after.get(spot) or [spot]
        line = [other for other in near if other in before] or near  # leaves do not bend it
        return sum(middle[other] for other in line) / len(line)

    for column in columns:
        place(column, dict.fromkeys(column, 0.0))
    for turn in range(ROUNDS):
        side, order = (before, columns) if turn % 2 == 0 else (after, columns[::-1])
        for column in order:
            place(column, {spot: wish(spot, side) for spot in column})
    return {spot: float(round(height)) for spot, height in middle.items()}


def _ports(
    paths: Sequence[Sequence[Spot]],
    middle: Mapping[Spot, float],
    boxes: Mapping[str, Sized],
    gap: float,
) -> list[tuple[float, float]]:
    """For each edge the heights at which it leaves and arrives, spread over the box's side."""
    heights = [[0.0, 0.0] for _ in paths]
    sides: dict[tuple[Spot, int], list[int]] = {}
    for index, path in enumerate(paths):
        sides.setdefault((path[0], 0), []).append(index)
        sides.setdefault((path[-1], 1), []).append(index)
    for (spot, end), indices in sides.items():
        assert isinstance(spot, str)
        indices.sort(key=lambda index: (middle[paths[index][1 if end == 0 else -2]], index))
        step = min(gap, boxes[spot].height / len(indices))
        for place, index in enumerate(indices):
            heights[index][end] = middle[spot] + (place - (len(indices) - 1) / 2) * step
    return [(leaves, arrives) for leaves, arrives in heights]


def _routes(
    paths: Sequence[Sequence[Spot]],
    rank: Mapping[str, int],
    boxes: Mapping[str, Sized],
    corners: Mapping[str, Point],
    gaps: Sequence[tuple[float, float]],
    middle: Mapping[Spot, float],
    heights: Sequence[tuple[float, float]],
) -> list[list[Point]]:
    """Level lines, and in each gap between columns one upright piece on a track of its own."""
    tracks: list[list[tuple[float, float, int]]] = [[] for _ in gaps]
    levels = []
    for index, path in enumerate(paths):
        source, target = path[0], path[-1]
        level = [heights[index][0], *(middle[bend] for bend in path[1:-1]), heights[index][1]]
        levels.append(level)
        assert isinstance(source, str) and isinstance(target, str)
        for at, (near, far) in enumerate(pairwise(level), start=rank[source]):
            if near != far:
                tracks[at].append((near, far, index))
    upright: dict[tuple[int, int], float] = {}
    for at, (left, right) in enumerate(gaps):
        falling = sorted((t for t in tracks[at] if t[0] < t[1]), reverse=True)
        rising = sorted(t for t in tracks[at] if t[0] > t[1])
        for place, (_, _, index) in enumerate(falling + rising, start=1):
            upright[index, at] = left + (right - left) * place / (len(tracks[at]) + 1)
    routes = []
    for index, (path, level) in enumerate(zip(paths, levels, strict=True)):
        source, target = path[0], path[-1]
        assert isinstance(source, str) and isinstance(target, str)
        points = [(corners[source][0] + boxes[source].width, level[0])]
        for at, (near, far) in enumerate(pairwise(level), start=rank[source]):
            if near != far:
                points += [(upright[index, at], near), (upright[index, at], far)]
        routes.append([*points, (corners[target][0], level[-1])])
    return routes
