"""Makes tests/data/optimizers.json: optimizers, schedules and clipping as PyTorch computes them.

Run by hand, in an environment of its own outside this repository, when tests/train/cases.py
changes:

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0 numpy
    /tmp/torch/bin/python -m tests.reference.optimizers

What PyTorch has no name for (the guides' momentum, the way up of a warm-up) is written out here.
The PyTorch lines that Backstep shows are run on the way, and so are tested as well.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from app.engine.fields import pick
from app.train.clipping import parse_clip
from app.train.optimizers import OPTIMIZERS
from tests.train import cases

OUT = Path(__file__).parents[1] / "data" / "optimizers.json"
NAMES = {"sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adam": "Adam", "adamw": "AdamW"}
MODEL = torch.nn.Linear(2, 1)
BASE, LENGTH = 0.1, 30


class GuidesMomentum(torch.optim.Optimizer):
    """velocity = 0.9 * velocity - learning_rate * gradient; weights = weights + velocity"""

    def __init__(self, parameters: Any, lr: float, momentum: float = 0.9) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                former = self.state[p].get("velocity", torch.zeros_like(p))
                velocity = group["momentum"] * former - group["lr"] * p.grad
                self.state[p]["velocity"] = velocity
                p += velocity


def optimizer_case(spec: dict[str, Any]) -> dict[str, Any]:
    arguments = {name: value for name, value in spec.items() if name != "type"}
    if "betas" in arguments:
        arguments["betas"] = tuple(arguments["betas"])
    tensors = {
        name: torch.tensor(value, requires_grad=True) for name, value in cases.start().items()
    }
    make = (
        GuidesMomentum if spec["type"] == "momentum" else getattr(torch.optim, NAMES[spec["type"]])
    )
    optimizer = make(list(tensors.values()), **arguments)
    if spec["type"] != "momentum":
        shown = eval(pick(OPTIMIZERS, spec, "", "").pytorch, {"torch": torch, "model": MODEL})
        assert shown.defaults == optimizer.defaults, spec
    base = optimizer.param_groups[0]["lr"]
    noted = {}
    for t in range(cases.STEPS):
        now = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
        for name, grad in cases.gradients(t, now).items():
            tensors[name].grad = torch.tensor(grad)
        optimizer.param_groups[0]["lr"] = cases.rate(t, base)
        optimizer.step()
        if t + 1 in cases.NOTED:
            noted[str(t + 1)] = {
                name: {"value": tensor.tolist()}
                | {
                    slot: content.tolist()
                    for slot, content in optimizer.state[tensor].items()
                    if slot != "step" and content is not None
                }
                for name, tensor in tensors.items()
            }
    return {"optimizer": spec, "lr": base, "after": noted}


def schedule_case(spec: dict[str, Any]) -> dict[str, Any]:
    arguments = {name: value for name, value in spec.items() if name != "type"}
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    s = torch.optim.lr_scheduler
    scheduler: Any
    if spec["type"] == "warmup":
        steps = arguments["warmup_steps"]
        scheduler = s.LambdaLR(optimizer, lambda t: min(1.0, (t + 1) / steps))
    elif spec["type"] == "constant":
        scheduler = s.LambdaLR(optimizer, lambda t: 1.0)
    else:
        names = {"step": "StepLR", "exponential": "ExponentialLR", "cosine": "CosineAnnealingLR"}
        scheduler = getattr(s, names[spec["type"]])(optimizer, **arguments)
    rates = []
    for t in range(LENGTH):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if spec["type"] != "cosine" or t < arguments["T_max"]:  # PyTorch's would come up again
            scheduler.step()
    return {"schedule": spec, "base": BASE, "lr": rates}


def clip_case(spec: dict[str, Any], name: str) -> dict[str, Any]:
    tensors = []
    for grad in cases.GRADIENTS[name].values():
        tensors.append(torch.zeros(np.shape(grad), dtype=torch.float64, requires_grad=True))
        tensors[-1].grad = torch.tensor(grad, dtype=torch.float64)
    before = torch.linalg.vector_norm(torch.cat([t.grad.flatten() for t in tensors]))
    clip = parse_clip(spec)
    assert clip
    eval(clip.pytorch, {"nn": torch.nn, "model": SimpleNamespace(parameters=lambda: tensors)})
    after = {n: t.grad.tolist() for n, t in zip(cases.GRADIENTS[name], tensors, strict=True)}
    return {"clip": spec, "gradients": name, "norm": before.item(), "after": after}


def plain(value: Any) -> Any:
    """JSON knows no NaN and no infinity."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def main() -> None:
    rows = {
        "optimizers": [optimizer_case(spec) for spec in cases.OPTIMIZERS],
        "schedules": [schedule_case(spec) for spec in cases.SCHEDULES],
        "clips": [clip_case(spec, name) for spec in cases.CLIPS for name in cases.GRADIENTS],
    }
    told = {"made_by": "tests/reference/optimizers.py", "torch": torch.__version__.split("+")[0]}
    lists = [
        f'"{name}": [\n' + ",\n".join(json.dumps(plain(row)) for row in found) + "\n]"
        for name, found in rows.items()
    ]
    OUT.write_text(f"{json.dumps(told)[:-1]}, {', '.join(lists)}}}\n")
    print(f"{OUT.name}: {', '.join(f'{len(found)} {name}' for name, found in rows.items())}")


if __name__ == "__main__":
    main()
