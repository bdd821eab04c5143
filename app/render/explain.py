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
from app.engine.kernel import Contribution, Eager
from app.engine.op import Op, Rule, Term
from app.engine.types import GRAD, VALUE, Array, Slot
from app.render import mathml, numbers
from app.render.mathml import EQUALS, PLUS, Template, row
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


# --- forward ------------------------------------------------------------------------------------


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


def _formula(op: Op, count: int) -> str:
    """A linear layer without its bias loses the last term."""
    if count < len(op.operands):
        return op.formula.split(" + @")[0]
    return op.formula


def forward_symbols(graph: Graph, node: Node) -> str:
    assert node.op
    return template(_formula(node.op, len(node.inputs))).fill(symbols_of(graph, node))


def forward_latex(graph: Graph, node: Node) -> str:
    """The symbols' LaTeX."""
    assert node.op
    names = _latex_names(graph, node)
    return _latex(_formula(node.op, len(node.inputs)), names)


def backward_latex(graph: Graph, node: Node, operands: list[int]) -> str:
    """The contributions' LaTeX, one after the other."""
    assert node.op
    output = graph[graph.output].latex

    def slope(by: Node) -> str:
        return rf"\frac{{\partial {output}}}{{\partial {by.latex}}}"

    names = _latex_names(graph, node) | {"g": slope(node)}
    parts = []
    for operand in operands:
        _, rule = rule_of(node, operand)
        filled = _latex(rule.full, names)
        parts.append(f"{slope(graph[node.inputs[operand]])} = {filled}")
    return r",\quad ".join(parts)


def _latex(text: str, names: Mapping[str, str]) -> str:
    """The letters' own LaTeX put in; braces keep a following script apart."""
    return re.sub(r"@([A-Za-z]+)", lambda found: f"{{{names[found[1]]}}}", text)


def _latex_names(graph: Graph, node: Node) -> dict[str, str]:
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
    head = _indexed(name_of(node), index, node.shape)
    return line(
        "forward",
        forward_symbols(graph, node),
        row(head, EQUALS, worked) if worked else "",
        row(EQUALS, mathml.bare(result)) if worked else row(head, EQUALS, mathml.bare(result)),
        to=node.name,
        element=list(index) if shown and size(node.shape) > 1 else None,
    )


def _indexed(symbol: str, index: Index, shape: tuple[int, ...]) -> str:
    """z₁[0,2]: the entry meant; nothing is added when there is only one."""
    if size(shape) <= 1:
        return symbol
    places = ",".join(str(i) for i in index)
    return row(symbol, f"<mo>[</mo><mn>{places}</mn><mo>]</mo>")


def _values(scene: Scene, node: Node) -> list[Array]:
    found = []
    for name in node.inputs:
        value = scene.now((name, VALUE))
        assert value is not None
        found.append(value)
    return found


def _filled(scene: Scene, node: Node, index: Index, text: str, g: Array | None = None) -> str:
    """A template with one entry of every operand put in."""
    assert node.op
    op, operands = node.op, _values(scene, node)
    slots = template(text).slots
    fragments: dict[str, str] = {}
    for letter, name, value in zip(
        operand_names(op, len(operands)), node.inputs, operands, strict=True
    ):
        if letter in slots:
            fragments[letter] = scene.number(value, index, (name, VALUE))
    if "y" in slots:
        y = scene.now((node.name, VALUE))
        assert y is not None
        fragments["y"] = scene.number(y, index, (node.name, VALUE))
    if "g" in slots and g is not None:
        fragments["g"] = scene.number(g, index, (node.name, GRAD))
    for letter, (_, worth) in op.letters(*(v.shape for v in operands)).items():
        fragments[letter] = mathml.number(worth)
    return template(text).fill(fragments)


def _worked_forward(scene: Scene, node: Node, index: Index) -> str:
    op = node.op
    assert op
    right = op.formula.partition("=")[2].strip()
    operands = _values(scene, node)
    if (
        op.elementwise
        or all(v.size == 1 for v in operands)
        and op.element(index, *_shapes(operands)) is None
    ):
        return _filled(scene, node, index, right)
    terms = op.element(index, *_shapes(operands))
    if terms is not None:
        return sum_of(scene, node, terms, None)
    each = getattr(op, "each_term", "")
    if each:
        return _sum_of_entries(scene, node, right, each)
    return ""


def _shapes(arrays: list[Array]) -> list[tuple[int, ...]]:
    return [array.shape for array in arrays]


def _sum_of_entries(scene: Scene, node: Node, right: str, each: str) -> str:
    """A loss's sum with its entries written out: 1/2 [(0.1 − 0)² + (0.4 − 1)²]."""
    shape = _values(scene, node)[0].shape
    places = mathml.shown(size(shape), 4)
    every = list(np.ndindex(*shape))
    terms = [
        mathml.ELLIPSIS if place is None else _filled(scene, node, every[place], each)
        for place in places
    ]
    front = right.partition(r"\sum")[0].strip()
    inner = row("<mo>[</mo>", mathml.total(terms, longest=len(terms)), "<mo>]</mo>")
    return row(_filled(scene, node, (), front), inner) if front else inner


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


# --- backward -----------------------------------------------------------------------------------


def rule_of(node: Node, operand: int) -> tuple[str, Rule]:
    assert node.op
    letter = operand_names(node.op, len(node.inputs))[operand]
    return letter, node.op.rules[letter]


def contribution_symbols(graph: Graph, node: Node, operand: int) -> str:
    _, rule = rule_of(node, operand)
    target = graph[node.inputs[operand]]
    return row(grad_of(graph, target), EQUALS, template(rule.full).fill(symbols_of(graph, node)))


def local_derivative(scene: Scene, node: Node, operand: int) -> Array:
    """The rule run with an upstream gradient of 1: for elementwise ops the local factor of every
    entry.
    """
    assert node.op
    operands = _values(scene, node)
    y = scene.now((node.name, VALUE))
    assert y is not None
    grads: list[Array | None] = [None] * len(operands)
    out = grads[operand] = np.empty(operands[operand].shape)
    kernel = Eager(dict(scene.after), {}, {})
    kernel.at(node.name)
    with np.errstate(all="ignore"):
        node.op.vjp(kernel, np.ones(y.shape), y, *operands, *grads)
    return out


def contribution_line(
    scene: Scene, node: Node, contribution: Contribution, element: Index | None = None
) -> Line:
    """upstream × local = contribution, or the sum of products that one entry is."""
    assert node.op
    graph, op = scene.graph, node.op
    target = graph[contribution.target]
    letter, rule = rule_of(node, contribution.operand)
    g = scene.now((node.name, GRAD))
    assert g is not None
    index = first(target.shape) if element is None else element
    operands = _values(scene, node)
    result = mathml.bare(mathml.number(entry(contribution.value, index), None, "grad"))
    upstream = local = None
    worked = ""
    elementwise = (
        op.elementwise or op.is_loss or (g.size == 1 and operands[contribution.operand].size == 1)
    )
    terms = op.element_back(letter, index, *_shapes(operands))
    if elementwise and rule.local:
        slope = entry(local_derivative(scene, node, contribution.operand), index)
        above = entry(g, index if g.ndim else ())
        upstream, local = numbers.text(above), numbers.text(slope)
        head = scene.number(g, index if g.ndim else (), (node.name, GRAD))
        factor = _filled(scene, node, index, rule.worth) if rule.worth else ""
        shown = mathml.number(slope)
        plain_factor = template(rule.worth).slots if rule.worth else ()
        worked = row(head, mathml.TIMES, factor or shown)
        if rule.worth and (len(plain_factor) > 1 or rule.worth.strip("@").isalpha() is False):
            if plain_factor:
                worked = row(
                    head,
                    mathml.TIMES,
                    mathml.parentheses(factor),
                    EQUALS,
                    head,
                    mathml.TIMES,
                    shown,
                )
    elif terms is not None:
        worked = sum_of(scene, node, terms, g)
    return line(
        "contribution",
        contribution_symbols(graph, node, contribution.operand),
        row(_indexed(grad_of(graph, target), index, target.shape), EQUALS, worked)
        if worked
        else "",
        row(EQUALS, result)
        if worked
        else row(_indexed(grad_of(graph, target), index, target.shape), EQUALS, result),
        to=target.name,
        slot=contribution.operand,
        upstream=upstream,
        local=local,
        element=list(index) if size(target.shape) > 1 else None,
    )


def sum_line(scene: Scene, contribution: Contribution, old: Array, element: Index | None) -> Line:
    """Where paths meet: what stood there, plus what comes."""
    graph = scene.graph
    target = graph[contribution.target]
    index = first(target.shape) if element is None else element
    slot: Slot = (target.name, GRAD)
    new = entry(old, index) + entry(contribution.value, index)
    come = mathml.number(entry(contribution.value, index), None, "grad")
    stood = scene.number(old, index, slot, old=True)
    return line(
        "sum",
        row(grad_of(graph, target), "<mo>+=</mo>", "<mtext>contribution</mtext>"),
        row(mathml.bare(stood), PLUS, come),
        row(EQUALS, mathml.bare(mathml.number(new, None, "grad"))),
        to=target.name,
        slot=contribution.operand,
        element=list(index) if size(target.shape) > 1 else None,
    )


def backward_lines(scene: Scene, node: Node) -> list[Line]:
    """One line a contribution, and one more for each that is added to others."""
    lines = []
    if node.name == scene.graph.output:
        symbol = grad_of(scene.graph, node)
        lines.append(
            line(
                "contribution",
                row(symbol, EQUALS, "<mn>1</mn>"),
                "",
                row(symbol, EQUALS, "<mn>1</mn>"),
                to=node.name,
            )
        )
    stood = dict(scene.record.former)
    for contribution in scene.record.contributions:
        lines.append(contribution_line(scene, node, contribution))
        slot = (contribution.target, GRAD)
        old = stood.get(slot)
        if not contribution.first and old is not None:
            lines.append(sum_line(scene, contribution, old, None))
            stood[slot] = old + contribution.value
        else:
            stood[slot] = contribution.value
    return lines


# --- update and clip ------------------------------------------------------------------------------


def rule_lines(scene: Scene, rules: Any, node: Node | None) -> list[Line]:
    """The lines of an optimizer's or a clipping's rule, looked up in this step's record."""
    lines = []
    for rule in rules:
        latex = rule.latex
        symbols = {
            word: mathml.symbol(_own(letter.symbol, node, scene.graph), _role(letter.source))
            if r"\frac" not in letter.symbol
            else template(_own(letter.symbol, node, scene.graph)).fill({})
            for word, letter in rule.letters.items()
        }
        slot = (node.name if node else "", rule.slot)
        value = scene.now(slot)
        index = first(value.shape) if value is not None else ()
        digits = _digits(scene, slot, index)
        worked = {
            word: _letter(scene, letter, node, index, digits)
            for word, letter in rule.letters.items()
        }
        lines.append(
            line(
                rule.kind,
                template(latex).fill(symbols),
                template(rule.right).fill(worked),
                row(EQUALS, mathml.bare(worked[rule.target])),
                to=node.name if node else None,
                element=list(index) if value is not None and value.size > 1 else None,
            )
        )
    return lines


def _own(symbol: str, node: Node | None, graph: Graph) -> str:
    """A letter's symbol with the parameter's and the output's own names."""
    output = graph[graph.output].latex
    symbol = symbol.replace(r"\partial L", rf"\partial {output}")
    return symbol.replace("{p}", node.latex if node else "")


def _role(source: str) -> str:
    return {"value": "value", "grad": "grad"}.get(source, "update")


def _digits(scene: Scene, slot: Slot, index: Index) -> int:
    """Three significant digits, or as many more as it takes to see that the number has moved."""
    old, new = scene.before(slot), scene.now(slot)
    if old is None or new is None:
        return 3
    a, b = entry(old, index), entry(new, index)
    return next((d for d in range(3, 9) if a == b or f"{a:.{d}g}" != f"{b:.{d}g}"), 9)


def _letter(scene: Scene, letter: Any, node: Node | None, index: Index, digits: int = 3) -> str:
    if letter.when == "constant":
        return mathml.number(letter.worth, None, "update")
    if letter.when == "scalar":
        return mathml.number(scene.record.scalars[letter.source], None, "update")
    name = letter.node if letter.node is not None else (node.name if node else "")
    slot = (name, letter.source)
    array = scene.before(slot) if letter.when == "old" else scene.now(slot)
    if array is None:
        return mathml.number(0.0)
    return scene.number(
        array,
        index if array.ndim else (),
        slot,
        old=letter.when == "old",
        digits=digits if letter.source == VALUE else 3,
    )


# --- curve ----------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def _curve_points(op: Op, low: float, high: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    xs = np.linspace(low, high, 61)
    ys = np.empty(xs.shape)
    with np.errstate(all="ignore"):
        op.forward(Eager({}, {}, {}), ys, xs)
    keep = np.isfinite(ys)
    return tuple(xs[keep].round(4).tolist()), tuple(ys[keep].round(5).tolist())


def curve(scene: Scene, node: Node, element: Index | None = None) -> Mapping[str, Any] | None:
    """The op's curve with the point and the slope there; only for ops of one operand, entry by
    entry.
    """
    op = node.op
    if op is None or not op.elementwise or len(node.inputs) != 1 or not op.rules:
        return None
    index = first(node.shape) if element is None else element
    x, y = entry(_values(scene, node)[0], index), scene.now((node.name, VALUE))
    assert y is not None
    if not np.isfinite(x) or abs(x) > 1e6:
        return None
    slope = entry(local_derivative(scene, node, 0), index)
    if not np.isfinite(slope) or not np.isfinite(entry(y, index)):
        return None
    reach = 4.0
    while abs(x) > 0.8 * reach:
        reach *= 2
    xs, ys = _curve_points(op, -reach, reach)
    return {"fn": op.name, "x": x, "y": entry(y, index), "slope": slope, "xs": xs, "ys": ys}
