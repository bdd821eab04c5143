"""Several lists of layers over one input, side by side: two ways of computing can be compared in
one walk, on the same data and in the same backward pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.engine.errors import BackstepError, LimitError
from app.engine.graph import Node
from app.engine.ops.joining import LETTERS, Concat
from app.nn.builder import Builder
from app.nn.layers.layer import Layer, stack


@dataclass(frozen=True)
class Branches(Layer):
    """What the branches make of the input is laid end to end along the last axis; parameters are
    named as in an `nn.ModuleList` called branches: `0.branches.1.0.weight`.
    """

    branches: Any = field(default_factory=list)
    name = "branches"
    summary = "gives its input to several lists of layers and lays their outputs end to end"
    pytorch = "torch.cat([f(x) for f in branches], -1)"

    def build(self, b: Builder, x: Node) -> Node:
        if not isinstance(self.branches, list) or len(self.branches) < 2:
            raise BackstepError("branches must be a list of at least two lists of layers")
        if len(self.branches) > len(LETTERS):
            raise LimitError(f"there may be at most {len(LETTERS)} branches: {len(self.branches)}")
        b.held.add(x.name)
        ends = []
        with b.within("branches"):
            for i, layers in enumerate(self.branches):
                with b.within(str(i)):
                    ends.append(stack(b, x, layers, b.scope))
        return b.op(Concat(), *ends, name="joined", letter="j", number=b.next("j"))
