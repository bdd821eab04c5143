"""Scopes as a tree, and the drawing in which some are open: every promise of a drawing holds on
every level, whatever is open."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from app.engine.graph import Graph
from app.engine.op import make
from app.render.folding import Folded, fold
from app.render.layout import Box, layout
from app.render.scopes import TOP, Tree, chains, opened_at_first, says, tree_of
from app.sessions.graphs import box_of
from app.train.run import Run
from tests.train.plans.specs import run_of

SGD = {"type": "sgd", "lr": 0.1}


def sequence(kind: str, steps: int) -> dict[str, Any]:
    rows = [[[0.1 * t, -0.2] for t in range(steps)]]
    layers = [{"type": kind, "hidden_size": 3, "return_sequences": False}]
    layers.append({"type": "linear", "out_features": 1})
    return {
        "model": {"input_shape": [steps, 2], "layers": layers},
        "loss": "mse",
        "data": {"inputs": rows, "targets": [[1.0]]},
        "optimizer": SGD,
    }


def network(*widths: int, scalars: bool = False) -> dict[str, Any]:
    layers: list[Any] = []
    for width in widths:
        layers += [{"type": "linear", "out_features": width}, "tanh"]
    layers.append({"type": "residual", "layers": [{"type": "linear", "out_features": widths[-1]}]})
    data = {"inputs": [[1.0, 2.0]], "targets": [[0.5] * widths[-1]]}
    return {"model": {"layers": layers}, "loss": "mse", "data": data, "scalars": scalars}


SPECS = {
    "rnn": sequence("rnn", 9),
    "lstm": sequence("lstm", 7),
    "gru": sequence("gru", 6),
    "network": network(3, 2),
    "scalars": network(3, 2, scalars=True),
}


def tree_and_graph(spec: dict[str, Any]) -> tuple[Tree, Graph]:
    graph = run_of(spec).graph(0)
    return tree_of(graph), graph


def inside(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    return (
        outer[0] < inner[0]
        and outer[1] < inner[1]
        and inner[0] + inner[2] < outer[0] + outer[2]
        and inner[1] + inner[3] < outer[1] + outer[3]
    )


def apart(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    x, y = a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0], a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
    return x or y


def check(graph: Graph, tree: Tree, drawn: Folded) -> None:
    around = chains(tree)
    outer = {name: tree[name].parent for name in tree} | {n: c[-1] for n, c in around.items()}
    for (a, first), (b, second) in combinations(drawn.boxes.items(), 2):
        if a in tree and outer[b] == a:
            assert inside(second, first), (a, b)
        elif b in tree and outer[a] == b:
            assert inside(first, second), (a, b)
        elif outer[a] == outer[b]:
            assert apart(first, second), (a, b)
    carried = [edge for wire in drawn.wires for edge in wire.carries]
    assert len(set(carried)) == len(carried)
    for wire in drawn.wires:
        (x0, y0, width, height), end = drawn.boxes[wire.source], drawn.boxes[wire.target]
        start, stop = wire.points[0], wire.points[-1]
        assert abs(start[0] - x0 - width) < 0.2 and y0 < start[1] < y0 + height
        assert abs(stop[0] - end[0]) < 0.2 and end[1] < stop[1] < end[1] + end[3]
        assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in wire.points)
    shown = {name for name in drawn.boxes if name not in tree}
    both = [e for e in graph.edges if e.source in shown and e.target in shown]
    assert set(both) <= set(carried), "an edge between two nodes that are shown is drawn"


@pytest.mark.parametrize("name", SPECS)
def test_every_drawing_keeps_what_a_drawing_promises(name: str) -> None:
    tree, graph = tree_and_graph(SPECS[name])
    scopes = [scope for scope in tree if scope]
    assert len(scopes) > 2
    for opened in (set(), set(scopes[:1]), set(scopes[::2]), set(scopes)):
        check(graph, tree, fold(graph, tree, opened, box_of))


def test_layers_time_steps_tensors_and_entries_are_scopes() -> None:
    tree, _ = tree_and_graph(SPECS["lstm"])
    assert tree["0/"].label == "layer 0" and tree["0/t3/"].label == "t = 3"
    assert tree["0/t3/"].parent == "0/" and "0.h_3" in tree["0/t3/"].members
    assert "0.weight_hh_l0" in tree["0/"].children, "what all steps share lies beside them"
    tree, graph = tree_and_graph(SPECS["scalars"])
    assert tree["0/weight/"].label == "W₁" and tree["0/z/0,1/"].label == "z₁[0,1]"
    assert says(graph.nodes, tree["0/z/"].members) == "mul, add"
    for name, scope in tree.items():
        assert len(scope.children) >= 2 or name == TOP


def test_values_that_leave_and_come_back_dissolve_the_scope() -> None:
    graph = Graph()
    x = graph.leaf("input", "x", ())
    a = graph.add(make("exp"), x, name="s.a", scope="s")
    b = graph.add(make("exp"), a, name="b")
    graph.add(make("mul"), a, b, name="s.c", scope="s")
    graph.output = "s.c"
    assert list(tree_of(graph)) == [TOP]


def test_the_largest_scope_opens_while_little_is_seen() -> None:
    tree, _ = tree_and_graph(SPECS["lstm"])
    assert opened_at_first(tree, 8, 150) == {"0/"}
    assert opened_at_first(tree, 8, 10) == frozenset(), "not if too much would be seen"
    assert opened_at_first(tree, 3, 150) == frozenset()


def test_what_many_time_steps_share_runs_on_a_rail() -> None:
    """The drawing grows in width with the number of steps, hardly in height."""

    def height(steps: int) -> float:
        run = Run(run_of(sequence("rnn", steps)).spec)
        tree = tree_of(run.graph(0))
        return fold(run.graph(0), tree, {"0/"}, box_of).height

    assert height(40) <= 1.2 * height(20) <= 1_000
    boxes = [Box("w", 60, 60), *(Box(f"h{t}", 60, 60) for t in range(12))]
    edges = [("w", f"h{t}", 1) for t in range(12)]
    edges += [(f"h{t - 1}", f"h{t}", 0) for t in range(1, 12)]
    drawn = layout(boxes, edges)
    lanes = {min(y for _, y in route) for route in drawn.routes[2:12]}
    assert len(lanes) == 1, "all of one weight's edges on one rail"
    assert max(lanes) < min(y for _, y in drawn.positions.values())
