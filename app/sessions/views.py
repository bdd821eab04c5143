"""A run as JSON: plan, frames, state. Everything is computed from the run; nothing is kept
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.engine.errors import BackstepError
from app.engine.graph import NOISE, Graph, Node
from app.engine.jvp import SeedTangent, Tangent
from app.engine.kernel import Contribution, Record
from app.engine.plan import Backward, Forward, Step
from app.engine.stepper import Stepper
from app.engine.types import GRAD, SAVED, VALUE, Array, Slot
from app.render import backward, explain, numbers, rules
from app.render.arrays import array_view, plain
from app.render.curve import curve as curve_of
from app.render.lines import step_label, step_symbols
from app.render.scene import Scene
from app.render.tangent import tangent_lines
from app.sessions.graphs import about
from app.train.iteration import Data
from app.train.plans.accumulation import BATCH_LOSS, AddLoss, loss_of
from app.train.plans.rewritten import model_of
from app.train.run import Run
from app.train.showing import batch_says
from app.train.update import Update

NOTHING_YET = "Nothing has been computed from them yet."
SAYS = {
    "data": f"This iteration's samples are put in place. {NOTHING_YET}",
    "zero_grad": "All gradients are emptied. The backward pass adds to what stands there, "
    "so this must not be forgotten.",
}
MASKED = (
    "Dropout: what meets a 0 of the mask is left out, the rest grows, so that the mean stays.",
    "The mask is the same as on the way forward: what was left out gets no gradient either.",
)
CODE = {
    "data": {"numpy": "x, y = X[batch], Y[batch]", "pytorch": "x, y = next(batches)"},
    "zero_grad": {"numpy": "grads = {}", "pytorch": "optimizer.zero_grad()"},
}


# --- plan -----------------------------------------------------------------------------------------


def plan_view(run: Run, iteration: int) -> list[dict[str, Any]]:
    graph = run.graph(iteration)
    return [
        {
            "index": i,
            "phase": step.phase,
            "node": step.node,
            "label": step_label(graph, step),
            "mathml": step_symbols(graph, step),
            "part": _part(step),
            "error": getattr(step, "error", None) or None,
        }
        for i, step in enumerate(run.plan(iteration))
    ]


def _part(step: Step) -> int | None:
    """The micro-batch that begins with this step, counted from 0."""
    return step.part if isinstance(step, Data) and step.parts > 1 else None


# --- frames ---------------------------------------------------------------------------------------


def frame_view(run: Run, iteration: int, index: int) -> dict[str, Any]:
    """What step `index` of that iteration wrote, with its explanation. Moves nothing that a client
    can see.
    """
    stepper = run.stepper(iteration)
    stepper.seek(index + 1)
    step, record = stepper.plan[index], stepper.records[index]
    scene = scene_of(run, iteration, stepper, index)
    explained = _explain(run, scene, step)
    if isinstance(step, Data):
        explained["says"] = _says_data(run, iteration, step)
    node = scene.graph[step.node] if step.node is not None else None
    return {
        "index": index,
        "position": {"iteration": iteration, "step": index + 1, "of": len(stepper.plan)},
        "phase": step.phase,
        "node": step.node,
        "op": node.op_name if node else None,
        "writes": [
            {"node": name, "slot": slot, "value": None if value is None else array_view(value)}
            for (name, slot), value in record.writes.items()
            if not slot.startswith(SAVED)
        ],
        "contributions": [
            {
                "from": c.source,
                "to": c.target,
                "slot": c.operand,
                "value": array_view(c.value),
                "first": c.first,
            }
            for c in record.contributions
        ],
        **explained,
        "refs": scene.refs,
        "error": _error(step),
    }


def _error(step: Step) -> dict[str, str] | None:
    """What PyTorch would raise here; the walk ends with this step."""
    message = getattr(step, "error", None)
    return {"type": "RuntimeError", "message": message} if message else None


def scene_of(run: Run, iteration: int, stepper: Stepper, index: int) -> Scene:
    """The stepper must stand right after that step."""
    writers: dict[Slot, int] = {}
    for i, record in enumerate(stepper.records[: index + 1]):
        for slot in record.writes:
            writers[slot] = i
    return Scene(run.graph(iteration), stepper.records[index], stepper.slots, writers, index)


def _says_data(run: Run, iteration: int, step: Data) -> str:
    """Which samples they are, where that changes."""
    problem = model_of(run.problem)
    if problem is None:
        return SAYS["data"]
    which = batch_says(problem.batches, iteration, step.part, step.parts)
    return f"{which} {NOTHING_YET}" if which else SAYS["data"]


def _explain(run: Run, scene: Scene, step: Step) -> dict[str, Any]:
    if isinstance(step, Update):
        step = step.as_it_went(scene.now)
    graph = scene.graph
    lines: list[dict[str, Any]] = []
    curve = None
    code = CODE.get(step.phase, {"numpy": "", "pytorch": ""})
    says = SAYS.get(step.phase, "")
    latex = ""
    if isinstance(step, Forward):
        node = step.graph_node
        assert node.op
        lines = [explain.forward_line(scene, node)]
        curve = curve_of(scene, node)
        latex = explain.forward_latex(graph, node)
        code = {"numpy": node.op.numpy, "pytorch": node.op.pytorch}
        says = (MASKED[0] if _masked(graph, node) else node.op.says) + _here(scene, node)
    elif isinstance(step, Backward):
        node = step.graph_node
        assert node.op
        lines = backward.backward_lines(scene, node)
        curve = curve_of(scene, node)
        latex = backward.backward_latex(graph, node, [flow.operand for flow in step.flows])
        code = {"numpy": node.op.numpy_back, "pytorch": "L.backward()"}
        says = MASKED[1] if _masked(graph, node) else _says_back(step, node, lines)
    elif step.phase in ("update", "clip"):
        rule = getattr(step, "optimizer", None) or getattr(step, "clip", None)
        node_or_none = graph[step.node] if step.node else None
        lines = rules.rule_lines(scene, getattr(step, "lines", []), node_or_none)
        says = getattr(rule, "says", "")
        code = {"numpy": getattr(rule, "numpy", ""), "pytorch": getattr(rule, "pytorch", "")}
        if step.phase == "update":
            code["pytorch"] = "optimizer.step()  # " + code["pytorch"]
    elif isinstance(step, Tangent | SeedTangent):
        lines = tangent_lines(scene, step)
    else:
        lines = rules.rule_lines(scene, getattr(step, "lines", []), None)
    if step.phase == "recompute":
        says = f"Computed once more, because it had been released. {says}"
    says = getattr(step, "says", "") or says
    code = {name: getattr(step, name, "") or code[name] for name in code}
    first = lines[0] if lines else None
    return {
        "formula": {
            "latex": latex,
            "mathml": first["symbols"] if first else "",
            "numbers": (first["numbers"] or first["result"] or "") if first else "",
        },
        "lines": lines,
        "curve": curve,
        "says": says,
        "code": code,
    }


def _masked(graph: Graph, node: Node) -> bool:
    """Whether a drawn mask decides what of the other factor goes on."""
    return any(graph[name].kind == NOISE for name in node.inputs)


def _here(scene: Scene, node: Node) -> str:
    """This run's number, where there is just one."""
    value = scene.now((node.name, VALUE))
    if value is None or value.size != 1:
        return ""
    return f" Here {node.label} = {numbers.text(float(value.reshape(-1)[0]))}."


def _says_back(step: Backward, node: Node, lines: list[dict[str, Any]]) -> str:
    assert node.op
    says = node.op.says_back
    if step.seed:
        says = f"The backward pass starts at {node.label}, with a gradient of 1. {says}"
    single = [line for line in lines if line["upstream"] is not None]
    if len(single) == 1 and single[0]["element"] is None:
        says += f" Here {single[0]['upstream']} comes in and is multiplied by {single[0]['local']}."
    return says


# --- state ----------------------------------------------------------------------------------------


def state_view(run: Run, iteration: int, step: int) -> dict[str, Any]:
    graph = run.graph(iteration)
    slots = run.slots(iteration, step)
    of_node: dict[str, dict[Slot, Array]] = {}
    for slot, value in slots.items():
        of_node.setdefault(slot[0], {})[slot] = value
    nodes = {name: _slots_view(of_node.get(name, {}), node) for name, node in graph.nodes.items()}
    extra = {slot: value for (name, slot), value in slots.items() if name == ""}
    if extra:
        state = {slot: array_view(value) for slot, value in extra.items()}
        nodes[""] = {"name": "", "value": None, "grad": None, "state": state}
    return {
        "position": {"iteration": iteration, "step": step, "of": len(run.plan(iteration))},
        "nodes": nodes,
        "loss": loss_at(slots, graph, run.plan(iteration), step),
    }


def loss_at(
    slots: dict[Slot, Array], graph: Graph, plan: Sequence[Step], done: int
) -> float | str | None:
    """What stands in the loss node; once every micro-batch is in, the whole batch's loss."""
    loss = slots.get((graph.output, VALUE))
    if BATCH_LOSS in slots and (not done or not any(isinstance(s, AddLoss) for s in plan[done:])):
        loss = loss_of(slots, graph)
    return None if loss is None else plain(float(loss.reshape(-1)[0]))


def _slots_view(slots: dict[Slot, Array], node: Node, *, whole: bool = False) -> dict[str, Any]:
    view: dict[str, Any] = {"name": node.name, "value": None, "grad": None, "state": {}}
    for (name, slot), value in slots.items():
        if name != node.name or slot.startswith(SAVED):
            continue
        shown = array_view(value, whole=whole)
        if slot in (VALUE, GRAD):
            view[slot] = shown
        else:
            view["state"][slot] = shown
    return view


def node_view(run: Run, iteration: int, step: int, name: str) -> dict[str, Any]:
    """One node in full, any size."""
    graph = run.graph(iteration)
    node = find(graph, name)
    return {**about(node, graph), **_slots_view(run.slots(iteration, step), node, whole=True)}


def find(graph: Graph, name: str) -> Node:
    if name not in graph.nodes:
        raise BackstepError(
            f"there is no node of that name: {name!r}; there are {', '.join(graph.nodes)}"[:400],
            where="node",
        )
    return graph[name]


def element_view(
    run: Run, iteration: int, index: int, name: str, slot: str, operand: int, element: list[int]
) -> dict[str, Any]:
    """One entry written out: of a node's value at its forward step, or of one contribution to its
    gradient.
    """
    stepper = run.stepper(iteration)
    if not 0 <= index < len(stepper.plan):
        raise BackstepError(f"there is no such step: {index}", where="step")
    stepper.seek(index + 1)
    node = find(run.graph(iteration), name)
    if len(element) != len(node.shape) or any(
        not 0 <= i < n for i, n in zip(element, node.shape, strict=True)
    ):
        raise BackstepError(
            f"the index must lie within {list(node.shape)}: {element}", where="index"
        )
    scene, step = scene_of(run, iteration, stepper, index), stepper.plan[index]
    place = tuple(element)
    if slot == VALUE and isinstance(step, Forward) and step.node == name:
        line = explain.forward_line(scene, node, place)
    else:
        found: list[Contribution] = [
            c
            for c in _contributions(scene.record, name)
            if isinstance(step, Backward) and c.operand == operand
        ]
        if slot != GRAD or not found or not isinstance(step, Backward):
            raise BackstepError(
                f"step {index} does not write the {slot} of {name!r} along operand {operand}",
                where="step",
            )
        line = backward.contribution_line(scene, step.graph_node, found[0], place)
    return {**line, "refs": scene.refs}


def _contributions(record: Record, name: str) -> list[Contribution]:
    return [c for c in record.contributions if c.target == name]
