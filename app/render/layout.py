"""Where the nodes of a graph stand and how its edges run, left to right.

graphlay does the thinking, and `app.render.layered` stands in where it cannot be imported. Same
graph, same picture, in every process. An edge leaves its source on the right and ends on the left
border of its target; two edges between the same nodes (a·a) run apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

from app.render import layered
from app.render.rails import rails_of
from app.render.rails import routes as railed


def _library() -> Any:
    try:
        return import_module("graphlay")
    except ImportError:  # no wheel for this machine
        return None


graphlay = _library()

Point = tuple[float, float]
Edge = tuple[str, str, int]

LAYER_GAP = 76.0  # room for a number on its way
NODE_GAP = 22.0
PORT_GAP = 20.0
MARGIN = 16.0
MAX_NODES = 1500
MAX_EDGES = 5000
MAX_CROSSED = (
    600  # graphlay takes 0.3 s here, 2 s at 1,200, 20 s at 10,000, and holds the interpreter
)
ROOMY = 150  # up to so many nodes a straight main line is worth more than a small picture

# Bars at which edges enter a frame and leave it: they stand in the first and in the last column.
ENTRY, EXIT = "·in ", "·out "
FRAME = "frame"

# How strongly an edge pulls its ends together.
SHARED = 0.1  # a weight that every time step uses must not hold the steps at its side
PRIVATE = 1.0
MAIN = 1.0
SIDE_BY_SIDE = 1.5  # queries, keys and values of one input


class LayoutError(ValueError):
    """A graph that cannot be drawn; the message says why."""


class Box(NamedTuple):
    """A node's name and size. `kind` is the node's: an "input" keeps its users side by side, any
    other leaf that has several lets them stand where they belong; or it is a bar, or a frame."""

    name: str
    width: float
    height: float
    kind: str = ""

    def column(self, own: int, last: int) -> int:
        """A bar's is at the border, any other box keeps its own."""
        return {ENTRY: 0, EXIT: last}.get(self.kind, own)


@dataclass(frozen=True)
class Layout:
    """Top-left corners by name, and one polyline for each edge, in the order they were given."""

    width: float
    height: float
    positions: Mapping[str, Point]
    sizes: Mapping[str, Point]
    routes: tuple[tuple[Point, ...], ...]


def layout(nodes: Sequence[Box], edges: Iterable[Edge]) -> Layout:
    """Place boxes and route edges (from, to, slot). Remembered, so asking again costs nothing."""
    return _layout(
        tuple(Box(*node) for node in nodes),
        tuple((source, target, slot) for source, target, slot in edges),
    )


def picture(full: Layout, width: float = 280.0, height: float = 110.0) -> Layout:
    """The same drawing scaled down into a card; never scaled up."""
    scale = min(1.0, width / full.width, height / full.height)

    def small(point: Point) -> Point:
        return (round(point[0] * scale, 1), round(point[1] * scale, 1))

    return Layout(
        *small((full.width, full.height)),
        positions={name: small(point) for name, point in full.positions.items()},
        sizes={name: small(size) for name, size in full.sizes.items()},
        routes=tuple(tuple(small(point) for point in route) for route in full.routes),
    )


@lru_cache(maxsize=256)
def _layout(nodes: tuple[Box, ...], edges: tuple[Edge, ...]) -> Layout:
    _check(nodes, edges)
    if not nodes:
        return Layout(2 * MARGIN, 2 * MARGIN, {}, {}, ())
    frames = {node.name for node in nodes if node.kind == FRAME}
    rails = rails_of([node.name for node in nodes], edges, frames)
    plain = rails.plain(edges)
    corners, routes = _drawn(nodes, plain)
    boxes = {node.name: node for node in nodes}
    whole = railed(rails, edges, boxes, corners, _apart(nodes, corners, plain, routes))
    if whole is None:
        corners, routes = _drawn(nodes, edges)
        whole = _apart(nodes, corners, edges, routes)
    return _framed(nodes, corners, whole)


def _drawn(
    nodes: Sequence[Box], edges: Sequence[Edge]
) -> tuple[dict[str, Point], list[list[Point]]]:
    thoughtful = graphlay is not None and _crossed(nodes, edges) <= MAX_CROSSED
    if thoughtful:
        corners, routes = _arrange(nodes, edges)
    if not thoughtful or not _ends_meet(nodes, corners, edges, routes):
        corners, routes = layered.arrange(nodes, edges, LAYER_GAP, NODE_GAP, PORT_GAP)
    return corners, routes


def _check(nodes: Sequence[Box], edges: Sequence[Edge]) -> None:
    if len(nodes) > MAX_NODES:
        raise LayoutError(f"layout: too many nodes, at most {MAX_NODES}: {len(nodes)}")
    if len(edges) > MAX_EDGES:
        raise LayoutError(f"layout: too many edges, at most {MAX_EDGES}: {len(edges)}")
    names = Counter(node.name for node in nodes)
    for name, count in names.items():
        if count > 1:
            raise LayoutError(f"layout: two nodes have one name: {name}")
    for node in nodes:
        if not (0 < node.width < 1e7 and 0 < node.height < 1e7):
            raise LayoutError(f"layout: {node.name} has no size: {node.width} × {node.height}")
    for source, target, _ in edges:
        for name in (source, target):
            if name not in names:
                raise LayoutError(f"layout: an edge names an unknown node: {name}")
    if layered.ranks([node.name for node in nodes], edges) is None:
        raise LayoutError("layout: the graph runs in a circle")


def _crossed(nodes: Sequence[Box], edges: Sequence[Edge]) -> int:
    """How many columns all edges pass through on their way, together."""
    ranks = layered.ranks([node.name for node in nodes], edges) or {}
    return sum(ranks[target] - ranks[source] - 1 for source, target, _ in edges)


def _arrange(
    nodes: Sequence[Box], edges: Sequence[Edge]
) -> tuple[dict[str, Point], list[list[Point]]]:
    options = _options(len(nodes))
    columns = graphlay.layout(_request(nodes, edges), options=options | {"effort": "fast"})
    drawing = graphlay.layout(_request(nodes, edges, columns.nodes), options=options)
    corners = {
        node.name: (at["center"]["x"] - node.width / 2, at["center"]["y"] - node.height / 2)
        for node, at in zip(nodes, drawing.nodes, strict=True)
    }
    return corners, [[(at["x"], at["y"]) for at in edge["points"]] for edge in drawing.edges]


def _request(nodes: Sequence[Box], edges: Sequence[Edge], placed: Any = None) -> Any:
    graph = graphlay.Graph()
    users = Counter(source for source, _, _ in edges)
    operands = Counter(target for _, target, _ in edges)
    kinds = {node.name: node.kind for node in nodes}

    def pull(source: str, target: str) -> float:
        if operands[source]:
            return MAIN
        if users[source] == 1:
            return PRIVATE
        return SIDE_BY_SIDE if kinds[source] == "input" and operands[target] > 1 else SHARED

    last = max((at["rank"] or 0 for at in placed), default=0) if placed else 0
    for i, node in enumerate(nodes):
        column = placed[i]["rank"] if placed else None  # None again for a node without edges
        column = None if column is None else node.column(column, last)
        rank = "free" if column is None else {"fixed": column}
        graph.node(node.name, width=node.width, height=node.height, rank=rank)
    for source, target, _ in edges:
        weight = pull(source, target)
        graph.edge(source, target, weight=min(weight, MAIN) if placed else weight)
    return graph


def _options(nodes: int) -> dict[str, Any]:
    return {
        "direction": "leftright",
        "spacing": {
            "layer_gap": LAYER_GAP,
            "node_gap": NODE_GAP,
            "isolated_gap": NODE_GAP,
            "dummy_gap": 20.0,
            "port_gap": PORT_GAP,
        },
        "routing": {"style": "orthogonal", "port_sides": "facing_only"},
        "compaction": {"mode": "none" if nodes <= ROOMY else "priority"},
        "effort": "balanced" if nodes <= 2 * ROOMY else "fast",
        "limits": {"max_nodes": MAX_NODES, "max_edges": MAX_EDGES},
    }


def _ends_meet(
    nodes: Sequence[Box],
    corners: Mapping[str, Point],
    edges: Sequence[Edge],
    routes: Sequence[Sequence[Point]],
) -> bool:
    """Whether each edge has ports of its own on the facing sides. Where many crowd on a small box,
    graphlay lets one in 200 drawings slip."""
    boxes = {node.name: node for node in nodes}
    ports: dict[tuple[str, bool], list[float]] = {}
    for (source, target, _), route in zip(edges, routes, strict=True):
        for name, (x, y), leaves in ((source, route[0], True), (target, route[-1], False)):
            left, top = corners[name]
            side = left + boxes[name].width if leaves else left
            if abs(x - side) > 0.05 or not top + 1 < y < top + boxes[name].height - 1:
                return False
            ports.setdefault((name, leaves), []).append(y)
    return all(b - a > 1 for heights in ports.values() for a, b in pairwise(sorted(heights)))


def _apart(
    nodes: Sequence[Box],
    corners: Mapping[str, Point],
    edges: Sequence[Edge],
    routes: Sequence[Sequence[Point]],
) -> list[list[Point]]:
    """Straight edges between the same two nodes, if they are alone there, lie around the middle."""
    moved = [list(route) for route in routes]
    leaving = Counter(source for source, _, _ in edges)
    entering = Counter(target for _, target, _ in edges)
    heights = {node.name: node.height for node in nodes}
    bundles: dict[tuple[str, str], list[int]] = {}
    for index, (source, target, _) in enumerate(edges):
        bundles.setdefault((source, target), []).append(index)
    for (source, target), indices in bundles.items():
        count = len(indices)
        if count < 2 or leaving[source] > count or entering[target] > count:
            continue
        top = max(corners[name][1] for name in (source, target))
        bottom = min(corners[name][1] + heights[name] for name in (source, target))
        if bottom <= top or any(len(moved[index]) != 2 for index in indices):
            continue
        gap = min(PORT_GAP * 1.2, (bottom - top) / count)
        first = (top + bottom - gap * (count - 1)) / 2
        for place, index in enumerate(indices):
            moved[index] = [(x, first + place * gap) for x, _ in moved[index]]
    return moved


def _framed(
    nodes: Sequence[Box], corners: Mapping[str, Point], routes: Sequence[Sequence[Point]]
) -> Layout:
    """Everything moved into a frame that begins at (0, 0)."""
    xs = [x for route in routes for x, _ in route]
    ys = [y for route in routes for _, y in route]
    for node in nodes:
        x, y = corners[node.name]
        xs += [x, x + node.width]
        ys += [y, y + node.height]
    left, top = min(xs) - MARGIN, min(ys) - MARGIN

    def moved(point: Point) -> Point:
        return (round(point[0] - left, 1), round(point[1] - top, 1))

    width, height = moved((max(xs) + MARGIN, max(ys) + MARGIN))
    return Layout(
        width,
        height,
        positions={node.name: moved(corners[node.name]) for node in nodes},
        sizes={node.name: (node.width, node.height) for node in nodes},
        routes=tuple(tuple(_upright([moved(point) for point in route])) for route in routes),
    )


def _upright(route: list[Point]) -> list[Point]:
    """Legs that are a fraction of a pixel askew, made level or upright; the ends stay."""
    inner = range(1, len(route) - 1)
    for i, next_to in (*((i, i - 1) for i in inner), *((i, i + 1) for i in reversed(inner))):
        (x0, y0), (x, y) = route[next_to], route[i]
        route[i] = (x0 if abs(x - x0) < 1 else x, y0 if abs(y - y0) < 1 else y)
    return route
