"""Clipping: gradients that are too large are made smaller before the update, all by one factor or
each entry by itself.

The norm before and after stands in slots of the pseudo-node "", since it belongs to all parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import pick
from app.engine.graph import Node
from app.engine.kernel import Kernel, const
from app.engine.types import GRAD, Array
from app.train.arguments import Recipe, option
from app.train.lines import Letter, Line

ALL = ""
NORM, CLIPPED, COEFFICIENT = "grad_norm", "clipped_norm", "clip_coefficient"

CLIPS: dict[str, type[Clip]] = {}

SQUARES = r"\sqrt{\sum g^2}"

_KNOWN = {
    "norm": Letter("n", NORM, "new", node=ALL),
    "after": Letter("n_{clipped}", CLIPPED, "new", node=ALL),
    "coef": Letter("c", COEFFICIENT, "new", node=ALL),
}


def global_norm(k: Kernel, names: list[str], out: Array) -> None:
    """√(Σ g²) over all entries of all gradients; not finite if one of them is not."""
    flat = k.gather(names, GRAD)
    k(np.dot, flat, flat, out)
    k(np.sqrt, out, out)


@dataclass(frozen=True)
class Clip(Recipe):
    """The base: `apply` rewrites the gradients of the parameters that have one."""

    kind: ClassVar[str] = "clip"
    argument: ClassVar[str] = ""
    says: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if cls.name:
            CLIPS[cls.name] = cls

    def apply(self, k: Kernel, names: list[str]) -> None:
        raise NotImplementedError

    @property
    def lines(self) -> list[Line]:
        raise NotImplementedError

    @property
    def numpy(self) -> str:
        raise NotImplementedError

    @property
    def pytorch(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class ClipNorm(Clip):
    """Pascanu, Mikolov and Bengio 2013, with one norm over all gradients together, as
    `torch.nn.utils.clip_grad_norm_`; a norm that is not finite makes 0 or NaN, as there."""

    max_norm: float = option(summary="the longest that the whole gradient may be", above=0)

    name = "norm"
    argument = "max_norm"
    summary = "the whole gradient keeps its direction and is shortened to a length"
    says = "If the whole gradient is too long, every part of it is shortened by the same factor."

    def apply(self, k: Kernel, names: list[str]) -> None:
        norm, coef = k.write(ALL, NORM, ()), k.write(ALL, COEFFICIENT, ())
        global_norm(k, names, norm)
        k(np.add, norm, const(1e-6), coef)
        k(np.divide, const(self.max_norm), coef, coef)
        k(np.minimum, coef, const(1.0), coef)
        for name in names:
            g = k.read(name, GRAD)
            k(np.multiply, g, coef, k.write(name, GRAD, g.shape))
        k(np.multiply, norm, coef, k.write(ALL, CLIPPED, ()))

    @property
    def lines(self) -> list[Line]:
        limit = Letter("n_{max}", "max_norm", "constant", self.max_norm)
        small = Letter(r"\epsilon", "", "constant", 1e-6)
        known = {**_KNOWN, "limit": limit, "small": small}
        return [
            Line("norm", "norm", SQUARES, known),
            Line("norm", "coef", r"\min\left(1, \frac{@limit}{@norm + @small}\right)", known),
            Line("norm", "after", r"@coef \cdot @norm", known),
        ]

    @property
    def numpy(self) -> str:
        return (
            "norm = np.sqrt(sum((g**2).sum() for g in grads))\n"
            f"grads = [g * min(1, {self.max_norm!r} / (norm + 1e-6)) for g in grads]"
        )

    @property
    def pytorch(self) -> str:
        return f"nn.utils.clip_grad_norm_(model.parameters(), {self.max_norm!r})"


@dataclass(frozen=True)
class ClipValue(Clip):
    """Each entry by itself, as `torch.nn.utils.clip_grad_value_`; the direction changes."""

    clip_value: float = option(summary="the largest size of any entry", above=0)

    name = "value"
    argument = "clip_value"
    summary = "every entry of the gradient is kept between two bounds"
    says = "Every entry of the gradient that is too large is cut off at the bound."

    def apply(self, k: Kernel, names: list[str]) -> None:
        global_norm(k, names, k.write(ALL, NORM, ()))
        for name in names:
            g = k.read(name, GRAD)
            out = k.write(name, GRAD, g.shape)
            k(np.minimum, g, const(self.clip_value), out)
            k(np.maximum, out, const(-self.clip_value), out)
        global_norm(k, names, k.write(ALL, CLIPPED, ()))

    @property
    def lines(self) -> list[Line]:
        limit = Letter("v", "clip_value", "constant", self.clip_value)
        known = {**_KNOWN, "limit": limit}
        clipped = r"\sqrt{\sum \min(\max(g, -@limit), @limit)^2}"
        return [Line("norm", "norm", SQUARES, known), Line("norm", "after", clipped, known)]

    @property
    def numpy(self) -> str:
        return f"grads = [np.clip(g, -{self.clip_value!r}, {self.clip_value!r}) for g in grads]"

    @property
    def pytorch(self) -> str:
        return f"nn.utils.clip_grad_value_(model.parameters(), {self.clip_value!r})"


@dataclass(frozen=True)
class ClipStep:
    """The plan's line: clip the gradients of these parameters."""

    nodes: tuple[Node, ...]
    clip: Clip
    phase: str = "clip"
    node: None = None

    @property
    def lines(self) -> list[Line]:
        return self.clip.lines

    def run(self, k: Kernel) -> None:
        names = [node.name for node in self.nodes if k.has(node.name, GRAD)]
        if names:
            self.clip.apply(k, names)


def parse_clip(given: Any) -> Clip | None:
    """The kind of clipping that a person wrote; null for none.

    `{"type": "norm", "max_norm": 1}` and `{"type": "value", "clip_value": 1}`; the type may be left
    out, and `{"norm": 1}` and `{"value": 1}` are short for the same.
    """
    if given is None:
        return None
    if not isinstance(given, dict):
        raise BackstepError(
            f'clip must be null or an object such as {{"max_norm": 1.0}}: {given!r}', where="clip"
        )
    arguments = dict(given)
    if "type" not in arguments:
        fit = [c.name for c in CLIPS.values() if c.name in given or c.argument in given]
        if len(fit) != 1:
            raise BackstepError(
                f"clip needs exactly one of max_norm and clip_value: {given!r}", where="clip"
            )
        arguments["type"] = fit[0]
    for cls in CLIPS.values():
        if arguments["type"] == cls.name in arguments and cls.argument not in arguments:
            arguments[cls.argument] = arguments.pop(cls.name)
    return pick(CLIPS, arguments, "clip", "the kind of clipping")
