from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.render import layered
from app.render import layout as module
from app.render.layout import Box, Edge, Layout, LayoutError, layout, picture

ROOT = Path(__file__).parents[2]


def read(program: str) -> tuple[list[Box], list[Edge]]:
    """A graph from lines of "name = input input"; without inputs it is a leaf."""
    nodes: list[Box] = []
    edges: list[Edge] = []
    for line in program.strip().split(";"):
        name, _, inputs = (part.strip() for part in line.partition("="))
        nodes.append(Box(name, 68 if inputs else 84, 60, "input" if name[0] == "x" else ""))
        edges += [(source, name, slot) for slot, source in enumerate(inputs.split())]
    return nodes, edges


GRAPHS = {
    "neuron": "w; x; m = w x; b; z = m b; a = z; y; d = a y; s = d; L = s",
    "square": "w; x; m = w x; b; s = m b; L = s",
    "twice": "a; b; c = a a; d = c b; e = d d; f = e c",
    "cube": "a; c = a a a",
    "residual": "x; W; l = x W; r = l; V; k = r V; s = x k; y; d = s y; L = d",
    "attention": "x; Q; K; V; q = x Q; k = x K; v = x V; t = k; s = q t; p = s; o = p v; L = o",
    "recurrent": "W; U; b; h0; "
    + "; ".join(
        f"x{t}; u{t} = x{t} W; v{t} = h{t - 1} U; s{t} = u{t} v{t} b; h{t} = s{t}"
        for t in range(1, 5)
    ),
    "chain": "w0; a0 = w0; " + "; ".join(f"w{i}; a{i} = a{i - 1} w{i}" for i in range(1, 20)),
    "wide": "; ".join(f"w{i}" for i in range(12)) + "; s = " + " ".join(f"w{i}" for i in range(12)),
    "apart": "a; b; c = a b; unused; d; e = d",
    "alone": "a",
}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Box], list[Edge]]:
    count = draw(st.integers(1, 14))
    nodes, edges = [], []
    for i in range(count):
        size = draw(st.sampled_from([(68, 60), (84, 60), (140, 44), (40, 96)]))
        nodes.append(Box(f"n{i}", *size, draw(st.sampled_from(["", "input"]))))
        inputs = draw(st.lists(st.integers(0, i - 1), max_size=4)) if i else []
        edges += [(f"n{source}", f"n{i}", slot) for slot, source in enumerate(inputs)]
    return nodes, edges


@pytest.fixture(params=["graphlay", "own"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both ways to draw keep the same promises."""
    if request.param == "own":
        monkeypatch.setattr(module, "graphlay", None)
    module._layout.cache_clear()
    yield request.param
    module._layout.cache_clear()


def check(nodes: list[Box], edges: list[Edge], drawn: Layout) -> None:
    assert list(drawn.positions) == [node.name for node in nodes]
    assert len(drawn.routes) == len(edges)
    spans = {
        name: (x, y, x + drawn.sizes[name][0], y + drawn.sizes[name][1])
        for name, (x, y) in drawn.positions.items()
    }
    near = 0.11  # coordinates are rounded to a tenth
    for left, top, right, bottom in spans.values():
        assert 0 <= left and right <= drawn.width and 0 <= top and bottom <= drawn.height
    for a, b in combinations(spans.values(), 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], "boxes overlap"
    for (source, target, _), route in zip(edges, drawn.routes, strict=True):
        start, end = spans[source], spans[target]
        assert end[0] - start[2] >= 60, "room for a number"
        assert abs(route[0][0] - start[2]) <= near and start[1] < route[0][1] < start[3]
        assert abs(route[-1][0] - end[0]) <= near and end[1] < route[-1][1] < end[3]
        for x, y in route:
            assert 0 <= x <= drawn.width and 0 <= y <= drawn.height
        for (x0, y0), (x1, y1) in pairwise(route[1:-1]):
            for askew in (abs(x1 - x0), abs(y1 - y0)):
                assert askew == 0 or askew >= 1, "a leg is all but upright"
    assert len(set(drawn.routes)) == len(drawn.routes), "two edges share one line"
    ends = [(target, route[-1]) for (_, target, _), route in zip(edges, drawn.routes, strict=True)]
    assert len(set(ends)) == len(ends), "two edges share one port"


@pytest.mark.parametrize("name", GRAPHS)
def test_the_graphs_of_lessons(engine: str, name: str) -> None:
    nodes, edges = read(GRAPHS[name])
    drawn = layout(nodes, edges)
    check(nodes, edges, drawn)
    for (source, target, _), route in zip(edges, drawn.routes, strict=True):
        for other, (left, top) in drawn.positions.items():
            if other in (source, target):
                continue
            right, bottom = left + drawn.sizes[other][0], top + drawn.sizes[other][1]
            for (x0, y0), (x1, y1) in pairwise(route):
                across = min(x0, x1) < right and max(x0, x1) > left
                assert not (across and min(y0, y1) < bottom and max(y0, y1) > top), other


@pytest.mark.parametrize("own", [False, True])
@settings(max_examples=60, deadline=None)
@given(graph=graphs())
def test_any_graph(own: bool, graph: tuple[list[Box], list[Edge]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if own:
            patch.setattr(module, "graphlay", None)
        module._layout.cache_clear()
        check(*graph, layout(*graph))
    module._layout.cache_clear()


def test_a_leaf_stands_next_to_the_node_that_uses_it(engine: str) -> None:
    nodes, edges = read(GRAPHS["chain"])
    drawn = layout(nodes, edges)
    for source, target, _ in edges:
        assert drawn.positions[target][0] - drawn.positions[source][0] < 84 + 84 + module.LAYER_GAP


def test_the_main_line_of_a_chain_is_straight(engine: str) -> None:
    drawn = layout(*read(GRAPHS["chain"]))
    assert len({drawn.positions[f"a{i}"][1] for i in range(1, 20)}) == 1


def test_both_edges_of_a_product_with_itself_run_apart(engine: str) -> None:
    nodes, edges = read(GRAPHS["twice"])
    first, second = layout(nodes, edges).routes[:2]
    assert len(first) == len(second) == 2
    assert abs(first[0][1] - second[0][1]) >= 18
    assert abs(first[1][1] - second[1][1]) >= 18


def test_time_steps_stand_in_their_order() -> None:
    drawn = layout(*read(GRAPHS["recurrent"]))
    columns = [drawn.positions[f"x{t}"][0] for t in range(1, 5)]
    assert columns == sorted(columns) and len(set(columns)) == 4


def test_queries_keys_and_values_stand_side_by_side() -> None:
    drawn = layout(*read(GRAPHS["attention"]))
    assert len({drawn.positions[name][0] for name in "qkv"}) == 1


def test_two_processes_draw_the_same() -> None:
    program = (
        "from tests.render.test_layout import GRAPHS, layout, module, read\n"
        "drawn = [repr(layout(*read(text))) for text in GRAPHS.values()]\n"
        "module._layout.cache_clear(); module.graphlay = None\n"
        "print(drawn, [repr(layout(*read(text))) for text in GRAPHS.values()])\n"
    )

    def run(seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            cwd=ROOT,
        )
        return done.stdout

    assert run("1") == run("2")


def test_a_drawing_is_remembered() -> None:
    graph = read(GRAPHS["neuron"])
    assert layout(*graph) is layout(*graph)


def test_a_card_holds_the_picture() -> None:
    nodes, edges = read(GRAPHS["recurrent"])
    full = layout(nodes, edges)
    card = picture(full, width=200, height=80)
    assert card.width <= 200 and card.height <= 80
    assert list(card.positions) == list(full.positions)
    assert [len(route) for route in card.routes] == [len(route) for route in full.routes]
    tiny = layout([Box("a", 20, 10)], [])
    assert picture(tiny) == tiny


def test_an_empty_graph_has_a_frame() -> None:
    assert layout([], []).positions == {}


A, B = Box("a", 10, 10), Box("b", 10, 10)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ([A, A], [], "two nodes have one name: a"),
        ([A], [("a", "q", 0)], "unknown node: q"),
        ([A, B], [("a", "b", 0), ("b", "a", 0)], "runs in a circle"),
        ([A], [("a", "a", 0)], "runs in a circle"),
        ([Box("a", 0, 10)], [], "a has no size: 0 × 10"),
        ([Box("a", float("nan"), 10)], [], "a has no size: nan"),
        ([Box(str(i), 10, 10) for i in range(1501)], [], "too many nodes, at most 1500: 1501"),
        ([A, B], [("a", "b", i) for i in range(5001)], "too many edges, at most 5000: 5001"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(
    nodes: list[Box], edges: list[Edge], message: str
) -> None:
    with pytest.raises(LayoutError, match=message):
        layout(nodes, edges)


def test_ranks_know_a_circle() -> None:
    assert layered.ranks(["a", "b"], [("a", "b", 0)]) == {"a": 0, "b": 1}
    assert layered.ranks(["a", "b"], [("a", "b", 0), ("b", "a", 0)]) is None
