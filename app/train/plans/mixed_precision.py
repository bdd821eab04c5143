"""Mixed precision (Micikevicius et al. 2018), as PyTorch's `autocast` and `GradScaler` do it.

Matrix products and what follows them are stored in float16; losses, softmax and the like stay in
full precision; every change of precision is a `cast` node. The optimizer keeps the parameters in
full precision (here float64, where a GPU would use float32). An op computes in full precision and
rounds its result once, as tensor cores do.

Small gradients would become 0 in float16, so the loss is multiplied by S before the backward pass
and the gradients are divided by S before the update. If one of them is not finite, S was too large:
the update is skipped and S is halved; after many good iterations S is doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import build, mapping
from app.engine.graph import BUFFER, Graph, Node
from app.engine.kernel import Kernel, const
from app.engine.ops.arithmetic import Mul
from app.engine.ops.cast import Cast
from app.engine.rewrite import Rewriting, raised
from app.engine.types import FLOAT, GRAD, HALF, UNDERFLOW, VALUE, Array, Slot
from app.train.arguments import Recipe, option
from app.train.lines import Letter, Line
from app.train.update import Update

SCALE = "loss_scale"
FOUND_INF, TRACKER, SKIPPED = "found_inf", "growth_tracker", "skipped_updates"
FACTOR = "factor"
STATE = (FOUND_INF, TRACKER, SKIPPED, FACTOR)

HALF_OPS = {"matmul", "linear", "conv1d", "conv2d", "recurrent", "projection", "scores"}
"""Casts its operands to float16."""

WIDE_OPS = {
    *("exp", "log", "pow", "softplus", "softmax", "log_softmax", "sum", "div", "sqrt", "square"),
    *("normalise", "batch_normalise", "normalise_running"),
}
"""Needs full precision, as do all losses; every other op follows its operands."""

LARGEST_SCALE = 2.0**127
MOST_LINES = 4


@dataclass(frozen=True)
class Precision(Recipe):
    """Defaults as in `torch.amp.GradScaler`; `loss_scale` null leaves the loss as it is."""

    loss_scale: float | None = option(
        2.0**16, "S at the start; null: no scaling", above=0, optional=True
    )
    growth_factor: float = option(2.0, "S is multiplied by this after good iterations", low=1)
    backoff_factor: float = option(0.5, "and by this after an overflow", above=0, high=1)
    growth_interval: float = option(2000, "how many good iterations", integer=True, low=1)

    kind = "precision"
    name = "float16"
    summary = "matrix products in float16, with loss scaling and full-precision parameters"

    def rewrite(self, old: Graph) -> tuple[Graph, Mapping[str, Array]]:
        """Casts put in, and the loss scaled."""
        r = Rewriting(old)
        casts: dict[tuple[str, str], Node] = {}
        for node in old.nodes.values():
            if node.op is None:
                r.copy(node)
                continue
            half = _in_half(node, r)
            inputs = tuple(
                _cast(r, casts, r.now[name], half if node.op.differentiable(i) else None).name
                for i, name in enumerate(node.inputs)
            )
            dtype = HALF if half and node.dtype == FLOAT else node.dtype
            r.now[node.name] = r.new.put(replace(node, inputs=inputs, dtype=dtype))
        root = r.now[old.root]
        if self.loss_scale is not None:
            scale = r.leaf(SCALE, self.loss_scale, "S", "S", BUFFER)
            scaled = r.use(
                Mul(), scale, root, name="scaled_loss", label=root.label + "ₛ", latex=_lowered(root)
            )
            r.new.scaled = scaled.name
        return r.finish(), r.values

    def start(self) -> dict[Slot, Array]:
        """The scaler's state before the first iteration."""
        if self.loss_scale is None:
            return {}
        return {(SCALE, slot): np.zeros(()) for slot in STATE}


def _lowered(root: Node) -> str:
    """The name with a lowered S."""
    stem, _, tail = root.latex.partition("_")
    tail = tail.strip("{}")
    return f"{stem}_{{{tail + ',' if tail else ''}S}}"


def _in_half(node: Node, r: Rewriting) -> bool:
    """Where this op's result is stored in float16."""
    assert node.op
    if node.op.is_loss or node.op.name in WIDE_OPS or node.op.dtype != FLOAT:
        return False
    if node.op.name in HALF_OPS:
        return True
    flowing = [
        r.now[name].dtype for i, name in enumerate(node.inputs) if r.now[name].dtype.kind == "f"
    ]
    return bool(flowing) and all(dtype == HALF for dtype in flowing)


def _cast(r: Rewriting, casts: dict[tuple[str, str], Node], node: Node, half: bool | None) -> Node:
    """The node itself where its precision fits, else the one cast of it that all share."""
    if node.dtype.kind != "f" or (half is None and node.dtype == FLOAT):
        return node
    wanted = HALF if half else FLOAT
    if node.dtype == wanted:
        return node
    key = (node.name, wanted.name)
    if key not in casts:
        short, mark, above = ("fp16", "ʰ", "h") if half else ("fp64", "ᶠ", "f")
        op = Cast(wanted.name)
        made = r.new.add(
            op,
            node,
            name=f"{node.name}.{short}",
            label=node.label + mark,
            latex=raised(node.latex, above),
            scope=node.scope,
        )
        casts[key] = made
    return casts[key]


_KNOWN = {
    "scale": Letter("S", VALUE, "old", node=SCALE),
    "next": Letter("S", VALUE, "new", node=SCALE),
    "factor": Letter("f", FACTOR, "new", node=SCALE),
}


@dataclass(frozen=True)
class Unscale:
    """Divide every gradient by S, and see whether all are finite."""

    nodes: tuple[Node, ...]
    phase: str = "unscale"
    node: None = None
    label: ClassVar[str] = "divide the gradients by S"
    says: ClassVar[str] = (
        "The gradients are those of S times the loss, so they are divided by S. If one of them is "
        "infinite or no number, this iteration's update will be skipped."
    )
    numpy: ClassVar[str] = (
        "grads = [g / S for g in grads]; found_inf = not np.isfinite(grads).all()"
    )
    pytorch: ClassVar[str] = "scaler.unscale_(optimizer)"

    @property
    def lines(self) -> list[Line]:
        """One line a parameter, for its first entry."""
        found = []
        for node in self.nodes[:MOST_LINES]:
            known = {
                "old": Letter(_slope("L_{S}", node), GRAD, "old", node=node.name),
                "new": Letter(_slope("L", node), GRAD, "new", node=node.name),
                **_KNOWN,
            }
            found.append(Line("update", "new", r"\frac{@old}{@scale}", known))
        return found

    def run(self, k: Kernel) -> None:
        names = [node.name for node in self.nodes if k.has(node.name, GRAD)]
        if not names:
            return
        scale = k.read(SCALE)
        for name in names:
            g = k.read(name, GRAD)
            k(np.divide, g, scale, k.write(name, GRAD, g.shape))
        k(_any_infinite, k.gather(names, GRAD), k.write(SCALE, FOUND_INF, ()))


def _slope(of: str, by: Node) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {by.latex}}}"


def _any_infinite(x: Array, out: Array) -> None:
    out[...] = not np.all(np.isfinite(x))


@dataclass(frozen=True)
class ScaledUpdate(Update):
    """An update that leaves everything as it was when a gradient was not finite."""

    pytorch: ClassVar[str] = "scaler.step(optimizer)"

    def as_it_went(self, now: Callable[[Slot], Array | None]) -> Update:
        found = now((SCALE, FOUND_INF))
        return SkippedUpdate(self.graph_node, self.optimizer) if found else self

    def run(self, k: Kernel) -> None:
        name, shape = self.graph_node.name, self.graph_node.shape
        if not k.has(name, GRAD):
            return
        slots = (VALUE, *self.optimizer.state)
        before = {slot: k.scratch(shape) for slot in slots}
        for slot in slots:
            k(np.positive, k.read(name, slot), before[slot])
        super().run(k)
        found = k.read(SCALE, FOUND_INF)
        for slot in slots:
            k(_restore, found, before[slot], k.read(name, slot))


@dataclass(frozen=True)
class SkippedUpdate(Update):
    """What there is to tell of an update that was left out."""

    says: ClassVar[str] = (
        "A gradient is infinite or no number, so this update is left out: the parameter and what "
        "the optimizer remembers stay as they were."
    )
    numpy: ClassVar[str] = "if not found_inf: w -= step"
    pytorch: ClassVar[str] = "scaler.step(optimizer)  # leaves optimizer.step() out"

    @property
    def lines(self) -> list[Line]:
        old, new = (Letter("{p}", VALUE, when) for when in ("old", "new"))
        return [Line("update", "new", "@old", {"old": old, "new": new})]


def _restore(found: Array, before: Array, out: Array) -> None:
    if found:
        np.copyto(out, before)


@dataclass(frozen=True)
class UpdateScale:
    """Halve S after an overflow, double it after many good iterations."""

    precision: Precision
    phase: str = "update_scale"
    node: str = SCALE
    label: ClassVar[str] = "S: halve, keep or double"
    says: ClassVar[str] = (
        "The loss scale S: halved if a gradient was not finite, doubled after many good "
        "iterations, else kept."
    )
    numpy: ClassVar[str] = "S *= 0.5 if found_inf else 2 if good == interval else 1"
    pytorch: ClassVar[str] = "scaler.update()"

    @property
    def lines(self) -> list[Line]:
        return [Line("update", "next", r"@scale \cdot @factor", _KNOWN)]

    def run(self, k: Kernel) -> None:
        p, found = self.precision, k.read(SCALE, FOUND_INF)
        scale, tracker, skipped = (k.read(SCALE, s) for s in (VALUE, TRACKER, SKIPPED))
        rates = const(p.growth_factor), const(p.backoff_factor), const(float(p.growth_interval))
        grown = k.scratch(())
        k(_next_scale, found, scale, tracker, *rates, grown)
        counted = k.scratch(())
        k(_next_tracker, found, tracker, rates[2], counted)
        k(np.divide, grown, scale, k.write(SCALE, FACTOR, ()))
        k(np.positive, grown, k.write(SCALE, VALUE, ()))
        k(np.positive, counted, k.write(SCALE, TRACKER, ()))
        k(np.add, skipped, found, k.write(SCALE, SKIPPED, ()))


def _next_scale(
    found: Array,
    scale: Array,
    tracker: Array,
    grow: Array,
    back: Array,
    interval: Array,
    out: Array,
) -> None:
    good = tracker + 1 == interval and scale * grow < LARGEST_SCALE
    out[...] = scale * back if found else scale * grow if good else scale


def _next_tracker(found: Array, tracker: Array, interval: Array, out: Array) -> None:
    out[...] = 0.0 if found or tracker + 1 == interval else tracker + 1


def parse_precision(given: Any) -> Precision | None:
    """`{"type": "float16", "loss_scale": 65536}`; "float64" or null for none."""
    if given is None or given in ("float64", {"type": "float64"}):
        return None
    options = dict(mapping(given, "precision"))
    kind = options.pop("type", "float16")
    if kind != "float16":
        raise BackstepError(
            f"precision must be float16 (mixed) or float64: {kind!r}", where="precision.type"
        )
    return build(Precision, options, "precision")


def underflows(graph: Graph, slots: Mapping[Slot, Array]) -> list[dict[str, Any]]:
    """Where float16 turned contributions into 0: the node whose gradient lost them, from where,
    how many of how many entries.
    """
    found = []
    for node in reversed(graph.ops):
        for i, target in enumerate(node.inputs):
            count = slots.get((node.name, f"{UNDERFLOW}{i}"))
            if count is not None:
                found.append((node.name, target, int(count)))
    return [
        {
            "from": source,
            "to": target,
            "label": graph[target].label,
            "lost": lost,
            "of": int(np.prod(graph[target].shape)),
        }
        for source, target, lost in found
        if lost
    ]
