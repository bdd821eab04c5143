"""Embedding, positional encoding and self-attention (Vaswani et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import Node
from app.engine.ops.activation import Softmax
from app.engine.ops.arithmetic import Add
from app.engine.ops.attention import (
    CausalMask,
    MergeHeads,
    Projection,
    Scaled,
    Scores,
)
from app.engine.ops.attention import Embedding as EmbeddingOp
from app.engine.ops.matrix import Linear, Matmul
from app.engine.ops.shaping import Broadcast
from app.engine.types import INT, Array
from app.nn.builder import Builder
from app.nn.init import Normal, XavierUniform, Zeros
from app.nn.layers.layer import Layer
from app.nn.layers.normalisation import Dropout


@dataclass(frozen=True)
class Embedding(Layer):
    """Weight (num_embeddings, embedding_dim); a sample holds whole numbers from 0 to below
    num_embeddings.
    """

    num_embeddings: int
    embedding_dim: int
    name = "embedding"
    summary = "looks every number up in a table of vectors that are learned"
    pytorch = "nn.Embedding"
    differs = "no padding_idx and no max_norm; it must be the first layer"

    def build(self, b: Builder, x: Node) -> Node:
        self.positive("num_embeddings", "embedding_dim")
        if x.dtype != INT:
            raise BackstepError("an embedding needs whole numbers: it must be the first layer")
        number = b.next("e")
        shape = (self.num_embeddings, self.embedding_dim)
        weight = b.parameter(
            "weight", shape, "E", fan_in=1, fan_out=1, number=number, init=b.init or Normal()
        )
        return b.op(EmbeddingOp(), x, weight, letter="e", number=number)


def sinusoids(steps: int, width: int) -> Array:
    """sin and cos of t / 10000^(2i/width), in turns along the width."""
    places, pairs = np.arange(steps)[:, None], np.arange(0, width, 2)
    angles = places / 10000.0 ** (pairs / width)
    out = np.zeros((steps, width))
    out[:, 0::2] = np.sin(angles)
    out[:, 1::2] = np.cos(angles[:, : width // 2])
    return out


@dataclass(frozen=True)
class PositionalEncoding(Layer):
    """Adds sines and cosines of the place, of ever longer waves along the width."""

    name = "positional_encoding"
    summary = "adds to every step of a sequence a pattern that tells its place"
    pytorch = "x + encoding"

    def build(self, b: Builder, x: Node) -> Node:
        if len(x.shape) != 3:
            raise BackstepError(f"a sample must be a sequence (T, E): {x.shape[1:]}")
        table = b.constant("encoding", sinusoids(*x.shape[1:]), "P")
        every = b.op(Broadcast(to=x.shape), table, name="places", called="P_x")
        return b.op(Add(), x, every, letter="u", number=b.next("u"))


@dataclass(frozen=True)
class SelfAttention(Layer):
    """`nn.MultiheadAttention` of a sequence (T, E) with itself, batch first: in_proj_weight
    (3E, E), in_proj_bias, out_proj.weight (E, E), out_proj.bias. With `causal` no step sees a later
    one; `dropout` drops attention weights.
    """

    num_heads: int = 1
    causal: bool = False
    embed_dim: int = 0
    bias: bool = True
    dropout: float = 0.0
    name = "self_attention"
    summary = "every step of a sequence gathers from the steps that fit what it looks for"
    pytorch = "nn.MultiheadAttention"
    differs = (
        "query, key and value are one sequence, always batch_first; causal stands for attn_mask"
    )

    def build(self, b: Builder, x: Node) -> Node:
        self.positive("num_heads")
        if len(x.shape) != 3:
            raise BackstepError(f"a sample must be a sequence (T, E): {x.shape[1:]}")
        width = x.shape[2]
        self.agrees("embed_dim", width)
        if width % self.num_heads:
            raise BackstepError(f"num_heads must divide the width {width}: {self.num_heads}")
        number = b.next("attention")
        up = f"^{{({number})}}" if number > 1 else ""
        source = [
            b.parameter(
                "in_proj_weight",
                (3 * width, width),
                f"W_{{qkv}}{up}",
                fan_in=width,
                fan_out=3 * width,
                init=b.init or XavierUniform(),
            )
        ]
        if self.bias:
            source.append(
                b.parameter(
                    "in_proj_bias",
                    (3 * width,),
                    f"b_{{qkv}}{up}",
                    fan_in=width,
                    fan_out=width,
                    init=Zeros(),
                )
            )
        q, keys, v = (
            b.op(
                Projection(part=part, parts=3, heads=self.num_heads),
                x,
                *source,
                name=letter,
                called=letter + up,
            )
            for part, letter in enumerate("qkv")
        )
        scores = b.op(Scores(), q, keys, name="scores", called=f"s{up}")
        depth = width // self.num_heads
        shown = b.op(Scaled(d=depth), scores, name="scaled", called=f"s{up}'")
        if self.causal:
            shown = b.op(CausalMask(), shown, name="masked", called=f"m{up}")
        weights = b.op(Softmax(dim=-1), shown, name="weights", called=f"a{up}")
        if self.dropout:
            weights = Dropout(p=self.dropout).build(b, weights)
        mixed = b.op(Matmul(), weights, v, name="mixed", called=f"c{up}")
        if self.num_heads > 1:
            mixed = b.op(MergeHeads(), mixed, name="joined", called=f"c{up}'")
        return self._out(b, mixed, width, up)

    def _out(self, b: Builder, mixed: Node, width: int, up: str) -> Node:
        nodes = [
            mixed,
            b.parameter(
                "out_proj.weight", (width, width), f"W_{{o}}{up}", fan_in=width, fan_out=width
            ),
        ]
        if self.bias:
            bias = b.parameter(
                "out_proj.bias", (width,), f"b_{{o}}{up}", fan_in=width, fan_out=width, init=Zeros()
            )
            nodes.append(bias)
        return b.op(Linear(), *nodes, name="out", called=f"o{up}")
