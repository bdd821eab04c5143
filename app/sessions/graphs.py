"""A graph as JSON. A large one is shown by its scopes: those that are closed are one box each, and
their nodes and edges stand where that box stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import PARAMETER, Graph, Node
from app.render import mathml
from app.render.folding import Folded, fold
from app.render.layout import Box, layout
from app.render.scene import name_of
from app.render.scopes import TOP, Scope, Tree, opened_at_first, says, tree_of

Collapse = Literal["auto", "all", "none"]

NUMBER_BOX, ARRAY_BOX = (132.0, 84.0), (132.0, 96.0)
EDITABLE = ("parameter", "input", "target")
LARGE = 150  # nodes above which scopes are closed unless somebody opens them
FEW = 8  # boxes below which the largest scope is open at first


def box_of(node: Node) -> Box:
    width, height = NUMBER_BOX if int(np.prod(node.shape)) == 1 else ARRAY_BOX
    return Box(node.name, width, height, node.kind)


def graph_view(
    graph: Graph, collapse: Collapse = "auto", opened: Sequence[str] = ()
) -> dict[str, Any]:
    """`auto` closes the scopes of a large graph, `all` those of any, `none` no scope; those in
    `opened` are open in any case.
    """
    tree = tree_of(graph)
    for name in opened:
        if name not in tree or name == TOP:
            there = ", ".join(list(tree)[1:]) or "none"
            raise BackstepError(
                f"there is no scope of that name: {name[:80]!r}; there are {there}"[:400],
                where="open",
            )
    large = len(graph.nodes) > LARGE
    everything = frozenset(tree) - {TOP}
    if collapse == "none":
        shown = everything
    elif collapse == "all":
        shown = frozenset(opened)
    else:
        shown = opened_at_first(tree, FEW, LARGE) | frozenset(opened)
    if not large and (collapse == "none" or (collapse == "auto" and not opened)):
        drawn, shown = _flat(graph), everything
        frames = False
    else:
        drawn = fold(graph, tree, shown, box_of)
        frames = True
    group = {n: name for name, scope in tree.items() for n in scope.children if n not in tree}
    stands = {name: _standing(name, group, tree, drawn) for name in graph.nodes}
    users: dict[str, list[str]] = {}
    for edge in graph.edges:
        users.setdefault(edge.source, []).append(edge.target)
    points = {edge: wire.points for wire in drawn.wires for edge in wire.carries}
    return {
        "width": drawn.width,
        "height": drawn.height,
        "nodes": [
            {
                **about(node, graph),
                "group": group[node.name],
                **_place(drawn.boxes[stands[node.name]]),
            }
            for node in graph.nodes.values()
        ],
        "edges": [
            {
                "from": edge.source,
                "to": edge.target,
                "slot": edge.operand,
                "points": [list(point) for point in points.get(edge, ())],
            }
            for edge in graph.edges
        ],
        "scopes": [
            _scope_view(scope, graph, users, drawn if frames else None, name in shown)
            for name, scope in tree.items()
            if name != TOP
        ],
    }


def _flat(graph: Graph) -> Folded:
    """Without frames."""
    edges = graph.edges
    nodes = [box_of(node) for node in graph.nodes.values()]
    placed = layout(nodes, [(edge.source, edge.target, edge.operand) for edge in edges])
    boxes = {name: (*at, *placed.sizes[name]) for name, at in placed.positions.items()}
    return Folded.of(placed.width, placed.height, boxes, zip(edges, placed.routes, strict=True))


def _standing(name: str, group: dict[str, str], tree: Tree, drawn: Folded) -> str:
    """The box that stands for a node: its own, or that of the closed scope around it."""
    at = name
    while at not in drawn.boxes:
        at = group[at] if at in group else tree[at].parent
    return at


def _place(box: tuple[float, float, float, float]) -> dict[str, float]:
    return dict(zip(("x", "y", "width", "height"), box, strict=True))


def _scope_view(
    scope: Scope,
    graph: Graph,
    users: Mapping[str, Sequence[str]],
    drawn: Folded | None,
    opened: bool,
) -> dict[str, Any]:
    """`place` is null where no box is drawn: inside a closed scope, or in a drawing without
    frames.
    """
    inside = set(scope.members)
    ends = [
        name
        for name in scope.members
        if name == graph.output or not inside.issuperset(users.get(name, ()))
    ]
    computed = [name for name in ends if graph[name].op]
    box = drawn.boxes.get(scope.name) if drawn else None
    return {
        "name": scope.name,
        "label": scope.label,
        "parent": scope.parent or None,
        "says": says(graph.nodes, scope.members),
        "ops": sum(graph[name].op is not None for name in scope.members),
        "parameters": [n for n in scope.members if graph[n].kind == PARAMETER],
        "outputs": computed or ends,
        "open": opened,
        "place": _place(box) if box else None,
    }


def about(node: Node, graph: Graph) -> dict[str, Any]:
    """What is known of a node without its numbers."""
    return {
        "name": node.name,
        "op": node.op_name,
        "kind": node.kind,
        "inputs": list(node.inputs),
        "shape": list(node.shape),
        "dtype": str(np.dtype(node.dtype)),
        "scope": node.scope,
        "label": node.label,
        "mathml": mathml.math(name_of(node)),
        "symbol": node.op.symbol if node.op else "",
        "summary": node.op.summary if node.op else _leaf_summary(node),
        "attrs": node.op.attrs if node.op else {},
        "requires_grad": node.needs_grad,
        "editable": node.kind in EDITABLE and node.name not in graph.fixed,
    }


def _leaf_summary(node: Node) -> str:
    return {
        "parameter": "a number that training changes",
        "input": "an input: given, not trained",
        "target": "the answer that is wanted",
        "constant": "a fixed number of the formula",
        "noise": "a seeded draw, made before the iteration",
        "buffer": "a number that is kept from iteration to iteration, without a gradient",
    }[node.kind]
