"""A backward step explained: upstream × local = contribution on each edge, the sum where paths
meet."""

from __future__ import annotations

import numpy as np

from app.engine.graph import Graph, Node
from app.engine.kernel import Contribution, Eager
from app.engine.op import Rule
from app.engine.types import GRAD, VALUE, Array, Slot
from app.render import mathml, numbers
from app.render.explain import (
    Line,
    filled,
    indexed,
    latex_names,
    line,
    operand_names,
    operand_values,
    put_in,
    said,
    shapes_of,
    sum_of,
    symbols_of,
    template,
)
from app.render.mathml import EQUALS, PLUS, row
from app.render.scene import Index, Scene, entry, first, grad_of, size


def backward_latex(graph: Graph, node: Node, operands: list[int]) -> str:
    """The contributions' LaTeX, one after the other."""
    assert node.op
    output = graph[graph.root].latex

    def slope(by: Node) -> str:
        return rf"\frac{{\partial {output}}}{{\partial {by.latex}}}"

    names = latex_names(graph, node) | {"g": slope(node)}
    parts = []
    for operand in operands:
        _, rule = rule_of(node, operand)
        filled = put_in(said(graph, node, rule.full), names)
        parts.append(f"{slope(graph[node.inputs[operand]])} = {filled}")
    return r",\quad ".join(parts)


def rule_of(node: Node, operand: int) -> tuple[str, Rule]:
    assert node.op
    letter = operand_names(node.op, len(node.inputs))[operand]
    return letter, node.op.rules[letter]


def contribution_symbols(graph: Graph, node: Node, operand: int) -> str:
    _, rule = rule_of(node, operand)
    target = graph[node.inputs[operand]]
    return row(
        grad_of(graph, target),
        EQUALS,
        template(said(graph, node, rule.full)).fill(symbols_of(graph, node)),
    )


def local_derivative(scene: Scene, node: Node, operand: int) -> Array:
    """The rule run with an upstream gradient of 1: for elementwise ops the local factor of every
    entry.
    """
    assert node.op
    operands = operand_values(scene, node)
    y = scene.now((node.name, VALUE))
    assert y is not None
    grads: list[Array | None] = [None] * len(operands)
    out = grads[operand] = np.empty(operands[operand].shape)
    kernel = Eager(dict(scene.after), {}, {})
    kernel.at(node.name)
    with np.errstate(all="ignore"):
        node.op.vjp(kernel, np.ones(y.shape), y, *operands, *grads)
    return out


def _product(
    scene: Scene, node: Node, index: Index, worth: str, upstream: str, slope: float
) -> str:
    """upstream × local: the local factor as its formula with numbers, then as one number."""
    local = mathml.number(slope)
    slots = template(worth).slots if worth else ()
    if not slots:
        return row(upstream, mathml.TIMES, local)
    if worth == f"@{slots[0]}":  # behind its dot, so that a negative number gets its parentheses
        return row(upstream, filled(scene, node, index, rf"\cdot {worth}"))
    factor = filled(scene, node, index, worth)
    inside = factor if worth.startswith("(") else mathml.parentheses(factor)
    return row(upstream, mathml.TIMES, inside, EQUALS, upstream, mathml.TIMES, local)


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
    operands = operand_values(scene, node)
    result = mathml.bare(mathml.number(entry(contribution.value, index), None, "grad"))
    upstream = local = None
    worked = ""
    elementwise = (
        op.elementwise or op.is_loss or (g.size == 1 and operands[contribution.operand].size == 1)
    )
    terms = op.element_back(letter, index, *shapes_of(operands))
    if elementwise and rule.local:
        slope = entry(local_derivative(scene, node, contribution.operand), index)
        above = entry(g, index if g.ndim else ())
        upstream, local = numbers.text(above), numbers.text(slope)
        head = scene.number(g, index if g.ndim else (), (node.name, GRAD))
        worked = _product(scene, node, index, said(graph, node, rule.worth), head, slope)
    elif terms is not None:
        worked = sum_of(scene, node, terms, g)
    elif op.worked_back:
        worked = filled(scene, node, index, op.worked_back, g)
    return line(
        "contribution",
        contribution_symbols(graph, node, contribution.operand),
        row(indexed(grad_of(graph, target), index, target.shape), EQUALS, worked) if worked else "",
        row(EQUALS, result)
        if worked
        else row(indexed(grad_of(graph, target), index, target.shape), EQUALS, result),
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
    if node.name == scene.graph.root:
        symbol = grad_of(scene.graph, node)
        lines.append(
            line(
                "contribution",
                row(symbol, EQUALS, "<mn>1</mn>"),
                "",
                "",
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
