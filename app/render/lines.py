"""A plan's steps as lines of a program: short enough for a list, in the letters of the graph."""

from __future__ import annotations

from app.engine.graph import Graph, Node
from app.engine.jvp import SeedTangent, Tangent
from app.engine.plan import Backward, Step
from app.render import mathml
from app.render.backward import contribution_symbols
from app.render.explain import forward_symbols
from app.render.mathml import row
from app.render.scene import grad_of, name_of
from app.render.tangent import tangent_symbols

_INFIX = {
    "add": "+",
    "sub": "−",
    "mul": "·",
    "div": "/",
    "matmul": "@",
    "greater": ">",
    "less": "<",
}
_PREFIX = {"sqrt": "√", "neg": "−"}
_LOSSES = {
    "mse": "mean ({} − {})²",
    "half_squared_error": "½({} − {})²",
    "squared_error": "Σ({} − {})²",
    "mae": "mean |{} − {}|",
}
_PHASES = {
    "data": "load the batch",
    "zero_grad": "zero_grad()",
    "clip": "clip the gradients",
}


def forward_label(graph: Graph, node: Node) -> str:
    """`z₁ = W₁x + b₁`, `a₁ = σ(z₁)`, `L = ½(a₂ − y)²`."""
    assert node.op
    names = [graph[name].label for name in node.inputs]
    name = node.op.name
    if name in _INFIX and len(names) == 2:
        right = f"{names[0]} {_INFIX[name]} {names[1]}"
    elif name in _PREFIX:
        right = f"{_PREFIX[name]}{names[0]}"
    elif name == "square":
        right = f"{names[0]}²"
    elif name == "pow":
        right = f"{names[0]}^{names[1]}"
    elif name == "linear":
        right = f"{names[1]}{names[0]}" + (f" + {names[2]}" if len(names) > 2 else "")
    elif name in _LOSSES:
        right = _LOSSES[name].format(*names)
    else:
        symbol = node.op.symbol if name == "sigmoid" else name
        right = f"{symbol}({', '.join(names)})"
    return right if node.label == right else f"{node.label} = {right}"


def step_label(graph: Graph, step: Step) -> str:
    """The line in plain text; a step may bring its own."""
    own: str = getattr(step, "label", "")
    if own:
        return own
    if step.node is None:
        return _PHASES.get(step.phase, step.phase)
    node = graph[step.node]
    if isinstance(step, Backward):
        targets = list(dict.fromkeys(flow.target.label for flow in step.flows))
        if not targets:
            return f"∂{node.label} = 1" if step.seed else f"∂{node.label}"
        return f"∂{', ∂'.join(targets)} ← ∂{node.label}"
    if step.phase == "update":
        return f"{node.label} ← {node.label} − η·∂{node.label}"
    return forward_label(graph, node)


def step_symbols(graph: Graph, step: Step) -> str:
    """The line as MathML; empty where there is no formula."""
    if isinstance(step, Tangent | SeedTangent):
        return mathml.math(tangent_symbols(graph, step))
    own: str = getattr(step, "label", "")
    if step.node is None or own:
        return ""
    node = graph[step.node]
    if isinstance(step, Backward):
        flows = step.flows
        if len(flows) == 1:
            return mathml.math(contribution_symbols(graph, node, flows[0].operand))
        return mathml.math(grad_of(graph, node))
    if step.phase == "update":
        name, arrow = name_of(node), mathml.ASSIGN
        lr = mathml.symbol("eta", "update")
        return mathml.math(
            row(name, arrow, name, mathml.MINUS, lr, mathml.TIMES, grad_of(graph, node))
        )
    return mathml.math(forward_symbols(graph, node))
