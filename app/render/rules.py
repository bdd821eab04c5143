"""An update or a clipping explained: the rule's own lines, with this step's numbers put in."""

from __future__ import annotations

from typing import Any

from app.engine.graph import Graph, Node
from app.engine.types import VALUE, Slot
from app.render import mathml
from app.render.explain import (
    Line,
    line,
    template,
)
from app.render.mathml import EQUALS, row
from app.render.scene import Index, Scene, entry, first


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
