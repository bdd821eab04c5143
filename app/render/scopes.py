"""The scopes of a graph as a tree: layers, inside them the steps of an unrolled sequence, and in a
graph taken apart the tensors and their entries.

A scope can be shown as one box. So it must not be left and entered again on the way of the values;
one that would be is dissolved, and its nodes belong to the scope around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.engine.graph import Graph, Node

TOP = ""
_ENTRY = re.compile(r"^(.+?)\[([\d,]+)\]")
_INNER = re.compile(r"\.(layers|branches)\.")
_TIMED = re.compile(r"^[A-Za-z]+_(\d+)$")
_MOVING = frozenset("select reshape transpose stack initial_state detach broadcast flatten".split())


@dataclass
class Scope:
    """`children` are nodes and scopes (whose names end with a slash) in the order of computing."""

    name: str
    label: str
    parent: str = TOP
    children: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)


Tree = dict[str, Scope]
"""By name; the outermost one is `TOP`."""


def tree_of(graph: Graph) -> Tree:
    """Every scope that holds at least two things."""
    unrolled = {n.scope for n in graph.nodes.values() if n.scope and _rest(n).startswith("h_0")}
    apart = any("[" in name for name in graph.nodes)
    tree: Tree = {TOP: Scope(TOP, "")}
    for node in graph.nodes.values():
        parent = TOP
        for part, label in _path(node, node.scope in unrolled, apart):
            name = f"{parent}{part}/"
            if name not in tree:
                tree[name] = Scope(name, label, parent)
                tree[parent].children.append(name)
            elif label:  # an entry's name is known only when its last sum is made
                tree[name].label = label
            parent = name
        tree[parent].children.append(node.name)
    for name in sorted(tree, key=lambda name: -name.count("/")):
        if name and len(tree[name].children) == 1:
            (only,) = tree[name].children
            _dissolve(tree, only if only in tree else name)
    edges = [(edge.source, edge.target) for edge in graph.edges]
    while looping := _looping(tree, edges):
        for name in looping:
            _dissolve(tree, name)
    order = {name: i for i, name in enumerate(graph.nodes)}
    for name, scope in tree.items():
        scope.label = scope.label or name.rstrip("/").rpartition("/")[2]
        scope.members = sorted(_members(tree, name), key=order.__getitem__)
    return tree


def _rest(node: Node) -> str:
    """The name without the layer's."""
    return node.name.removeprefix(f"{node.scope}.") if node.scope else node.name


def _path(node: Node, unrolled: bool, apart: bool) -> list[tuple[str, str]]:
    """(part of a scope's name, its label), from the outside."""
    parts: list[tuple[str, str]] = []
    for layer in _INNER.sub(r".\1-", node.scope).split("."):
        kind, _, number = layer.rpartition("-")
        if kind == "branches":
            parts.append((layer, f"branch {number}"))
        elif layer and not number.isdigit():
            parts.append((number, number))
        elif layer:
            within = parts and parts[-1][1].startswith("layer ")
            around = f"{parts[-1][1]}." if within else "layer "
            parts.append((number, f"{around}{number}"))
    rest = _rest(node)
    entry = _ENTRY.match(rest) if apart else None
    tensor = entry[1] if entry else rest.partition(".")[0] if apart else rest
    timed = _TIMED.match(tensor) if unrolled and node.op else None
    if timed and int(timed[1]) > 0:
        parts.append((f"t{timed[1]}", f"t = {timed[1]}"))
    if apart and (entry or "." in rest or node.op):
        own = entry is not None and rest == entry[0]
        parts.append((tensor, node.label.partition("[")[0] if own else ""))
        if entry and node.op:
            parts.append((entry[2], node.label if own else ""))
    return parts


def _dissolve(tree: Tree, name: str) -> None:
    """Its children stand in its place."""
    scope = tree.pop(name)
    siblings = tree[scope.parent].children
    at = siblings.index(name)
    siblings[at : at + 1] = scope.children
    for child in scope.children:
        if child in tree:
            tree[child].parent = scope.parent


def _members(tree: Tree, name: str) -> Iterable[str]:
    for child in tree[name].children:
        if child in tree:
            yield from _members(tree, child)
        else:
            yield child


def chains(tree: Tree) -> dict[str, list[str]]:
    """For every node the scopes around it, from the outside; the first is `TOP`."""
    found: dict[str, list[str]] = {}

    def go(name: str, around: list[str]) -> None:
        here = [*around, name]
        for child in tree[name].children:
            if child in tree:
                go(child, here)
            else:
                found[child] = here

    go(TOP, [])
    return found


def _looping(tree: Tree, edges: Sequence[tuple[str, str]]) -> list[str]:
    """Scopes that values leave and enter again."""
    around = chains(tree)
    between: dict[str, set[tuple[str, str]]] = {}
    for source, target in edges:
        a, b = [*around[source], source], [*around[target], target]
        at = next(i for i in range(1, len(a) + 1) if a[i] != b[i])
        between.setdefault(a[at - 1], set()).add((a[at], b[at]))
    found: list[str] = []
    for level in between.values():
        for forth in (True, False):
            level = _without_ends(level, forth)
        found += {end for pair in level for end in pair if end in tree}
    return sorted(found)


def _without_ends(edges: set[tuple[str, str]], forth: bool) -> set[tuple[str, str]]:
    """What stays when beginnings (or ends) are taken away again and again."""
    while edges:
        entered = {pair[1 if forth else 0] for pair in edges}
        kept = {pair for pair in edges if pair[0 if forth else 1] in entered}
        if len(kept) == len(edges):
            break
        edges = kept
    return edges


def opened_at_first(tree: Tree, few: int, most: int) -> frozenset[str]:
    """While only few boxes stand there, the largest scope opens, and with it those beside it that
    are not much smaller.
    """
    opened: set[str] = set()
    shown = list(tree[TOP].children)
    while len(shown) < few:
        closed = [name for name in shown if name in tree]
        size = {name: len(tree[name].members) for name in closed}
        largest = max(closed, key=size.__getitem__, default="")
        fit = False
        for name in sorted(closed, key=size.__getitem__, reverse=True):
            alike = tree[name].parent == tree[largest].parent and 4 * size[name] >= size[largest]
            if alike and len(shown) + len(tree[name].children) <= most:
                opened.add(name)
                shown.remove(name)
                shown += tree[name].children
                fit = True
        if not fit:
            break
    return frozenset(opened)


def says(nodes: Mapping[str, Node], members: Sequence[str]) -> str:
    """The ops of a scope in words: those that compute, each once."""
    ops = [node.op.name for name in members if (node := nodes[name]).op]
    named = list(dict.fromkeys(op for op in ops if op not in _MOVING)) or list(dict.fromkeys(ops))
    return ", ".join(named[:2]) + (" …" if len(named) > 2 else "")
