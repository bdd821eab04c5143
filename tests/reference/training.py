"""A training step as PyTorch makes it: eager, float64, its own modules and optimizers. The
benchmarks let it race where it is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from tests.reference.layers import modules


def by_pytorch(spec: dict[str, Any], start: Mapping[str, Any]) -> Callable[[int], list[float]]:
    """`train(n)` makes n steps from these parameters and returns the loss before each."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    x, t = torch.tensor(spec["data"]["inputs"]), torch.tensor(spec["data"]["targets"])
    layers: list[Any] = []
    for given in spec["model"]["layers"]:
        kept = isinstance(given, str) or "fused" not in given
        layers.append(given if kept else {k: v for k, v in given.items() if k != "fused"})
    model = torch.nn.Sequential(*modules(layers, tuple(x.shape)))
    model.load_state_dict({name: torch.tensor(np.array(v)) for name, v in start.items()})
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[spec["optimizer"]["type"]]
    optimizer = kind(model.parameters(), lr=spec["optimizer"]["lr"])
    function: Callable[..., Any] = torch.nn.functional.mse_loss
    if "cross_entropy" in str(spec["loss"]):
        t, function = t.reshape(-1), torch.nn.functional.cross_entropy

    def train(count: int) -> list[float]:
        losses = []
        for _ in range(count):
            optimizer.zero_grad()
            y = model(x)
            loss = function(y.reshape(-1, y.shape[-1]) if t.ndim == 1 else y, t)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return train
