"""What many columns share runs on a rail: above the drawing from one box to its many users (a
weight that every time step uses), below it from many boxes to one (the states laid side by side).

Without that each such edge would take a line of its own through every column on its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.render.layered import Edge, Point, Sized, ranks

MANY = 5  # edges of one box that pass columns on their way
LANE = 16.0  # between two rails
CLEAR = 26.0  # between a rail and the boxes
STEP = 6.0  # between the upright pieces of two rails


@dataclass(frozen=True)
class Rails:
    """By index of an edge: the box whose rail it takes; `above` are the boxes with users."""

    hubs: Mapping[int, str]
    above: tuple[str, ...]
    below: tuple[str, ...]

    def plain(self, edges: Sequence[Edge]) -> list[Edge]:
        return [edge for index, edge in enumerate(edges) if index not in self.hubs]


def rails_of(
    names: Sequence[str], edges: Sequence[Edge], without: Collection[str] = frozenset()
) -> Rails:
    """Every box keeps its nearest edge, so that it stands next to somebody. Those in `without` have
    no rail: what leaves or enters there is not one thing.
    """
    rank = ranks(names, edges) or {}
    far = [i for i, (a, b, _) in enumerate(edges) if rank[b] - rank[a] > 1]
    hubs: dict[int, str] = {}
    found: list[tuple[str, ...]] = []
    for end in (0, 1):
        left = [i for i in far if i not in hubs]
        count = Counter(edges[i][end] for i in left)
        chosen = tuple(name for name in names if count[name] >= MANY and name not in without)
        for hub in chosen:
            own = [i for i, edge in enumerate(edges) if edge[end] == hub and i not in hubs]
            nearest = min(own, key=lambda i: rank[edges[i][1]] - rank[edges[i][0]])
            hubs |= {i: hub for i in own if i in left and i != nearest}
        found.append(chosen)
    return Rails(hubs, *found)


def routes(
    rails: Rails,
    edges: Sequence[Edge],
    boxes: Mapping[str, Sized],
    corners: Mapping[str, Point],
    plain: Sequence[Sequence[Point]],
) -> list[list[Point]] | None:
    """A route for every edge, those without a rail as they are; None where a target does not stand
    to the right of its source.
    """
    if not rails.hubs:
        return [list(route) for route in plain]
    spans = _columns(boxes, corners)
    everything = [y for route in plain for _, y in route] + [y for _, y in corners.values()]
    everything += [corners[name][1] + box.height for name, box in boxes.items()]
    top, bottom = min(everything) - CLEAR, max(everything) + CLEAR
    lanes = {hub: (top - i * LANE, i) for i, hub in enumerate(reversed(rails.above))}
    lanes |= {hub: (bottom + i * LANE, i) for i, hub in enumerate(rails.below)}
    most = max(len(rails.above), len(rails.below))
    step = min(STEP, 26.0 / most)
    ports = _ports(rails, edges, boxes, corners, plain)
    found, others = [], iter(plain)
    for index, (source, target, _) in enumerate(edges):
        hub = rails.hubs.get(index)
        if hub is None:
            found.append(list(next(others)))
            continue
        lane, number = lanes[hub]
        right, left = corners[source][0] + boxes[source].width, corners[target][0]
        up = spans[source][1] + 10 + number * step
        down = spans[target][0] - 12 - number * step
        if down <= up:
            return None
        out, into = ports[index, 0], ports[index, 1]
        found.append(
            [(right, out), (up, out), (up, lane), (down, lane), (down, into), (left, into)]
        )
    return found


def _columns(
    boxes: Mapping[str, Sized], corners: Mapping[str, Point]
) -> dict[str, tuple[float, float]]:
    """The left and right border of every box's column."""
    columns: list[tuple[float, float, list[str]]] = []
    for name in sorted(boxes, key=lambda name: corners[name][0]):
        left = corners[name][0]
        right = left + boxes[name].width
        if columns and left < columns[-1][1]:
            start, end, inside = columns.pop()
            columns.append((start, max(end, right), [*inside, name]))
        else:
            columns.append((left, right, [name]))
    return {name: (left, right) for left, right, inside in columns for name in inside}


def _ports(
    rails: Rails,
    edges: Sequence[Edge],
    boxes: Mapping[str, Sized],
    corners: Mapping[str, Point],
    plain: Sequence[Sequence[Point]],
) -> dict[tuple[int, int], float]:
    """Heights at both ends of an edge with a rail: beyond the ports that are taken. A hub has one
    port for all.
    """
    taken: dict[tuple[str, int], list[float]] = {}
    others = iter(plain)
    for index, edge in enumerate(edges):
        if index not in rails.hubs:
            route = next(others)
            taken.setdefault((edge[0], 0), []).append(route[0][1])
            taken.setdefault((edge[1], 1), []).append(route[-1][1])
    wanted: dict[tuple[str, int, bool], dict[str | int, list[int]]] = {}
    for index, hub in rails.hubs.items():
        for end in (0, 1):
            name = edges[index][:2][end]
            upper = hub == edges[index][0]
            key: str | int = hub if name == hub else index
            wanted.setdefault((name, end, upper), {}).setdefault(key, []).append(index)
    found: dict[tuple[int, int], float] = {}
    for (name, end, upper), groups in wanted.items():
        top = corners[name][1]
        bottom = top + boxes[name].height
        here = taken.get((name, end), [(top + bottom) / 2])
        start, stop = (top + 3, min(here) - 3) if upper else (max(here) + 3, bottom - 3)
        for place, indices in enumerate(groups.values()):
            height = start + (stop - start) * (place + 0.5) / len(groups)
            found |= {(index, end): height for index in indices}
    return found
