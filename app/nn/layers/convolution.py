"""Convolution and pooling over images (C, H, W) and sequences (C, L)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from app.engine.errors import BackstepError
from app.engine.fields import whole
from app.engine.graph import Node
from app.engine.ops import OPS
from app.nn.builder import Builder
from app.nn.layers.layer import Layer


def _sizes(given: Any, rank: int) -> tuple[int, ...]:
    """One number for all axes, or a list with one for each."""
    listed = isinstance(given, list | tuple)
    if listed and len(given) != rank:
        raise BackstepError(f"kernel_size must be a number or a list of {rank}: {given!r}")
    every = list(given) if listed else [given] * rank
    sizes = tuple(whole(size, "kernel_size") for size in every)
    if min(sizes) < 1:
        raise BackstepError(f"kernel_size must be at least 1: {given!r}")
    return sizes


def one_for_all(given: Any, name: str, rank: int) -> int:
    """One number for all axes; a list, as PyTorch takes it, of equal ones."""
    every = given if isinstance(given, list | tuple) else [given]
    numbers = {whole(one, name) for one in every}
    if len(numbers) != 1 or len(every) not in (1, rank):
        raise BackstepError(f"{name} must be one number for all axes, or {rank} equal: {given!r}")
    return numbers.pop()


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

    def build(self, b: Builder, x: Node) -> Node:
        self.positive("out_channels")
        stride = one_for_all(self.stride, "stride", self.rank)
        padding = one_for_all(self.padding, "padding", self.rank)
        if stride < 1:
            raise BackstepError(f"stride must be at least 1: {stride}")
        if len(x.shape) != self.rank + 2:
            axes = "(C, H, W)" if self.rank == 2 else "(C, L)"
            raise BackstepError(f"a sample must have the shape {axes}: {x.shape[1:]}")
        channels, size = x.shape[1], _sizes(self.kernel_size, self.rank)
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

    def build(self, b: Builder, x: Node) -> Node:
        rank = 1 if self.name.endswith("1d") else 2
        size = one_for_all(self.kernel_size, "kernel_size", rank)
        stride = None if self.stride is None else one_for_all(self.stride, "stride", rank)
        if size < 1 or (stride is not None and stride < 1):
            raise BackstepError(f"kernel_size and stride must be at least 1: {size}, {stride}")
        padding = one_for_all(self.padding, "padding", rank)
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
