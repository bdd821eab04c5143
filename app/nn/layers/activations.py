"""Layers that are one op without parameters: the bends between linear maps, and softmax."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from app.engine.errors import BackstepError
from app.engine.graph import Node
from app.engine.ops import OPS
from app.nn.builder import Builder
from app.nn.layers.layer import Layer


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
    differs = "the curve itself everywhere; PyTorch takes z where z > 20 (2·10⁻⁹ away)"
    pytorch = "nn.Softplus"


@dataclass(frozen=True)
class Softmax(Activation):
    dim: int = -1
    differs = "dim is -1 where it is left out"
    name = op = "softmax"
    summary = OPS["softmax"].summary
    pytorch = "nn.Softmax"


@dataclass(frozen=True)
class LogSoftmax(Activation):
    dim: int = -1
    differs = Softmax.differs
    name = op = "log_softmax"
    summary = OPS["log_softmax"].summary
    pytorch = "nn.LogSoftmax"
