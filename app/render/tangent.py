"""A step of forward mode explained: ẏ = ∂y/∂a·ȧ + ∂y/∂b·ḃ, with this run's numbers."""

from __future__ import annotations

from app.engine.graph import Graph, Node
from app.engine.jvp import TANGENT, SeedTangent, Tangent
from app.render import mathml
from app.render.backward import local_derivative
from app.render.explain import Line, indexed, line
from app.render.mathml import EQUALS, TIMES, row
from app.render.scene import Scene, entry, first, name_of, size


def dotted(node: Node) -> str:
    """ż: how fast a value moves."""
    return f'<mover accent="true">{name_of(node)}<mo stretchy="false">˙</mo></mover>'


def tangent_symbols(graph: Graph, step: Tangent | SeedTangent) -> str:
    node = step.graph_node
    if isinstance(step, SeedTangent):
        return row(dotted(node), EQUALS, "<mn>1</mn>")
    terms = [
        row(mathml.partial(node.latex, flow.target.latex, "value"), TIMES, dotted(flow.target))
        for flow in step.flows
    ]
    return row(dotted(node), EQUALS, mathml.total(terms))


def tangent_lines(scene: Scene, step: Tangent | SeedTangent) -> list[Line]:
    """The sum over the operands that move; one entry of it, where each entry stands alone."""
    node = step.graph_node
    assert scene.now((node.name, TANGENT)) is not None
    if isinstance(step, SeedTangent):
        index = step.index or first(node.shape)
        symbol = indexed(dotted(node), index, node.shape)
        result = row(symbol, EQUALS, "<mn>1</mn>")
        return [line(TANGENT, tangent_symbols(scene.graph, step), "", result, to=node.name)]
    out = scene.after[node.name, TANGENT]
    index, worked = first(node.shape), ""
    if node.op is not None and (node.op.elementwise or _single(scene, step)):
        terms = []
        for flow in step.flows:
            slot = (flow.target.name, TANGENT)
            moved = scene.now(slot)
            if moved is None:
                continue
            local = entry(local_derivative(scene, node, flow.operand), index)
            terms.append(
                [mathml.number(local), scene.number(moved, index if moved.ndim else (), slot)]
            )
        worked = mathml.sum_of_products(terms)
    head = indexed(dotted(node), index, node.shape)
    result = mathml.bare(mathml.number(entry(out, index), None, "grad"))
    return [
        line(
            TANGENT,
            tangent_symbols(scene.graph, step),
            row(head, EQUALS, worked) if worked else "",
            row(EQUALS, result) if worked else row(head, EQUALS, result),
            to=node.name,
            element=list(index) if size(node.shape) > 1 else None,
        )
    ]


def _single(scene: Scene, step: Tangent) -> bool:
    return step.graph_node.shape == () and all(size(f.target.shape) == 1 for f in step.flows)
