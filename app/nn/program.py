"""A visitor's program as a graph: `L = (w*x + b)**2`, several lines, every op by name.

Each operation becomes a node. One that a line names bears that name (bound again: `a`, then `a_2`);
the others are called u₁, u₂, … as in "let u = x + 2", or `wx` where a product is a term of a sum.
What NumPy would stretch silently is a node, too.
"""

from __future__ import annotations

import ast
import keyword
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.engine.errors import BackstepError
from app.engine.graph import INPUT, PARAMETER, Graph
from app.engine.types import Array
from app.nn.expression import Expressions
from app.nn.source import Place, Source, name_fault
from app.nn.values import to_array

MAX_NODES = 500


class Limits(Protocol):
    """What a program may ask for; the settings' limits fit."""

    @property
    def program_characters(self) -> int: ...

    @property
    def program_depth(self) -> int: ...

    @property
    def graph_nodes(self) -> int: ...

    @property
    def array_entries(self) -> int: ...

    @property
    def graph_entries(self) -> int: ...


@dataclass(frozen=True)
class ProgramLimits:
    program_characters: int = 2_000
    program_depth: int = 60
    graph_nodes: int = MAX_NODES
    array_entries: int = 1_000_000
    graph_entries: int = 10_000_000


@dataclass(frozen=True)
class Program:
    """`values` holds every leaf's numbers, `places` where in `lines` each node was written.

    `names` are the nodes that the program's names mean at its end.
    """

    graph: Graph
    values: dict[str, Array]
    parameters: tuple[str, ...]
    lines: tuple[str, ...]
    places: dict[str, Place]
    names: dict[str, str]


def parse(
    source: Any,
    values: Any,
    output: Any = None,
    parameters: Any = None,
    *,
    limits: Limits | None = None,
) -> Program:
    """The program as a graph with the leaves' numbers; any fault is an error with its place."""
    limits = limits or ProgramLimits()
    text = Source(source, characters=limits.program_characters, depth=limits.program_depth)
    arrays = _values(values, limits.array_entries)
    trained = _parameters(parameters, arrays)
    graph = Graph(max_nodes=min(MAX_NODES, limits.graph_nodes))
    pinned = trained if parameters is not None else frozenset()
    build = Expressions(
        text,
        graph,
        set(arrays),
        pinned,
        entries=limits.array_entries,
        together=limits.graph_entries,
    )
    for name, array in arrays.items():
        build.given(PARAMETER if name in trained else INPUT, name, array)
    for statement in text.tree.body:
        _statement(build, text, statement, alone=len(text.tree.body) == 1)
    graph.output = _output(build, text, output)
    leaves = {name: build.values[name] for name, node in graph.nodes.items() if node.op is None}
    kept = tuple(node.name for node in graph.kind(PARAMETER))
    names = {name: node.name for name, node in build.names.items()}
    return Program(graph, leaves, kept, text.lines, build.places, names)


def _values(given: Any, max_entries: int) -> dict[str, Array]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise BackstepError('must be an object such as {"w": 2, "x": 3}', where="values")
    arrays: dict[str, Array] = {}
    for key, value in given.items():
        name = unicodedata.normalize("NFKC", key) if isinstance(key, str) else ""
        if not name.isidentifier() or keyword.iskeyword(name) or name_fault(name):
            shown = repr(key) if len(repr(key)) <= 40 else repr(key)[:39] + "…"
            raise BackstepError(
                f"a name is letters, digits and underscores, with a letter first: {shown}",
                where="values",
            )
        if name in arrays:
            raise BackstepError(f"two values have the same name: {name}", where="values")
        arrays[name] = to_array(value, f"values.{name}", max_entries)
    return arrays


def _parameters(given: Any, arrays: Mapping[str, Array]) -> frozenset[str]:
    if given is None:
        return frozenset(arrays)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise BackstepError('must be a list of names such as ["w", "b"]', where="parameters")
    for i, name in enumerate(given):
        if not isinstance(name, str) or name not in arrays:
            known = ", ".join(arrays) or "none"
            shown = repr(name)[:40]
            raise BackstepError(
                f"a parameter must be one of the values ({known}): {shown}",
                where=f"parameters[{i}]",
            )
    return frozenset(given)


def _statement(build: Expressions, text: Source, statement: ast.stmt, *, alone: bool) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            names = [_target(text, target) for target in targets]
            build.bind(names, value, statement)
        case ast.AugAssign(target=target, op=op, value=value):
            name = _target(text, target)
            left = ast.copy_location(ast.Name(name, ast.Load()), target)
            both = ast.copy_location(ast.BinOp(left, op, value), statement)
            build.bind([name], both, statement)
        case ast.Expr(value=value) if alone:
            build.bind([build.spare("L")], value, statement)
        case ast.Expr(value=value):
            raise text.fail(
                f"this line gives its result no name; write y = {text.written(value)}", value
            )
        case _:
            raise text.fail("a line must be a name = an expression, as in z = w*x + b", statement)


def _target(text: Source, target: ast.expr) -> str:
    if not isinstance(target, ast.Name):
        raise text.fail("the left of = must be one name, as in L = w*x", target)
    return target.id


def _output(build: Expressions, text: Source, wanted: Any) -> str:
    if wanted is None:
        node = build.last
        where = str(build.places[node.name]) if node and node.name in build.places else "program"
    else:
        name = unicodedata.normalize("NFKC", wanted) if isinstance(wanted, str) else ""
        node = build.names.get(name) or build.graph.nodes.get(name)
        where = "output"
        if node is None:
            known = ", ".join(build.names)
            raise BackstepError(
                f"no line binds this name: {repr(wanted)[:40]}; known are {known}", where=where
            )
    if node is None or node.op is None:
        raise BackstepError(
            "the output must be computed; write a line such as L = (w*x + b)**2", where=where
        )
    if node.shape != ():
        raise BackstepError(
            f"the output {node.label} has the shape {node.shape}, but a backward pass starts from "
            f"a single number: write sum({node.name}) or mean({node.name})",
            where=where,
        )
    return node.name
