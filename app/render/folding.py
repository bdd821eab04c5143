"""A large graph drawn by its scopes: closed ones are one box, open ones a frame around their parts.

Each level is laid out by the one rule there is (`app.render.layout`), with small bars where edges
enter on the left and leave on the right, one for each box that they come from. An edge from box to
box is put together from its pieces on every level, so frames never overlap and nothing runs through
a box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from app.engine.graph import Edge, Graph, Node
from app.render.layout import ENTRY, EXIT, FRAME, Box, Layout, Point, layout
from app.render.scopes import TOP, Tree, chains

CLOSED = (156.0, 100.0)
SIDE, HEAD, FOOT = 26.0, 34.0, 6.0  # room in a frame around its parts
BAR = (4.0, 16.0)
PORT = 16.0

Corner = tuple[float, float, float, float]
"""x, y, width, height"""

Key = tuple[str, str, str, int]
"""A piece of an edge on one level: from child, to child, the box where it begins, operand."""


@dataclass(frozen=True)
class Wire:
    """One line between two boxes and the graph's edges that it stands for."""

    source: str
    target: str
    carries: tuple[Edge, ...]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Folded:
    """`boxes` are corner and size of every node and scope that is shown, open ones too."""

    width: float
    height: float
    boxes: dict[str, Corner]
    wires: list[Wire]

    @classmethod
    def of(
        cls,
        width: float,
        height: float,
        boxes: dict[str, Corner],
        lines: Iterable[tuple[Edge, tuple[Point, ...]]],
    ) -> Folded:
        """A drawing in which every edge has a line of its own."""
        wires = [Wire(edge.source, edge.target, (edge,), points) for edge, points in lines]
        return cls(width, height, boxes, wires)


@dataclass
class _Level:
    """One scope laid out by itself; `inner` are the open scopes in it."""

    drawn: Layout
    routes: dict[Key, tuple[Point, ...]]
    inner: dict[str, _Level] = field(default_factory=dict)

    @property
    def size(self) -> Point:
        return self.drawn.width + 2 * SIDE, self.drawn.height + HEAD + FOOT


def fold(graph: Graph, tree: Tree, opened: Collection[str], box: Callable[[Node], Box]) -> Folded:
    """The drawing in which these scopes are open, as far as those around them are."""
    return _Folding(graph, tree, frozenset(opened), box).folded()


class _Folding:
    def __init__(
        self, graph: Graph, tree: Tree, opened: frozenset[str], box: Callable[[Node], Box]
    ) -> None:
        self.graph, self.tree, self.opened, self.box = graph, tree, opened, box
        self.around: dict[str, list[str]] = {}  # of every box shown: the open scopes around it
        self.shown: dict[str, str] = {}  # by node: the box that stands for it
        for name, outer in chains(tree).items():
            closed = next((i for i, s in enumerate(outer) if i and s not in opened), None)
            self.shown[name] = name if closed is None else outer[closed]
            self.around[self.shown[name]] = outer[:closed]
        self.wires: dict[tuple[str, str, int], list[Edge]] = {}
        for edge in graph.edges:
            a, b = self.shown[edge.source], self.shown[edge.target]
            if a != b:
                plain = a == edge.source and b == edge.target
                self.wires.setdefault((a, b, edge.operand if plain else 0), []).append(edge)
        self.keys: dict[str, dict[Key, None]] = {name: {} for name in [TOP, *opened]}
        self.paths = {wire: self._path(*wire) for wire in self.wires}

    def _path(self, source: str, target: str, operand: int) -> list[tuple[str, Key]]:
        """The pieces (level, key) of a line, in its direction."""
        a, b = [*self.around[source], source], [*self.around[target], target]
        meet = next(i for i in range(1, len(a) + 1) if a[i] != b[i]) - 1
        pieces: list[tuple[str, Key]] = []
        for i in range(len(a) - 2, meet, -1):
            pieces.append((a[i], (a[i + 1], EXIT + source, source, 0)))
        slot = operand if len(b) == meet + 2 and len(a) == meet + 2 else 0
        pieces.append((a[meet], (a[meet + 1], b[meet + 1], source, slot)))
        for i in range(meet + 1, len(b) - 1):
            slot = operand if i == len(b) - 2 else 0
            pieces.append((b[i], (ENTRY + source, b[i + 1], source, slot)))
        for level, key in pieces:
            self.keys[level][key] = None
        return pieces

    def folded(self) -> Folded:
        top = self._level(TOP)
        boxes: dict[str, Corner] = {}
        placed: dict[str, tuple[_Level, Point]] = {}
        self._place(TOP, top, (0.0, 0.0), boxes, placed)
        wires = [
            Wire(a, b, tuple(edges), self._points(self.paths[a, b, slot], placed, boxes))
            for (a, b, slot), edges in self.wires.items()
        ]
        return Folded(top.drawn.width, top.drawn.height, boxes, wires)

    def _level(self, name: str) -> _Level:
        inner = {c: self._level(c) for c in self.tree[name].children if c in self.opened}
        keys = list(self.keys[name])
        boxes = []
        for child in self.tree[name].children:
            if child in inner:
                boxes.append(Box(child, *inner[child].size, FRAME))
            elif child in self.tree:
                boxes.append(Box(child, *CLOSED))
            else:
                boxes.append(self.box(self.graph[child]))
        for kind, end in ((ENTRY, 0), (EXIT, 1)):
            ports = Counter(key[:2][end] for key in keys if key[:2][end].startswith(kind))
            for bar, count in ports.items():
                boxes.append(Box(bar, BAR[0], max(BAR[1], PORT * count), kind))
        drawn = layout(boxes, [(key[0], key[1], slot) for slot, key in enumerate(keys)])
        return _Level(drawn, dict(zip(keys, drawn.routes, strict=True)), inner)

    def _place(
        self,
        name: str,
        level: _Level,
        origin: Point,
        boxes: dict[str, Corner],
        placed: dict[str, tuple[_Level, Point]],
    ) -> None:
        placed[name] = (level, origin)
        for child, (x, y) in level.drawn.positions.items():
            if child.startswith((ENTRY, EXIT)):
                continue
            left, top = origin[0] + x, origin[1] + y
            boxes[child] = (left, top, *level.drawn.sizes[child])
            if child in level.inner:
                inside = (left + SIDE, top + HEAD)
                self._place(child, level.inner[child], inside, boxes, placed)

    def _points(
        self,
        path: list[tuple[str, Key]],
        placed: dict[str, tuple[_Level, Point]],
        boxes: dict[str, Corner],
    ) -> tuple[Point, ...]:
        """The pieces one after the other; through a frame's border by a bend in its margin."""
        points: list[Point] = []
        for number, (name, key) in enumerate(path):
            level, (x0, y0) = placed[name]
            piece = [(x + x0, y + y0) for x, y in level.routes[key]]
            if points:
                before_name, before = path[number - 1]
                if before[1].startswith(EXIT):
                    left, _, width, _ = boxes[before_name]
                    bend = left + width - SIDE * self._track(before_name, before, 1)
                else:
                    bend = boxes[name][0] + SIDE * self._track(name, key, 0)
                points += [(bend, points[-1][1]), (bend, piece[0][1])]
            points += piece
        return _tidy(points)

    def _track(self, name: str, key: Key, end: int) -> float:
        """Lines of different boxes bend at different places in the margin: a share of its width."""
        kind = ENTRY if end == 0 else EXIT
        ends = [k[:2][end] for k in self.keys[name]]
        bars = list(dict.fromkeys(bar for bar in ends if bar.startswith(kind)))
        return (bars.index(key[:2][end]) + 1) / (len(bars) + 1)


def _tidy(points: list[Point]) -> tuple[Point, ...]:
    """Without points that say nothing: the same again, or on the way straight on."""
    kept: list[Point] = []
    for point in points:
        at = (round(point[0], 1), round(point[1], 1))
        if kept and kept[-1] == at:
            continue
        if len(kept) > 1 and any(kept[-2][i] == kept[-1][i] == at[i] for i in (0, 1)):
            kept.pop()
        kept.append(at)
    return tuple(kept)
