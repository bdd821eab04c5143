"""Every number explains itself: for one step, its formula in symbols, the same with this run's
numbers, and the result.

All is read off the op's class: its formula, the rule of each operand with its local factor, and its
elements written out. For arrays the lines show one entry (the first, or the one asked for).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from app.engine.graph import Graph, Node
from app.engine.op import Op, Term
from app.engine.types import GRAD, VALUE, Array
from app.render import mathml
from app.render.mathml import EQUALS, Template, row
from app.render.scene import Index, Scene, entry, first, grad_of, name_of, size

Line = dict[str, Any]
template = lru_cache(maxsize=4096)(Template)


def line(kind: str, symbols: str, worked: str, result: str, **more: Any) -> Line:
    """`worked` and `result` may be empty where a matrix says it all."""
    return {
        "kind": kind,
        "to": more.get("to"),
        "slot": more.get("slot"),
        "symbols": mathml.math(symbols),
        "numbers": mathml.math(worked) if worked else None,
        "result": mathml.math(result) if result else None,
        "upstream": more.get("upstream"),
        "local": more.get("local"),
        "element": more.get("element"),
    }


@lru_cache(maxsize=4096)
def operand_names(op: Op, count: int) -> tuple[str, ...]:
    """The letters of this use's operands; an op with one letter and more operands numbers them."""
    return op.operands[:count]


def symbols_of(graph: Graph, node: Node) -> dict[str, str]:
    """Fragments for @y, @g and the operands' letters."""
    assert node.op
    shapes = [graph[name].shape for name in node.inputs]
    found = {"y": name_of(node), "g": grad_of(graph, node)}
    for letter, name in zip(operand_names(node.op, len(node.inputs)), node.inputs, strict=True):
        found[letter] = name_of(graph[name])
    for letter, (latex, _) in node.op.letters(*shapes).items():
        found[letter] = mathml.symbol(latex)
    return found


_ALONE = {r"\frac{1}{@n}": "", r"\frac{2}{@n}": "2", r"\frac{1}{2 \cdot @n}": r"\frac{1}{2}"}


def said(graph: Graph, node: Node, text: str) -> str:
    """A formula as this use needs it. With a single entry a mean is the entry itself: 1/n is left
    out, and so is the sum. A layer without its biases loses their terms."""
    assert node.op
    op, shapes = node.op, [graph[name].shape for name in node.inputs]
    if op.is_loss and op.letters(*shapes).get("n", ("", 2.0))[1] == 1.0:
        for fraction, short in _ALONE.items():
            text = text.replace(fraction, short)
        if size(shapes[0]) == 1:
            text = text.replace(r"\sum ", "")
    if text == op.formula and len(shapes) < len(op.operands):
        for letter in op.operands[len(shapes) :]:
            text = text.replace(f" + @{letter}", "")
    return text


def forward_symbols(graph: Graph, node: Node) -> str:
    assert node.op
    return template(said(graph, node, node.op.formula)).fill(symbols_of(graph, node))


def forward_latex(graph: Graph, node: Node) -> str:
    """The symbols' LaTeX."""
    assert node.op
    names = latex_names(graph, node)
    return put_in(said(graph, node, node.op.formula), names)


def put_in(text: str, names: Mapping[str, str]) -> str:
    """The letters' own LaTeX put in; braces keep a following script apart."""
    return re.sub(r"@([A-Za-z]+)", lambda found: f"{{{names[found[1]]}}}", text)


def latex_names(graph: Graph, node: Node) -> dict[str, str]:
    assert node.op
    shapes = [graph[name].shape for name in node.inputs]
    names = {"y": node.latex}
    for letter, name in zip(operand_names(node.op, len(node.inputs)), node.inputs, strict=True):
        names[letter] = graph[name].latex
    return names | {letter: latex for letter, (latex, _) in node.op.letters(*shapes).items()}


def forward_line(scene: Scene, node: Node, element: Index | None = None) -> Line:
    """The node's formula, with numbers where one entry can be written out."""
    assert node.op
    graph = scene.graph
    y = scene.now((node.name, VALUE))
    assert y is not None
    index = first(node.shape) if element is None else element
    shown = element is not None or node.shape != ()
    worked = _worked_forward(scene, node, index)
    result = scene.number(y, index, (node.name, VALUE))
    head = indexed(name_of(node), index, node.shape)
    return line(
        "forward",
        forward_symbols(graph, node),
        row(head, EQUALS, worked) if worked else "",
        row(EQUALS, mathml.bare(result)) if worked else row(head, EQUALS, mathml.bare(result)),
        to=node.name,
        element=list(index) if shown and size(node.shape) > 1 else None,
    )


def indexed(symbol: str, index: Index, shape: tuple[int, ...]) -> str:
    """z₁[0,2]: the entry meant; nothing is added when there is only one."""
    if size(shape) <= 1:
        return symbol
    places = ",".join(str(i) for i in index)
    return row(symbol, f"<mo>[</mo><mn>{places}</mn><mo>]</mo>")


def operand_values(scene: Scene, node: Node) -> list[Array]:
    found = []
    for name in node.inputs:
        value = scene.now((name, VALUE))
        assert value is not None
        found.append(value)
    return found


def filled(
    scene: Scene,
    node: Node,
    index: Index,
    text: str,
    g: Array | None = None,
    places: Mapping[str, Index] | None = None,
) -> str:
    """A template with one entry of every operand put in: the one at the index, or at `places`."""
    assert node.op
    op, operands = node.op, operand_values(scene, node)
    slots = template(text).slots
    fragments: dict[str, str] = {}
    for letter, name, value in zip(
        operand_names(op, len(operands)), node.inputs, operands, strict=True
    ):
        if letter in slots:
            place = index if places is None else places[letter]
            fragments[letter] = scene.number(value, place, (name, VALUE))
    if "y" in slots:
        y = scene.now((node.name, VALUE))
        assert y is not None
        fragments["y"] = scene.number(y, index, (node.name, VALUE))
    if "g" in slots and g is not None:
        fragments["g"] = scene.number(g, index, (node.name, GRAD))
    for letter, (_, worth) in op.letters(*(v.shape for v in operands)).items():
        fragments[letter] = mathml.number(worth)
    if text in (op.worked_at, op.worked_back):
        y = scene.now((node.name, VALUE))
        assert y is not None
        for letter, measured in op.measured(operands[0], y, g).items():
            fragments[letter] = mathml.number(entry(measured, index))
    return template(text).fill(fragments)


def _worked_forward(scene: Scene, node: Node, index: Index) -> str:
    op = node.op
    assert op
    right = said(scene.graph, node, op.formula).partition("=")[2].strip()
    operands = operand_values(scene, node)
    if op.worked_at:
        return filled(scene, node, index, op.worked_at)
    places = op.places(index, *shapes_of(operands))
    if places is not None:
        return filled(scene, node, index, op.worked or right, places=places)
    window = op.window(index, *shapes_of(operands))
    if window is not None:
        return _largest_of(scene, node, window)
    if (
        op.elementwise
        or all(v.size == 1 for v in operands)
        and op.element(index, *shapes_of(operands)) is None
    ):
        return filled(scene, node, index, right)
    terms = op.element(index, *shapes_of(operands))
    if terms is not None:
        return sum_of(scene, node, terms, None)
    each = getattr(op, "each_term", "")
    if each:
        return _sum_of_entries(scene, node, right, each)
    return ""


def _largest_of(scene: Scene, node: Node, window: list[Index]) -> str:
    """max(1, 3, 2, 4)."""
    value, slot = operand_values(scene, node)[0], (node.inputs[0], VALUE)
    parts: list[str] = []
    for place in mathml.shown(len(window), 16):
        parts += ["<mo>,</mo>"] if parts else []
        entries = mathml.ELLIPSIS
        if place is not None:
            entries = mathml.bare(scene.number(value, window[place], slot))
        parts.append(entries)
    return row("<mi>max</mi>", "<mo>(</mo>", *parts, "<mo>)</mo>")


def shapes_of(arrays: list[Array]) -> list[tuple[int, ...]]:
    return [array.shape for array in arrays]


def _sum_of_entries(scene: Scene, node: Node, right: str, each: str) -> str:
    """A loss's sum with its entries written out: 1/2 [(0.1 − 0)² + (0.4 − 1)²]."""
    shape = operand_values(scene, node)[0].shape
    places = mathml.shown(size(shape), 4)
    every = list(np.ndindex(*shape))
    terms = [
        mathml.ELLIPSIS if place is None else filled(scene, node, every[place], each)
        for place in places
    ]
    front = right.partition(r"\sum")[0].strip()
    inner = row("<mo>[</mo>", mathml.total(terms, longest=len(terms)), "<mo>]</mo>")
    return row(filled(scene, node, (), front), inner) if front else inner


def sum_of(scene: Scene, node: Node, terms: list[Term], g: Array | None) -> str:
    """Products of entries with a plus between."""
    assert node.op
    letters = dict(zip(operand_names(node.op, len(node.inputs)), node.inputs, strict=True))
    places = mathml.shown(len(terms))
    rows = []
    for place in places:
        if place is None:
            rows.append([mathml.ELLIPSIS])
            continue
        term = terms[place]
        factors = [mathml.number(term.scale)] if term.scale != 1.0 else []
        for letter, index in term.factors:
            if letter == "g":
                assert g is not None
                factors.append(scene.number(g, index, (node.name, GRAD)))
            else:
                name = letters[letter]
                value = scene.now((name, VALUE))
                assert value is not None
                factors.append(scene.number(value, index, (name, VALUE)))
        rows.append(factors)
    return mathml.sum_of_products(rows, longest=len(rows))
