"""Layers: small functions that add nodes to a graph. Names, arguments and parameter names as in
PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from app.engine.errors import BackstepError
from app.engine.fields import pick
from app.engine.graph import Node
from app.engine.op import OPS
from app.engine.ops.arithmetic import Add
from app.engine.ops.matrix import Linear as LinearOp
from app.engine.ops.shaping import Reshape
from app.nn.builder import Builder

LAYERS: dict[str, type[Layer]] = {}


@dataclass(frozen=True)
class Layer:
    """A row of the table: its dataclass fields are its arguments."""

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    pytorch: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if cls.name:
            LAYERS[cls.name] = cls

    def build(self, b: Builder, x: Node) -> Node:
        """Add this layer's nodes after x and return its output."""
        raise NotImplementedError


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
        fans = {"fan_in": width, "fan_out": self.out_features, "number": number}
        nodes = [x, b.parameter("weight", (self.out_features, width), "W", **fans)]
        if self.bias:
            nodes.append(b.parameter("bias", (self.out_features,), "b", **fans))
        return b.op(LinearOp(), *nodes, letter="z", number=number)


@dataclass(frozen=True)
class Activation(Layer):
    """A layer that is one elementwise op; numbered like the linear layer before it."""

    op: ClassVar[str] = ""

    def build(self, b: Builder, x: Node) -> Node:
        arguments = {f.name: getattr(self, f.name) for f in fields(self)}
        number = b.counts.get("z", 0)
        if b.counts.get("a", 0) < number:
            b.counts["a"] = number - 1
        return b.op(OPS[self.op](**arguments), x, letter="a", number=b.next("a"))


@dataclass(frozen=True)
class Relu(Activation):
    name = op = "relu"
    summary = OPS["relu"].summary
    pytorch = "nn.ReLU"


@dataclass(frozen=True)
class LeakyRelu(Activation):
    negative_slope: float = 0.01
    name = op = "leaky_relu"
    summary = OPS["leaky_relu"].summary
    pytorch = "nn.LeakyReLU"


@dataclass(frozen=True)
class Elu(Activation):
    alpha: float = 1.0
    name = op = "elu"
    summary = OPS["elu"].summary
    pytorch = "nn.ELU"


@dataclass(frozen=True)
class Gelu(Activation):
    approximate: str = "none"
    name = op = "gelu"
    summary = OPS["gelu"].summary
    pytorch = "nn.GELU"

    def __post_init__(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise BackstepError(f'approximate must be "none" or "tanh": {self.approximate!r}')


@dataclass(frozen=True)
class Sigmoid(Activation):
    name = op = "sigmoid"
    summary = OPS["sigmoid"].summary
    pytorch = "nn.Sigmoid"


@dataclass(frozen=True)
class Tanh(Activation):
    name = op = "tanh"
    summary = OPS["tanh"].summary
    pytorch = "nn.Tanh"


@dataclass(frozen=True)
class Softplus(Activation):
    name = op = "softplus"
    summary = OPS["softplus"].summary
    pytorch = "nn.Softplus"


@dataclass(frozen=True)
class Softmax(Activation):
    dim: int = -1
    name = op = "softmax"
    summary = OPS["softmax"].summary
    pytorch = "nn.Softmax"


@dataclass(frozen=True)
class LogSoftmax(Activation):
    dim: int = -1
    name = op = "log_softmax"
    summary = OPS["log_softmax"].summary
    pytorch = "nn.LogSoftmax"


@dataclass(frozen=True)
class Flatten(Layer):
    name = "flatten"
    summary = "lays all numbers of a sample in one row"
    pytorch = "nn.Flatten"

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
        with b.within("layers"):
            inner = stack(b, x, self.layers, f"{b.scope}.layers")
        if inner.shape != x.shape:
            raise BackstepError(
                f"the inner layers give {inner.shape[1:]}, the input is {x.shape[1:]}: "
                "a residual adds them, so they must agree"
            )
        return b.op(Add(), x, inner, letter="r", number=b.next("r"))


def parse_layer(given: Any, where: str) -> Layer:
    """{"type": "linear", "out_features": 3} as a row of the table."""
    return pick(LAYERS, given, where, "the layer")


def stack(b: Builder, x: Node, layers: Any, where: str) -> Node:
    """Build layers one after the other; an error names the layer's place in the list."""
    if not isinstance(layers, list) or not layers:
        raise BackstepError(f"must be a list of at least one layer: {layers!r}", where=where)
    for i, given in enumerate(layers):
        place = f"{where}[{i}]"
        try:
            with b.within(str(i)):
                x = parse_layer(given, place).build(b, x)
        except BackstepError as error:
            if error.where and error.where.startswith(where):
                raise
            raise type(error)(error.message, where=place) from None
    return x
