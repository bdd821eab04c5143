"""Convolution and pooling over images (C, H, W) and sequences (C, L). kernel_size, stride and
padding are one number, or a list with one for each axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from app.engine.errors import BackstepError
from app.engine.fields import whole
from app.engine.graph import Node
from app.engine.ops import OPS
from app.engine.ops.windows import per_axis
from app.engine.types import Shape
from app.nn.builder import Builder
from app.nn.layers.layer import Layer


def _axes(given: Any, name: str, rank: int, low: int = 1) -> int | Shape:
    """One number for all axes, or a list with one for each; equal ones are one number."""
    listed = isinstance(given, list | tuple)
    if listed and len(given) != rank:
        raise BackstepError(f"{name} must be a number or a list of {rank}: {given!r}")
    try:
        numbers = tuple(whole(one, name, low=low) for one in (given if listed else [given]))
    except BackstepError as error:
        raise BackstepError(f"{name} {error.message}", where=name) from None
    return numbers[0] if len(set(numbers)) == 1 else numbers


@dataclass(frozen=True)
class Convolution(Layer):
    """Weight (out_channels, in_channels, *kernel_size), bias (out_channels); in_channels is
    inferred when left out.
    """

    out_channels: int
    kernel_size: Any
    stride: Any = 1
    padding: Any = 0
    in_channels: int = 0
    bias: bool = True
    rank: ClassVar[int] = 2
    differs = "no dilation and no groups; a border is made of zeros"

    def build(self, b: Builder, x: Node) -> Node:
        self.positive("out_channels")
        size = per_axis(_axes(self.kernel_size, "kernel_size", self.rank), self.rank)
        stride = _axes(self.stride, "stride", self.rank)
        padding = _axes(self.padding, "padding", self.rank, low=0)
        if len(x.shape) != self.rank + 2:
            axes = "(C, H, W)" if self.rank == 2 else "(C, L)"
            raise BackstepError(f"a sample must have the shape {axes}: {x.shape[1:]}")
        channels = x.shape[1]
        self.agrees("in_channels", channels)
        number = b.next("z")
        fans: dict[str, Any] = {
            "fan_in": channels * prod(size),
            "fan_out": self.out_channels * prod(size),
            "number": number,
        }
        nodes = [x, b.parameter("weight", (self.out_channels, channels, *size), "W", **fans)]
        if self.bias:
            nodes.append(b.parameter("bias", (self.out_channels,), "b", **fans))
        op = OPS[self.name](stride=stride, padding=padding)  # type: ignore[call-arg]
        return b.op(op, *nodes, letter="z", number=number)


@dataclass(frozen=True)
class Conv1d(Convolution):
    name = "conv1d"
    rank = 1
    summary = OPS["conv1d"].summary
    pytorch = "nn.Conv1d"


@dataclass(frozen=True)
class Conv2d(Convolution):
    name = "conv2d"
    summary = OPS["conv2d"].summary
    pytorch = "nn.Conv2d"


@dataclass(frozen=True)
class Pooling(Layer):
    """Without a stride the windows lie side by side."""

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    differs = (
        "no dilation; a window that does not fit is left out (ceil_mode=False); "
        "in an average the border counts (count_include_pad=True)"
    )

    def build(self, b: Builder, x: Node) -> Node:
        rank = 1 if self.name.endswith("1d") else 2
        size = _axes(self.kernel_size, "kernel_size", rank)
        stride = None if self.stride is None else _axes(self.stride, "stride", rank)
        padding = _axes(self.padding, "padding", rank, low=0)
        op = OPS[self.name](kernel_size=size, stride=stride, padding=padding)  # type: ignore[call-arg]
        return b.op(op, x, letter="p", number=b.next("p"))


@dataclass(frozen=True)
class MaxPool1d(Pooling):
    name = "max_pool1d"
    summary = OPS["max_pool1d"].summary
    pytorch = "nn.MaxPool1d"


@dataclass(frozen=True)
class MaxPool2d(Pooling):
    name = "max_pool2d"
    summary = OPS["max_pool2d"].summary
    pytorch = "nn.MaxPool2d"


@dataclass(frozen=True)
class AvgPool1d(Pooling):
    name = "avg_pool1d"
    summary = OPS["avg_pool1d"].summary
    pytorch = "nn.AvgPool1d"


@dataclass(frozen=True)
class AvgPool2d(Pooling):
    name = "avg_pool2d"
    summary = OPS["avg_pool2d"].summary
    pytorch = "nn.AvgPool2d"
