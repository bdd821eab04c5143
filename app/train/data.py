"""The `data` part of a spec: samples written out, or a data set by name, made from a seed; and what
is done to them before training: a part is held back, inputs are standardised, one batch is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import choose, mapping, pick, real, whole
from app.engine.types import INT, Array
from app.nn.values import to_array
from app.train.augment import parse_augment
from app.train.batches import Batches
from app.train.datasets import DATASETS, Dataset
from app.train.limits import SpecLimits
from app.train.scaling import Scaling

OPTIONS = ("validation", "standardise", "augment", "overfit_one_batch", "seed")
WRITTEN = ("inputs", "targets", "columns", "classes")
LONGEST_NAME = 200


def parse_data(
    given: Any, *, classes: bool, batch_size: Any, shuffle: Any, seed: int, limits: SpecLimits
) -> Batches:
    """`classes`: the loss compares with class numbers, so whole-number targets stay whole.

    With a seed of their own, data and split stay while the spec's seed draws other weights.
    """
    options = mapping(given, "data", '{"dataset": "moons"}')
    validation = real(options.get("validation", 0.0), "data.validation")
    if not 0.0 <= validation < 1.0:
        raise BackstepError(
            f"must be a share from 0 to below 1: {validation!r}", where="data.validation"
        )
    drawn = whole(options.get("seed", seed), "data.seed", low=0, high=2**32 - 1)
    if "dataset" in options:
        inputs, targets = _named(options, drawn, limits)
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
        order = np.random.default_rng([drawn, 2]).permutation(len(inputs))
        rest = inputs[order[:held]], targets[order[:held]]
        kept = np.sort(order[held:])
        inputs, targets = inputs[kept], targets[kept]
    scaling = None
    if _flag(options, "standardise"):
        scaling = Scaling.measured(inputs)
        inputs = scaling.apply(inputs)
        rest = rest and (scaling.apply(rest[0]), rest[1])
    size = len(inputs)
    if batch_size is not None:
        size = min(size, whole(batch_size, "batch_size", low=1))
    if not isinstance(shuffle, bool):
        raise BackstepError(f"must be true or false: {shuffle!r}", where="shuffle")
    augment = parse_augment(options.get("augment"))
    batches = Batches(inputs, targets, size, shuffle, seed, rest, scaling, augment)
    return _first(batches) if _flag(options, "overfit_one_batch") else batches


def _flag(options: Mapping[str, Any], name: str) -> bool:
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise BackstepError(f"must be true or false: {value!r}", where=f"data.{name}")
    return value


def _first(batches: Batches) -> Batches:
    """The samples of the first batch and no others, always the same as they are: a network that
    cannot learn them by heart has a mistake in it.
    """
    rows = np.sort(batches.rows(0))
    inputs, targets = batches.inputs[rows], batches.targets[rows]
    return replace(batches, inputs=inputs, targets=targets, shuffle=False, augment=None)


def _as_classes(targets: Array) -> Array:
    whole_numbers = bool(np.all(np.isfinite(targets) & (targets == np.floor(targets))))
    if targets.ndim == 2 and targets.shape[1] == 1 and whole_numbers:
        targets = targets[:, 0]
    if targets.ndim == 1 and whole_numbers:
        return targets.astype(INT)
    return targets


def _written(options: Mapping[str, Any], limits: SpecLimits) -> tuple[Array, Array]:
    for name in options:
        if name not in (*WRITTEN, *OPTIONS):
            raise BackstepError(
                f"argument is not known: {name!r}; accepted: {', '.join((*WRITTEN, *OPTIONS))}, "
                "or dataset with samples, noise and what GET /api/datasets names",
                where=f"data.{name}",
            )
    arrays = []
    for name in ("inputs", "targets"):
        if not isinstance(options.get(name), list):
            raise BackstepError("must be a list with one entry a sample", where=f"data.{name}")
        if len(options[name]) > limits.data_samples:
            raise LimitError(
                f"at most {limits.data_samples} samples: {len(options[name])}",
                where=f"data.{name}",
                setting="data_samples",
            )
        arrays.append(to_array(options[name], f"data.{name}", limits.array_entries))
    inputs, targets = arrays
    inputs = inputs[:, None] if inputs.ndim == 1 else inputs
    _names(options, "columns", inputs.shape[-1])
    _names(options, "classes", None)
    return inputs, targets


def _names(options: Mapping[str, Any], field: str, count: int | None) -> None:
    """What columns or classes are called changes no number; pages show it."""
    names = options.get(field)
    if names is None:
        return
    if not isinstance(names, list) or not all(
        isinstance(name, str) and len(name) <= LONGEST_NAME for name in names
    ):
        raise BackstepError("must be a list of names", where=f"data.{field}")
    if count is not None and len(names) != count:
        raise BackstepError(
            f"there must be a name for each of the {count} columns: {len(names)}",
            where=f"data.{field}",
        )


def dataset(options: Mapping[str, Any], limits: SpecLimits) -> Dataset:
    """The data set that `{"dataset": name, …}` means."""
    arguments = {k: v for k, v in options.items() if k not in ("dataset", *OPTIONS)}
    choose(DATASETS, options["dataset"], "data.dataset", "the data set")
    data = pick(DATASETS, {"type": options["dataset"], **arguments}, "data", "the data set")
    if data.samples > limits.data_samples:
        raise LimitError(
            f"at most {limits.data_samples} samples: {data.samples}",
            where="data.samples",
            setting="data_samples",
        )
    entries = data.samples * int(np.prod(data.shape))
    if entries > limits.array_entries:
        raise LimitError(
            f"{data.samples} samples of shape {list(data.shape)} are {entries} numbers, "
            f"at most {limits.array_entries} are allowed in one array",
            where="data.samples",
            setting="array_entries",
        )
    return data


def _named(options: Mapping[str, Any], seed: int, limits: SpecLimits) -> tuple[Array, Array]:
    return dataset(options, limits).make(np.random.default_rng([seed, 3]))
