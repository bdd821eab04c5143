"""Batch norm, layer norm and dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import whole
from app.engine.graph import Node
from app.engine.ops.arithmetic import Mul
from app.engine.ops.normalisation import BatchNormalise, Normalise, NormaliseRunning, ScaleShift
from app.engine.types import Shape
from app.nn.builder import Builder
from app.nn.init import Constant, Zeros
from app.nn.layers.layer import Layer


def scaled(b: Builder, x: Node, shape: Shape, axis: int, number: int, *, bias: bool) -> Node:
    """γ·x̂ + β, which start at 1 and 0."""
    fans: dict[str, Any] = {"fan_in": 1, "fan_out": 1, "number": number}
    nodes = [x, b.parameter("weight", shape, r"\gamma", init=Constant(1.0), **fans)]
    if bias:
        nodes.append(b.parameter("bias", shape, r"\beta", init=Zeros(), **fans))
    return b.op(ScaleShift(axis=axis), *nodes, letter="n", number=number)


@dataclass(frozen=True)
class BatchNorm(Layer):
    """`BatchNorm1d` or `2d` as the sample's shape says: the channel axis is the sample's first.

    In training the batch's own mean and variance count, and the running ones move towards them by
    `momentum` (Ioffe & Szegedy 2015).
    """

    num_features: int = 0
    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True
    track_running_stats: bool = True
    name = "batch_norm"
    summary = "normalises every channel over the batch, then scales and shifts it"
    pytorch = "nn.BatchNorm2d"
    differs = "BatchNorm1d or 2d, as the sample has axes; always with a bias where affine"

    def build(self, b: Builder, x: Node) -> Node:
        if not 2 <= len(x.shape) <= 4:
            raise BackstepError(f"a sample must be (C), (C, L) or (C, H, W): {x.shape[1:]}")
        channels = x.shape[1]
        self.agrees("num_features", channels)
        if not 0.0 <= self.momentum <= 1.0:
            raise BackstepError(f"momentum must be from 0 to 1: {self.momentum}")
        number = b.next("n")
        running: list[Node] = []
        if self.track_running_stats:
            shape = (channels,)
            mean = b.buffer("running_mean", shape, rf"\mu_{{{number}}}", Zeros())
            var = b.buffer("running_var", shape, rf"v_{{{number}}}", Constant(1.0))
            running = [mean, var]
            b.ignored.append(b.path("num_batches_tracked"))
        called = rf"\hat{{x}}_{{{number}}}"
        if running and not b.training:
            op = NormaliseRunning(axis=1, eps=self.eps)
            out = b.op(op, x, *running, name="normalised", called=called)
        else:
            axes = tuple(axis for axis in range(len(x.shape)) if axis != 1)
            track = self.momentum if running else None
            now = BatchNormalise(axes=axes, eps=self.eps, momentum=track)
            out = b.op(now, x, name="normalised", called=called)
        return scaled(b, out, (channels,), 1, number, bias=True) if self.affine else out


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Over the last axes, which `normalized_shape` names: by default the last one (Ba et al.
    2016).
    """

    normalized_shape: Any = None
    eps: float = 1e-5
    elementwise_affine: bool = True
    bias: bool = True
    name = "layer_norm"
    summary = "normalises every sample over its last axis, then scales and shifts it"
    pytorch = "nn.LayerNorm"

    def build(self, b: Builder, x: Node) -> Node:
        shape = self._shape(x)
        number = b.next("n")
        axes = tuple(range(-len(shape), 0))
        out = b.op(
            Normalise(axes=axes, eps=self.eps),
            x,
            name="normalised",
            called=rf"\hat{{x}}_{{{number}}}",
        )
        if not self.elementwise_affine:
            return out
        return scaled(b, out, shape, -len(shape), number, bias=self.bias)

    def _shape(self, x: Node) -> Shape:
        if self.normalized_shape is None:
            return x.shape[-1:]
        given = self.normalized_shape
        sizes = given if isinstance(given, list | tuple) else [given]
        shape = tuple(whole(size, "normalized_shape", low=1) for size in sizes)
        if not shape or len(shape) >= len(x.shape) or x.shape[-len(shape) :] != shape:
            raise BackstepError(
                f"normalized_shape must be a sample's last axes, {list(x.shape[1:])}: {given!r}"
            )
        return shape


@dataclass(frozen=True)
class Dropout(Layer):
    """Each entry is dropped with probability p, and what is left is divided by 1 − p, so that the
    mean stays (Srivastava et al. 2014). The mask is drawn before the iteration; outside training
    nothing is dropped.
    """

    p: float = 0.5
    name = "dropout"
    summary = "drops entries at random while training"
    pytorch = "nn.Dropout"

    def build(self, b: Builder, x: Node) -> Node:
        if not 0.0 <= self.p <= 1.0:
            raise BackstepError(f"p must be from 0 to 1: {self.p}")
        if not b.training:
            return x
        number = b.next("d")
        mask = b.noise("mask", x.shape, f"m_{{{number}}}", self.p)
        return b.op(Mul(), x, mask, letter="d", number=number)
