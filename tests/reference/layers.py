"""Makes tests/data/layers.json: values and gradients of every layer, computed by PyTorch.

Run by hand, in an environment of its own outside this repository, when a layer changes:

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0 numpy
    /tmp/torch/bin/python -m tests.reference.layers

A case is a spec's list of layers; the modules made from it here are PyTorch's own, and their
`state_dict` is what the spec's `parameters` are.
"""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

OUT = Path(__file__).parents[1] / "data" / "layers.json"
SEED = 3


class Residual(nn.Module):
    def __init__(self, layers: list[Any], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*modules(layers, shape))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Positions(nn.Module):
    """Vaswani et al. 2017, entry by entry."""

    def forward(self, x: Tensor) -> Tensor:
        _, steps, width = x.shape
        table = [
            [
                (math.cos if i % 2 else math.sin)(t / 10000 ** ((i - i % 2) / width))
                for i in range(width)
            ]
            for t in range(steps)
        ]
        return x + torch.tensor(table)


class Branches(nn.Module):
    def __init__(self, branches: list[Any], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*modules(layers, shape)) for layers in branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], -1)


class Block(nn.TransformerEncoderLayer):
    causal = False

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        return super().forward(x, src_mask=mask)


class Attention(nn.MultiheadAttention):
    causal = False

    def forward(self, x: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]) if self.causal else None
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]


class Sequence(nn.Module):
    """A recurrent module over windows, the state detached between them."""

    truncate, return_sequences = 0, True

    def forward(self, x: Tensor) -> Tensor:
        if self.bidirectional and not self.return_sequences:
            _, last = super().forward(x)
            return torch.cat([*(last[0] if isinstance(last, tuple) else last)[-2:]], -1)
        outs, state = [], None
        for window in x.split(self.truncate or x.shape[1], 1):
            if isinstance(state, tuple):
                state = tuple(s.detach() for s in state)
            elif state is not None:
                state = state.detach()
            out, state = super().forward(window, state)
            outs.append(out)
        out = torch.cat(outs, 1)
        return out if self.return_sequences else out[:, -1]


class Rnn(Sequence, nn.RNN):
    pass


class Lstm(Sequence, nn.LSTM):
    pass


class Gru(Sequence, nn.GRU):
    pass


class Masked(nn.Module):
    """Dropout with the mask that a run of this seed draws before iteration 0."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        draws = np.random.default_rng([SEED, 4, 0, 0]).random(tuple(x.shape))
        return x * torch.tensor((draws >= self.p) / (1 - self.p))


PLAIN = {
    "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "softplus": nn.Softplus, "softmax": nn.Softmax,
    "log_softmax": nn.LogSoftmax, "flatten": nn.Flatten, "max_pool1d": nn.MaxPool1d,
    "max_pool2d": nn.MaxPool2d, "avg_pool1d": nn.AvgPool1d, "avg_pool2d": nn.AvgPool2d,
    "embedding": nn.Embedding, "dropout": Masked, "positional_encoding": Positions,
}  # fmt: skip
RECURRENT = {"rnn": Rnn, "lstm": Lstm, "gru": Gru}


def modules(layers: list[Any], shape: tuple[int, ...]) -> list[nn.Module]:
    """PyTorch's modules; the sizes that Backstep infers are read off a probe."""
    made: list[nn.Module] = []
    for given in layers:
        options = {"type": given} if isinstance(given, str) else dict(given)
        kind = options.pop("type")
        if kind in PLAIN or kind.startswith("conv"):
            options = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        if kind in PLAIN:
            if kind in ("softmax", "log_softmax"):
                options.setdefault("dim", -1)
            module: nn.Module = PLAIN[kind](**options)
        elif kind == "linear":
            module = nn.Linear(shape[-1], **options)
        elif kind in ("conv1d", "conv2d"):
            if isinstance(options["kernel_size"], list):
                options["kernel_size"] = tuple(options["kernel_size"])
            module = {"conv1d": nn.Conv1d, "conv2d": nn.Conv2d}[kind](shape[1], **options)
        elif kind == "batch_norm":
            module = (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(shape[1], **options)
        elif kind == "layer_norm":
            module = nn.LayerNorm(options.pop("normalized_shape", shape[-1]), **options)
        elif kind == "residual":
            module = Residual(options["layers"], shape)
        elif kind == "branches":
            module = Branches(options["branches"], shape)
        elif kind == "transformer_encoder_layer":
            causal = options.pop("causal", False)
            module = Block(shape[-1], batch_first=True, **options)
            module.causal = causal  # type: ignore[assignment]
        elif kind == "self_attention":
            causal = options.pop("causal", False)
            module = Attention(shape[-1], options.pop("num_heads", 1), batch_first=True, **options)
            module.causal = causal  # type: ignore[assignment]
        else:
            own = {k: options.pop(k) for k in ("truncate", "return_sequences") if k in options}
            module = RECURRENT[kind](shape[-1], batch_first=True, **options)
            for name, value in own.items():
                setattr(module, name, value)
        made.append(module)
        whole = kind == "embedding"
        probe = torch.zeros(shape, dtype=torch.long if whole else torch.float64)
        shape = tuple(module(probe).shape)
        if hasattr(module, "reset_running_stats"):
            module.reset_running_stats()
    return made


def L(kind: str, **options: Any) -> dict[str, Any]:
    return {"type": kind, **options}


IMAGE, WORDS, SERIES = (4, 2, 6, 6), (3, 4), (3, 5, 4)
BLOCK = [
    L("residual", layers=["layer_norm", L("self_attention", num_heads=2)]),
    L("residual",
      layers=["layer_norm", L("linear", out_features=8), "gelu", L("linear", out_features=4)]),
]  # fmt: skip
CASES: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "linear": ([L("linear", out_features=3)], (4, 5)),
    "linear without bias, of a sequence": ([L("linear", out_features=2, bias=False)], SERIES),
    "activations": (
        ["relu", L("leaky_relu", negative_slope=0.2), L("elu", alpha=0.5), "gelu", "sigmoid",
         "tanh", "softplus", "softmax", "log_softmax"], (4, 5),
    ),
    "residual": ([L("residual", layers=[L("linear", out_features=5), "tanh"])], (4, 5)),
    "conv2d": ([L("conv2d", out_channels=3, kernel_size=3)], IMAGE),
    "conv2d, stride and padding": (
        [L("conv2d", out_channels=3, kernel_size=3, stride=2, padding=1)], IMAGE,
    ),
    "conv2d, flat kernel, no bias": (
        [L("conv2d", out_channels=2, kernel_size=[1, 4], padding=1, bias=False)], IMAGE,
    ),
    "conv1d": ([L("conv1d", out_channels=3, kernel_size=2, padding=1)], (3, 2, 5)),
    "max_pool2d": ([L("max_pool2d", kernel_size=2)], IMAGE),
    "max_pool2d, overlapping": ([L("max_pool2d", kernel_size=3, stride=2, padding=1)], IMAGE),
    "max_pool1d": ([L("max_pool1d", kernel_size=2)], (3, 2, 5)),
    "avg_pool2d": ([L("avg_pool2d", kernel_size=2)], IMAGE),
    "avg_pool2d, overlapping": ([L("avg_pool2d", kernel_size=3, stride=1, padding=1)], IMAGE),
    "avg_pool1d": ([L("avg_pool1d", kernel_size=2, stride=1)], (3, 2, 5)),
    "a convolutional network": (
        [L("conv2d", out_channels=3, kernel_size=3, padding=1), "batch_norm", "relu",
         L("max_pool2d", kernel_size=2), L("conv2d", out_channels=2, kernel_size=2), "tanh",
         L("avg_pool2d", kernel_size=2), "flatten", L("linear", out_features=3)], IMAGE,
    ),
    "batch_norm, flat": ([L("batch_norm", momentum=0.3, eps=0.01)], (5, 3)),
    "batch_norm, sequence": (["batch_norm", "tanh"], (3, 2, 4)),
    "batch_norm, image": (["batch_norm"], IMAGE),
    "batch_norm, plain": (
        [L("batch_norm", affine=False, track_running_stats=False), "tanh"], (5, 3),
    ),
    "layer_norm": (["layer_norm"], SERIES),
    "layer_norm of two axes": ([L("layer_norm", normalized_shape=[5, 4], eps=0.1)], SERIES),
    "layer_norm of an image": (
        [L("conv2d", out_channels=2, kernel_size=1), L("layer_norm", normalized_shape=[2, 6, 6])],
        IMAGE,
    ),
    "layer_norm, plain": ([L("layer_norm", elementwise_affine=False), "tanh"], SERIES),
    "layer_norm without bias": ([L("layer_norm", bias=False)], SERIES),
    "dropout": ([L("linear", out_features=4), L("dropout", p=0.4), "tanh"], (4, 5)),
    "embedding": ([L("embedding", num_embeddings=5, embedding_dim=3)], WORDS),
    "positional_encoding": (["positional_encoding"], SERIES),
    "rnn": ([L("rnn", hidden_size=3)], SERIES),
    "rnn, relu, last step": (
        [L("rnn", hidden_size=3, nonlinearity="relu", return_sequences=False)], SERIES,
    ),
    "rnn without bias": ([L("rnn", hidden_size=3, bias=False)], SERIES),
    "rnn, truncated": ([L("rnn", hidden_size=3, truncate=2)], SERIES),
    "rnn, truncated, last step": (
        [L("rnn", hidden_size=3, truncate=2, return_sequences=False)], SERIES,
    ),
    "two rnns": ([L("rnn", hidden_size=3), L("rnn", hidden_size=2)], SERIES),
    "lstm": ([L("lstm", hidden_size=3)], SERIES),
    "rnn of two layers": ([L("rnn", hidden_size=3, num_layers=2)], SERIES),
    "lstm of three layers, last step": (
        [L("lstm", hidden_size=2, num_layers=3, return_sequences=False)], SERIES,
    ),
    "gru of two layers": ([L("gru", hidden_size=2, num_layers=2), "tanh"], SERIES),
    "rnn, both ways": ([L("rnn", hidden_size=2, bidirectional=True)], SERIES),
    "rnn, both ways, either end": (
        [L("rnn", hidden_size=3, bidirectional=True, return_sequences=False)], SERIES,
    ),
    "lstm of two layers, both ways": (
        [L("lstm", hidden_size=2, num_layers=2, bidirectional=True)], SERIES,
    ),
    "gru of two layers, both ways, either end": (
        [L("gru", hidden_size=2, num_layers=2, bidirectional=True, return_sequences=False)],
        SERIES,
    ),
    "both ways, one after the other": (
        [L("gru", hidden_size=2, bidirectional=True, bias=False), L("rnn", hidden_size=3)], SERIES,
    ),
    "pairs, as PyTorch takes them": (
        [L("conv2d", out_channels=2, kernel_size=[3, 3], stride=[1, 1], padding=[1, 1]),
         L("max_pool2d", kernel_size=[2, 2], stride=[2, 2])], IMAGE,
    ),
    "pairs that differ": (
        [L("conv2d", out_channels=3, kernel_size=[3, 2], stride=[1, 2], padding=[2, 1]), "tanh",
         L("max_pool2d", kernel_size=[2, 3], stride=[2, 1], padding=[1, 0]),
         L("avg_pool2d", kernel_size=[2, 1], stride=[1, 2], padding=[1, 0]),
         L("max_pool2d", kernel_size=[3, 1])], IMAGE,
    ),
    "lstm, truncated, last step": (
        [L("lstm", hidden_size=3, truncate=3, return_sequences=False)], SERIES,
    ),
    "lstm without bias": ([L("lstm", hidden_size=2, bias=False)], SERIES),
    "gru": ([L("gru", hidden_size=3)], SERIES),
    "gru, truncated": ([L("gru", hidden_size=3, truncate=2)], SERIES),
    "gru without bias": ([L("gru", hidden_size=2, bias=False)], SERIES),
    "words, lstm, gru, all steps classified": (
        [L("embedding", num_embeddings=5, embedding_dim=3), L("lstm", hidden_size=3), "tanh",
         L("gru", hidden_size=2), L("linear", out_features=3)], WORDS,
    ),
    "self_attention": (["self_attention"], SERIES),
    "self_attention, two heads, causal": (
        [L("self_attention", num_heads=2, causal=True)], SERIES,
    ),
    "self_attention without bias": ([L("self_attention", num_heads=4, bias=False)], SERIES),
    "a transformer block": (["positional_encoding", *BLOCK], SERIES),
    "branches": (
        [L("linear", out_features=3),
         L("branches", branches=[["tanh"], [L("linear", out_features=2), "relu"], ["sigmoid"]])],
        (4, 5),
    ),
    "branches over time": (
        [L("branches", branches=[
            [L("rnn", hidden_size=2, return_sequences=False)],
            [L("lstm", hidden_size=3, return_sequences=False)]])], SERIES,
    ),
    "transformer_encoder_layer": (
        [L("transformer_encoder_layer", nhead=2, dim_feedforward=6, dropout=0.0)], SERIES,
    ),
    "transformer_encoder_layer, norm first, causal": (
        [L("transformer_encoder_layer", nhead=1, dim_feedforward=5, dropout=0.0, activation="gelu",
           layer_norm_eps=0.01, norm_first=True, causal=True)], SERIES,
    ),
    "transformer_encoder_layer without bias": (
        [L("transformer_encoder_layer", nhead=4, dim_feedforward=3, dropout=0.0, bias=False),
         L("transformer_encoder_layer", nhead=2, dim_feedforward=3, dropout=0.0, norm_first=True)],
        SERIES,
    ),
    "two attentions": (["self_attention", L("self_attention", causal=True)], SERIES),
}  # fmt: skip


def plain(tensor: Tensor) -> Any:
    return tensor.detach().tolist()


def case(name: str, layers: list[Any], shape: tuple[int, ...]) -> dict[str, Any]:
    torch.manual_seed(len(name))
    model = nn.Sequential(*modules(layers, shape))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((torch.randn(parameter.shape) * 0.6).round(decimals=2))
    before = {key: plain(value) for key, value in model.state_dict().items()}
    words = not isinstance(layers[0], str) and layers[0]["type"] == "embedding"
    x = (
        torch.randint(0, 5, shape)
        if words
        else torch.randn(shape).round(decimals=2).requires_grad_()
    )
    prediction = model(x)
    target = torch.randn(prediction.shape).round(decimals=2)
    loss = nn.functional.mse_loss(prediction, target)
    loss.backward()
    buffers = {key: plain(value) for key, value in model.named_buffers()}
    model.eval()
    return {
        "name": name,
        "layers": layers,
        "parameters": before,
        "inputs": plain(x),
        "targets": plain(target),
        "prediction": plain(prediction),
        "loss": plain(loss),
        "grads": {key: plain(value.grad) for key, value in model.named_parameters()},
        "input_grad": None if words else plain(x.grad),
        "buffers": {k: v for k, v in buffers.items() if "batches" not in k},
        "evaluation": plain(model(x)),
    }


MODULES: dict[str, Any] = PLAIN | {
    "linear": nn.Linear, "conv1d": nn.Conv1d, "conv2d": nn.Conv2d, "batch_norm": nn.BatchNorm2d,
    "layer_norm": nn.LayerNorm, "rnn": nn.RNNBase, "lstm": nn.RNNBase, "gru": nn.RNNBase,
    "self_attention": nn.MultiheadAttention, "dropout": nn.Dropout,
    "transformer_encoder_layer": nn.TransformerEncoderLayer,
}  # fmt: skip


def defaults(module: Any) -> dict[str, Any]:
    """Arguments that may be left out, as far as JSON can say what they are then."""
    given = inspect.signature(module.__init__).parameters.values()
    plain_ones = (bool, int, float, str, type(None))
    return {p.name: p.default for p in given if isinstance(p.default, plain_ones)}


def main() -> None:
    torch.set_default_dtype(torch.float64)
    rows = [case(name, layers, shape) for name, (layers, shape) in CASES.items()]
    told: dict[str, Any] = {"made_by": "tests/reference/layers.py", "seed": SEED}
    ours = ("positional_encoding",)
    told["defaults"] = {k: defaults(m) for k, m in MODULES.items() if k not in ours}
    told["torch"] = torch.__version__.split("+")[0]
    body = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    OUT.write_text(f'{json.dumps(told)[:-1]}, "cases": [\n{body}\n]}}\n')
    print(f"{OUT.name}: {len(rows)} cases by torch {told['torch']}, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
