"""Cures: each is a few words and the fields of the spec that apply it, ready to be run as a lane
beside the sick run (POST /api/sweeps).

A cure is offered only if the spec that it makes can be built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import mapping
from app.lab.lanes import merged
from app.render import numbers
from app.train.limits import SpecLimits
from app.train.spec import DEFAULT_OPTIMIZER, parse_spec

Spec = Mapping[str, Any]
Changes = dict[str, Any]

BENDS = "relu leaky_relu elu gelu sigmoid tanh softplus".split()
RELU_CALL = re.compile(r"\brelu\(([^()]*)\)")
ADAM_LR = 0.001  # Kingma & Ba 2015
OPEN = 3.0  # σ(3) = 0.95; Gers et al. 2000 and Jozefowicz et al. 2015: a forget gate starts open


@dataclass(frozen=True)
class Cure:
    """`changes` are a lane's fields; None where the cure is no other spec but a deed. `until` ends
    the training at that iteration.
    """

    name: str
    says: str
    changes: Changes | None
    until: int | None = None


def _layers(spec: Spec) -> list[dict[str, Any]]:
    given = mapping(spec.get("model", {}), "model").get("layers")
    return [dict(mapping(layer, "model.layers")) for layer in given or []]


def _model(spec: Spec, layers: list[dict[str, Any]]) -> Changes | None:
    if "model" not in spec or layers == _layers(spec):
        return None
    return {"model": {**spec["model"], "layers": layers}}


def _standardised(spec: Spec) -> Changes | None:
    data = spec.get("data")
    if not isinstance(data, Mapping) or data.get("standardise"):
        return None
    return {"data": {**data, "standardise": True}}


def _hidden(layers: list[dict[str, Any]], i: int) -> bool:
    """Whether another linear or convolutional layer follows."""
    return any(layer["type"] in ("linear", "conv1d", "conv2d") for layer in layers[i + 1 :])


def _bends(spec: Spec, wrong: tuple[str, ...], right: Changes) -> Changes | None:
    layers = _layers(spec)
    now = [
        dict(right) if layer["type"] in wrong and _hidden(layers, i) else layer
        for i, layer in enumerate(layers)
    ]
    return _model(spec, now)


def _bend(spec: Spec, right: Changes, call: str) -> Changes | None:
    """Another bend for ReLU: in the inner layers, or in a program's text."""
    if "program" not in spec:
        return _bends(spec, ("relu",), right)
    bent = RELU_CALL.sub(call, spec["program"])
    return None if bent == spec["program"] else {"program": bent}


def _relu(spec: Spec) -> Changes | None:
    """The weights are drawn to fit it: each ReLU halves what a deep network passes on."""
    bent = _bends(spec, ("sigmoid", "tanh", "softplus"), {"type": "relu"})
    return None if bent is None else {**bent, "init": {"type": "kaiming_uniform"}}


def _after(spec: Spec, types: tuple[str, ...] | list[str], new: Changes) -> Changes | None:
    layers, found = _layers(spec), []
    for i, layer in enumerate(layers):
        found.append(layer)
        if layer["type"] in types and _hidden(layers, i):
            found.append(dict(new))
    return _model(spec, found)


def _residual(spec: Spec) -> Changes | None:
    """Each inner layer together with its bend is added to what went in, where shapes agree."""
    layers, found, width = _layers(spec), [], None
    i = 0
    while i < len(layers):
        here = layers[i]
        bent = i + 1 < len(layers) and layers[i + 1]["type"] in BENDS
        if here["type"] == "linear" and bent and here.get("out_features") == width:
            found.append({"type": "residual", "layers": [here, layers[i + 1]]})
            i += 2
            continue
        if here["type"] == "linear":
            width = here.get("out_features")
        found.append(here)
        i += 1
    return _model(spec, found)


def _wider(spec: Spec) -> Changes | None:
    """Twice as many units in every inner linear layer; a hidden layer of 16 where there is none."""
    layers = _layers(spec)
    now = [
        {**layer, "out_features": 2 * layer["out_features"]}
        if layer["type"] == "linear" and _hidden(layers, i)
        else {name: value for name, value in layer.items() if name != "in_features"}
        for i, layer in enumerate(layers)
    ]
    if not any(layer["type"] == "linear" and _hidden(layers, i) for i, layer in enumerate(layers)):
        now = [{"type": "linear", "out_features": 16}, {"type": "tanh"}, *now]
    return _model(spec, now)


def _lstm(spec: Spec) -> Changes | None:
    """Every plain recurrent layer becomes an LSTM whose forget gates begin open: at 1/2, where
    zeros would leave them, a cell forgets faster than many an RNN.
    """
    layers, parameters = _layers(spec), {}
    for i, layer in enumerate(layers):
        if layer["type"] != "rnn" or not isinstance(layer.get("hidden_size"), int):
            continue
        dropped = ("type", "nonlinearity", "bias", "fused")
        layers[i] = {"type": "lstm", **{k: v for k, v in layer.items() if k not in dropped}}
        n = layer["hidden_size"]
        for k in range(layer.get("num_layers", 1)):
            parameters[f"{i}.bias_hh_l{k}"] = [0.0] * n + [OPEN] * n + [0.0] * (2 * n)
    changed = _model(spec, layers)
    return None if changed is None else {**changed, "parameters": parameters}


def _optimizer(spec: Spec) -> dict[str, Any]:
    return dict(mapping(spec.get("optimizer") or DEFAULT_OPTIMIZER, "optimizer"))


def _rate(factor: float) -> Callable[[Spec], Changes | None]:
    def change(spec: Spec) -> Changes | None:
        lr = _optimizer(spec).get("lr", DEFAULT_OPTIMIZER["lr"])
        return {"lr": float(f"{lr * factor:.3g}")} if lr else None

    return change


def _adam(spec: Spec) -> Changes | None:
    if _optimizer(spec).get("type") in ("adam", "adamw"):
        return None
    return {"optimizer": {"type": "adam", "lr": 10 * ADAM_LR}}


def _momentum(spec: Spec) -> Changes | None:
    now = _optimizer(spec)
    if now.get("type") != "sgd" or now.get("momentum"):
        return None
    return {"optimizer": {**now, "momentum": 0.9}}


def _loss(name: str, *, drop: bool) -> Callable[[Spec], Changes | None]:
    """Another loss; `drop` leaves out the last layer, which the loss contains."""

    def change(spec: Spec) -> Changes | None:
        model = (_model(spec, _layers(spec)[:-1]) or {}) if drop else {}
        return {"loss": {"type": name}, **model}

    return change


def _open_end(spec: Spec) -> Changes | None:
    return _model(spec, _layers(spec)[:-1])


CURES: dict[str, tuple[str, Callable[[Spec], Changes | None]]] = {
    "clip": (
        "Clip the gradient's norm to 1: its direction stays.",
        lambda spec: {"clip": {"max_norm": 1.0}},
    ),
    "lower_rate": ("Take a tenth of the learning rate.", _rate(0.1)),
    "half_rate": ("Halve the learning rate.", _rate(0.5)),
    "higher_rate": ("Take ten times the learning rate.", _rate(10.0)),
    "momentum": ("Give the steps momentum.", _momentum),
    "adam": ("Use Adam: it gives each weight a step of its own size.", _adam),
    "relu": (
        "Use ReLU in the inner layers, and weights after He: where it is on, its slope is 1.",
        _relu,
    ),
    "leaky_relu": (
        "Use leaky ReLU: below 0 its slope is small, but not 0.",
        lambda spec: _bend(
            spec, {"type": "leaky_relu", "negative_slope": 0.1}, r"leaky_relu(\1, 0.1)"
        ),
    ),
    "elu": (
        "Use ELU, which is smooth and has a slope below 0.",
        lambda spec: _bend(spec, {"type": "elu"}, r"elu(\1)"),
    ),
    "he": (
        "Draw the weights after He: their spread fits ReLU.",
        lambda spec: {"init": {"type": "kaiming_uniform"}},
    ),
    "xavier": (
        "Draw the weights after Xavier (Glorot): their spread fits sigmoid and tanh.",
        lambda spec: {"init": {"type": "xavier_uniform"}},
    ),
    "batch_norm": (
        "Normalise after each inner layer (batch norm).",
        lambda spec: _after(spec, ("linear", "conv1d", "conv2d"), {"type": "batch_norm"}),
    ),
    "lstm": (
        "Use an LSTM, its forget gates open at first: along its cell only they multiply the "
        "gradient.",
        _lstm,
    ),
    "residual": ("Add each inner layer's input to its output (residual).", _residual),
    "normalise_input": (
        "Bring every input feature to mean 0 and spread 1 (standardise).",
        _standardised,
    ),
    "zero_grad": ("Empty the gradients before every backward pass.", lambda s: {"zero_grad": True}),
    "l2": (
        "Penalise large weights (L2).",
        lambda spec: {"regularisation": {"l2": 0.01}},
    ),
    "dropout": (
        "Drop a fifth of the inner activations at random.",
        lambda spec: _after(spec, BENDS, {"type": "dropout", "p": 0.2}),
    ),
    "wider": ("Give the network twice as many inner units.", _wider),
    "bce_with_logits": (
        "Take the scores as they are, and the cross-entropy that contains the sigmoid.",
        _loss("bce_with_logits", drop=False),
    ),
    "cut_sigmoid": (
        "Leave the last sigmoid out and take the cross-entropy that contains it.",
        _loss("bce_with_logits", drop=True),
    ),
    "cut_softmax": (
        "Leave the last softmax out: the cross-entropy contains it.",
        _loss("cross_entropy", drop=True),
    ),
    "open_end": ("Leave the last bend out: the output may then be any number.", _open_end),
}
"""By name: what is done, and the change; None where it makes no sense here."""


def prescribe(
    spec: Spec, names: tuple[str, ...], limits: SpecLimits | None = None
) -> tuple[Cure, ...]:
    """Those of the cures that apply to this spec."""
    found = []
    for name in names:
        says, change = CURES[name]
        try:
            changes = change(spec)
            if changes is None:
                continue
            parse_spec(merged(spec, changes), limits)
        except BackstepError:
            continue
        if "lr" in changes:
            says = f"{says[:-1]}: {numbers.text(changes['lr'])}."
        found.append(Cure(name, says, changes))
    return tuple(found)
