"""A transformer's block: attention and a small network for every step, each with a path around it
and a layer norm (Vaswani et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.graph import Node
from app.engine.ops.arithmetic import Add
from app.nn.builder import Builder
from app.nn.layers.activations import Gelu, Relu
from app.nn.layers.attention import SelfAttention
from app.nn.layers.dense import Linear
from app.nn.layers.layer import Layer
from app.nn.layers.normalisation import Dropout, LayerNorm

ACTIVATIONS: dict[str, type[Relu] | type[Gelu]] = {"relu": Relu, "gelu": Gelu}


@dataclass(frozen=True)
class TransformerEncoderLayer(Layer):
    """`nn.TransformerEncoderLayer`, batch first, named as there: self_attn.in_proj_weight,
    self_attn.out_proj.weight, linear1.weight, linear2.weight, norm1.weight, norm2.weight and their
    biases. The norms stand behind the sums, or with `norm_first` at the beginning of each path
    through the layers. With `causal` no step sees a later one.
    """

    nhead: int
    d_model: int = 0
    dim_feedforward: int = 2048
    dropout: float = 0.1
    activation: str = "relu"
    layer_norm_eps: float = 1e-5
    norm_first: bool = False
    bias: bool = True
    causal: bool = False
    name = "transformer_encoder_layer"
    summary = "attention, then a small network for every step, each with a path around it"
    pytorch = "nn.TransformerEncoderLayer"
    differs = "always batch_first; causal stands for src_mask"

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise BackstepError(f'activation must be "relu" or "gelu": {self.activation!r}')

    def build(self, b: Builder, x: Node) -> Node:
        if len(x.shape) != 3:
            raise BackstepError(f"a sample must be a sequence (T, E): {x.shape[1:]}")
        self.positive("nhead", "dim_feedforward")
        self.agrees("d_model", x.shape[2])
        for part in (1, 2):
            b.held.add(x.name)
            inner = self._norm(b, x, part) if self.norm_first else x
            inner = self._attend(b, inner) if part == 1 else self._feed(b, inner)
            inner = self._drop(b, f"dropout{part}", inner)
            number = b.next("r")
            x = b.op(Add(), x, inner, name=f"r{part}", letter="r", number=number)
            x = x if self.norm_first else self._norm(b, x, part)
        return x

    def _attend(self, b: Builder, x: Node) -> Node:
        options: dict[str, Any] = {"bias": self.bias, "causal": self.causal}
        attention = SelfAttention(num_heads=self.nhead, dropout=self.dropout, **options)
        return self._part(b, "self_attn", attention, x)

    def _feed(self, b: Builder, x: Node) -> Node:
        width = x.shape[2]
        x = self._part(b, "linear1", Linear(self.dim_feedforward, bias=self.bias), x)
        x = self._part(b, "activation", ACTIVATIONS[self.activation](), x)
        x = self._drop(b, "dropout", x)
        return self._part(b, "linear2", Linear(width, bias=self.bias), x)

    def _drop(self, b: Builder, name: str, x: Node) -> Node:
        return self._part(b, name, Dropout(p=self.dropout), x) if self.dropout else x

    def _norm(self, b: Builder, x: Node, part: int) -> Node:
        norm = LayerNorm(eps=self.layer_norm_eps, bias=self.bias)
        return self._part(b, f"norm{part}", norm, x)

    def _part(self, b: Builder, name: str, layer: Layer, x: Node) -> Node:
        with b.within(name):
            return layer.build(b, x)
