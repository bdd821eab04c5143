"""The linear layer, and layers about the shape of a network: flatten and residual."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.engine.errors import BackstepError
from app.engine.graph import Node
from app.engine.ops.arithmetic import Add
from app.engine.ops.matrix import Linear as LinearOp
from app.engine.ops.shaping import Reshape
from app.nn.builder import Builder
from app.nn.layers.layer import Layer, stack


@dataclass(frozen=True)
class Linear(Layer):
    """Weight (out_features, in_features), bias (out_features); in_features is inferred when left
    out.
    """

    out_features: int
    in_features: int = 0
    bias: bool = True
    name = "linear"
    summary = "every output is a weighted sum of all inputs, plus a bias"
    pytorch = "nn.Linear"

    def build(self, b: Builder, x: Node) -> Node:
        width = x.shape[-1] if len(x.shape) > 1 else 0
        if self.out_features < 1:
            raise BackstepError(f"out_features must be at least 1: {self.out_features}")
        if not width or (self.in_features and self.in_features != width):
            raise BackstepError(
                f"in_features is {self.in_features or 'unset'}, the input's shape is {x.shape[1:]}"
            )
        number = b.next("z")
        fans: dict[str, Any] = {"fan_in": width, "fan_out": self.out_features, "number": number}
        nodes = [x, b.parameter("weight", (self.out_features, width), "W", **fans)]
        if self.bias:
            nodes.append(b.parameter("bias", (self.out_features,), "b", **fans))
        return b.op(LinearOp(), *nodes, letter="z", number=number)


@dataclass(frozen=True)
class Flatten(Layer):
    name = "flatten"
    summary = "lays all numbers of a sample in one row"
    pytorch = "nn.Flatten"
    differs = "all axes of a sample"

    def build(self, b: Builder, x: Node) -> Node:
        size = 1
        for length in x.shape[1:]:
            size *= length
        return b.op(Reshape(to=(x.shape[0], size)), x, letter="f", number=b.next("f"))


@dataclass(frozen=True)
class Residual(Layer):
    """y = x + f(x), f being the inner layers; their parameters are named `1.layers.0.weight` (He et
    al. 2016).
    """

    layers: list[Any] = field(default_factory=list)
    name = "residual"
    summary = "adds its input to the output of its inner layers"
    pytorch = "x + f(x)"

    def build(self, b: Builder, x: Node) -> Node:
        b.held.add(x.name)
        with b.within("layers"):
            inner = stack(b, x, self.layers, f"{b.scope}.layers")
        if inner.shape != x.shape:
            raise BackstepError(
                f"the inner layers give {inner.shape[1:]}, the input is {x.shape[1:]}: "
                "a residual adds them, so they must agree"
            )
        return b.op(Add(), x, inner, letter="r", number=b.next("r"))
