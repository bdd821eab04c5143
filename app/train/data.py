"""The `data` part of a spec: samples written out, or a data set by name, made from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import mapping, pick, real, whole
from app.engine.types import INT, Array
from app.nn.values import to_array
from app.train.batches import Batches
from app.train.datasets import DATASETS
from app.train.limits import SpecLimits


def parse_data(
    given: Any, *, classes: bool, batch_size: Any, shuffle: Any, seed: int, limits: SpecLimits
) -> Batches:
    """`classes`: the loss compares with class numbers, so whole-number targets stay whole."""
    options = mapping(given, "data")
    validation = real(options.get("validation", 0.0), "data.validation")
    if not 0.0 <= validation < 1.0:
        raise BackstepError(
            f"must be a share from 0 to below 1: {validation!r}", where="data.validation"
        )
    if "dataset" in options:
        inputs, targets = _named(options, seed, limits)
    else:
        inputs, targets = _written(options, limits)
    if len(inputs) != len(targets):
        raise BackstepError(
            f"there must be as many targets as inputs: {len(targets)} and {len(inputs)}",
            where="data.targets",
        )
    if len(inputs) == 0:
        raise BackstepError("there must be at least one sample", where="data.inputs")
    targets = _as_classes(targets) if classes else targets
    if not classes and targets.ndim == 1:
        targets = targets[:, None]
    held = int(round(validation * len(inputs)))
    if held >= len(inputs):
        raise BackstepError("nothing is left to train on", where="data.validation")
    rest = None
    if held:
        order = np.random.default_rng([seed, 2]).permutation(len(inputs))
        rest = inputs[order[:held]], targets[order[:held]]
        kept = np.sort(order[held:])
        inputs, targets = inputs[kept], targets[kept]
    size = len(inputs)
    if batch_size is not None:
        size = min(size, whole(batch_size, "batch_size", low=1))
    if not isinstance(shuffle, bool):
        raise BackstepError(f"must be true or false: {shuffle!r}", where="shuffle")
    return Batches(inputs, targets, size, shuffle, seed, rest)


def _as_classes(targets: Array) -> Array:
    whole_numbers = bool(np.all(np.isfinite(targets) & (targets == np.floor(targets))))
    if targets.ndim == 2 and targets.shape[1] == 1 and whole_numbers:
        targets = targets[:, 0]
    if targets.ndim == 1 and whole_numbers:
        return targets.astype(INT)
    return targets


def _written(options: Mapping[str, Any], limits: SpecLimits) -> tuple[Array, Array]:
    for name in options:
        if name not in ("inputs", "targets", "validation"):
            raise BackstepError(
                f"argument is not known: {name!r}; accepted: inputs, targets, validation, "
                "or dataset with samples, noise, validation",
                where=f"data.{name}",
            )
    arrays = []
    for name in ("inputs", "targets"):
        if not isinstance(options.get(name), list):
            raise BackstepError("must be a list with one entry a sample", where=f"data.{name}")
        if len(options[name]) > limits.data_samples:
            raise LimitError(
                f"at most {limits.data_samples} samples: {len(options[name])}", where=f"data.{name}"
            )
        arrays.append(to_array(options[name], f"data.{name}", limits.array_entries))
    inputs, targets = arrays
    return (inputs[:, None] if inputs.ndim == 1 else inputs), targets


def _named(options: Mapping[str, Any], seed: int, limits: SpecLimits) -> tuple[Array, Array]:
    arguments = {k: v for k, v in options.items() if k not in ("dataset", "validation")}
    data = pick(DATASETS, {"type": options["dataset"], **arguments}, "data", "the data set")
    if data.samples > limits.data_samples:
        raise LimitError(
            f"at most {limits.data_samples} samples: {data.samples}", where="data.samples"
        )
    return data.make(np.random.default_rng([seed, 3]))
