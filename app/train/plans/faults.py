"""Two faults to be seen at work: a value overwritten in place, and recursion without an order.

In place: after a node's forward step its value gets 1 added where it stands (`a += 1`). Every value
has a version, which each overwriting raises; an op that saved the value for its step backward notes
the version. If it finds another one there, the walk stops with the error that PyTorch users know.

Naive recursion: every node passes its gradient on as soon as something has come in, instead of
waiting until all has. Where paths meet, what came first is passed on twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.graph import INPUT, PARAMETER, Graph, Node
from app.engine.kernel import Kernel, const
from app.engine.needs import needs, saved_slots
from app.engine.ops.arithmetic import Add
from app.engine.ops.shaping import Broadcast
from app.engine.plan import Backward, Flow, Forward, Step, backward_steps, forward_steps
from app.engine.rewrite import Rewriting
from app.engine.types import VALUE, Array
from app.train.lines import Letter, Line

VERSION = "version"
MOST_VISITS = 2_000

LEAF_ERROR = "a leaf Variable that requires grad is being used in an in-place operation."
ERROR = (
    "one of the variables needed for gradient computation has been modified by an inplace "
    "operation: [{type} {sizes}], which is output 0 of {function}, is at version {now}; expected "
    "version {expected} instead. Hint: enable anomaly detection to find the operation that failed "
    "to compute its gradient, with torch.autograd.set_detect_anomaly(True)."
)
_TYPES = {"float64": "torch.DoubleTensor", "float16": "torch.HalfTensor"}
_FUNCTIONS = {"linear": "Addmm", "matmul": "Mm", "mse": "MseLoss", "max": "Amax"}


@dataclass(frozen=True)
class Fault:
    """`in_place`: `node` is overwritten right after the step of `after` (its own, if left out);
    `repaired` computes a new value instead.
    """

    type: str
    node: str = ""
    after: str = ""
    repaired: bool = False

    def rewrite(self, old: Graph) -> tuple[Graph, Mapping[str, Array]]:
        """Repaired: `a + 1` is a node of its own, and what comes later reads that."""
        if self.type != "in_place":
            return old, {}
        self.check(old)
        if not self.repaired:
            return old, {}
        r, passed = Rewriting(old), self.after or self.node
        for node in old.nodes.values():
            r.copy(node)
            if node.name == passed:
                target = r.now[self.node]
                shape = target.shape
                one = r.leaf("one", 1.0, "1", "1")
                if shape:
                    one = r.use(Broadcast(shape), one, name="ones", label="1", latex="1")
                r.now[self.node] = r.use(
                    Add(),
                    target,
                    one,
                    name=f"{self.node}.plus",
                    label=f"{target.label}′",
                    latex=f"{target.latex}'",
                )
        return r.finish(), r.values

    def check(self, graph: Graph) -> None:
        for name in (self.node, self.after or self.node):
            if name not in graph.nodes:
                known = ", ".join(graph.nodes)
                raise BackstepError(
                    f"there is no node of that name: {name!r}; there are {known}"[:400],
                    where="fault.node",
                )
        if graph[self.node].kind not in ("op", INPUT, PARAMETER):
            raise BackstepError(
                f"must be a computed node, an input or a parameter: {self.node!r}",
                where="fault.node",
            )
        if self.node == graph.output or self.after == graph.output:
            raise BackstepError("nothing comes after the output", where="fault.node")
        names = list(graph.nodes)
        if self.after and names.index(self.after) < names.index(self.node):
            raise BackstepError(
                f"{self.after!r} is computed before {self.node!r}", where="fault.after"
            )


@dataclass(frozen=True)
class InPlace:
    """`a += 1`: the value is another one from here on, and its version rises."""

    graph_node: Node
    error: str | None = None
    phase: str = "in_place"

    @property
    def node(self) -> str:
        return self.graph_node.name

    @property
    def label(self) -> str:
        return f"{self.graph_node.label} += 1"

    @property
    def says(self) -> str:
        name = self.graph_node.label
        if self.error:
            return f"{name} is a leaf whose gradient is wanted: it must not be overwritten."
        return (
            f"{name} is overwritten where it stands. The next steps read the new number; "
            "whoever saved the old one for the backward pass will not find it."
        )

    @property
    def lines(self) -> list[Line]:
        node = self.graph_node
        if self.error:
            return []
        known = {
            "old": Letter(node.latex, VALUE, "old", node=node.name),
            "new": Letter(node.latex, VALUE, "new", node=node.name),
        }
        return [Line("update", "new", "@old + 1", known)]

    numpy = "a += 1  # in place"
    pytorch = "a += 1  # a.add_(1): in place"

    def run(self, k: Kernel) -> None:
        if self.error:
            return
        node = self.graph_node
        s = k.scratch(node.shape)
        k(np.add, k.read(node.name), const(1.0), s)
        k(np.positive, s, k.write(node.name, VALUE, node.shape, node.dtype))
        k(np.positive, const(1.0), k.write(node.name, VERSION, ()))


@dataclass(frozen=True)
class Refused(Backward):
    """The step backward that finds another version than it saved; it computes nothing."""

    error: str = ""

    @property
    def says(self) -> str:
        return (
            f"The step backward of {self.graph_node.label} needs a value that has been overwritten "
            "since: the gradient would be wrong without anybody noticing. The walk stops here."
        )

    def run(self, k: Kernel) -> None:
        """Nothing is written."""


def parse_fault(given: Any) -> Fault | None:
    """`{"type": "in_place", "node": "a"}` or `{"type": "naive_recursion"}`; null for none."""
    if given is None:
        return None
    if not isinstance(given, dict) or given.get("type") not in ("in_place", "naive_recursion"):
        raise BackstepError(
            'must be null, {"type": "in_place", "node": …} or {"type": "naive_recursion"}: '
            f"{given!r}",
            where="fault",
        )
    fields = ("type", "node", "after", "repaired") if given["type"] == "in_place" else ("type",)
    for name, value in given.items():
        if name not in fields:
            raise BackstepError(
                f"argument is not known: {name!r}; accepted: {', '.join(fields)}",
                where=f"fault.{name}",
            )
        if not isinstance(value, bool if name == "repaired" else str):
            raise BackstepError(f"is no name: {value!r}", where=f"fault.{name}")
    if given["type"] == "in_place" and not given.get("node"):
        raise BackstepError("needs the node that is overwritten", where="fault.node")
    return Fault(**given)


def with_in_place(graph: Graph, plan: Sequence[Step], fault: Fault) -> list[Step]:
    """The plan with the overwriting put in; it ends at the step that must fail, if there is one."""
    node = graph[fault.node]
    out: list[Step] = []
    after = fault.after or fault.node
    leaf = node.op is None
    at = next(
        (i for i, s in enumerate(plan) if isinstance(s, Forward) and (leaf or s.node == after)),
        len(plan),
    )
    if leaf and not fault.after:
        at -= 1
    elif leaf:
        at = next(i for i, s in enumerate(plan) if isinstance(s, Forward) and s.node == after)
    refused = LEAF_ERROR if leaf and node.needs_grad and node.kind == PARAMETER else None
    for i, step in enumerate(plan):
        out.append(step)
        if i == at:
            out.append(InPlace(node, refused))
            if refused:
                return out
    return checked(graph, out)


def checked(graph: Graph, plan: Sequence[Step]) -> list[Step]:
    """Count versions along the plan, and cut it off at the first step backward that finds another
    version than was saved for it.
    """
    version: dict[str, int] = {}
    noted: dict[tuple[str, str], int] = {}
    out: list[Step] = []
    for step in plan:
        if isinstance(step, InPlace):
            version[step.node] = version.get(step.node, 0) + 1
        elif isinstance(step, Forward):
            version[step.node] = 0
            for name in read_back(graph, step.graph_node):
                noted[step.node, name] = version.get(name, 0)
        elif isinstance(step, Backward) and step.flows:
            for name in read_back(graph, step.graph_node):
                now, expected = version.get(name, 0), noted.get((step.node, name), 0)
                if now != expected:
                    error = message(graph, step.graph_node, graph[name], now, expected)
                    out.append(
                        Refused(step.graph_node, step.flows, step.seed, step.unreached, error=error)
                    )
                    return out
        out.append(step)
    return out


def read_back(graph: Graph, node: Node) -> list[str]:
    """The nodes whose values this node's vjp reads, its own first."""
    found = needs(graph, node)
    own = [node.name] if found.output and not saved_slots(graph, node) else []
    return own + [node.inputs[i] for i in sorted(found.operands)]


def message(graph: Graph, reader: Node, node: Node, now: int, expected: int) -> str:
    """PyTorch's words. A saved output is told by the op that made it, a saved operand by the op
    that overwrote it.
    """
    assert reader.op
    own = reader.name == node.name
    name = reader.op.name
    pascal = "".join(part.capitalize() for part in name.split("_"))
    function = f"{_FUNCTIONS.get(name, pascal)}Backward0" if own else "AddBackward0"
    return ERROR.format(
        type=_TYPES.get(str(np.dtype(node.dtype)), "torch.DoubleTensor"),
        sizes=list(node.shape),
        function=function,
        now=now,
        expected=expected,
    )


def naive(graph: Graph) -> list[Step]:
    """Backward steps in the order of a recursion: a node passes on all that it has so far, then its
    inputs do the same at once, in the order of its operands. As often proposed for micrograd.
    """
    proper = {step.node: step for step in backward_steps(graph) if isinstance(step, Backward)}
    seen: set[str] = set()
    steps: list[Step] = []
    waiting = [graph.root]
    while waiting:
        name = waiting.pop()
        step = proper.get(name)
        if step is None:
            continue
        if len(steps) >= MOST_VISITS:
            raise LimitError(
                f"the recursion comes to more than {MOST_VISITS} visits: where paths meet, "
                "everything below is walked again",
                where="fault",
            )
        first = not steps
        flows = []
        for flow in step.flows:
            target = flow.target.name
            flows.append(Flow(flow.operand, flow.target, target not in seen))
            seen.add(target)
        steps.append(
            Backward(step.graph_node, tuple(flows), first, step.unreached if first else ())
        )
        children = list(dict.fromkeys(flow.target.name for flow in step.flows))
        waiting += reversed(children)
    return steps


def naive_plan(graph: Graph) -> list[Step]:
    return forward_steps(graph) + naive(graph)
