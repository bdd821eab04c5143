"""A lane: a base spec with something changed. A rate, an optimizer, a schedule, a batch size, an
initialisation, another model: whatever the base says of a field, the lane's word counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import mapping, real, whole
from app.render import numbers
from app.train.limits import SpecLimits
from app.train.spec import DEFAULT_OPTIMIZER, Spec, parse_spec

MAX_LANES = 12
FIELDS = (
    "optimizer schedule clip init batch_size shuffle model loss regularisation data zero_grad "
    "accumulate precision parameters seed program"
).split()
"""What a lane may change, beside the rate; as in a spec."""
DRAWN_ANEW = ("init", "model")
"""With another one of these, numbers written out for the former parameters count no more."""


def counted(iterations: Any, most: int, what: str, *, low: int = 1) -> int:
    """How many iterations an experiment shall have; `what` begins the sentence of the limit."""
    count = whole(iterations, "iterations", low=low)
    if count > most:
        raise LimitError(
            f"{what} at most {most:,} iterations: {count:,}",
            where="iterations",
            setting="sweep_iterations",
        )
    return count


@dataclass(frozen=True)
class Wanted:
    """A lane as asked for; `where` is its place in the request."""

    changes: dict[str, Any]
    label: str
    where: str

    def spec(
        self, document: Mapping[str, Any], limits: SpecLimits | None, like: Spec | None = None
    ) -> Spec:
        """The checked spec; what is wrong in the lane's own fields is said to be the lane's."""
        try:
            return parse_spec(merged(document, self.changes), limits, like)
        except BackstepError as error:
            field = (error.where or "").partition(".")[0].partition("[")[0]
            own = field in self.changes or (field == "optimizer" and "lr" in self.changes)
            if own:
                error.where = f"{self.where}.{error.where}"
            raise


def merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The base with the changes put over it field by field; `lr` goes into the optimizer."""
    given = dict(document)
    if any(name in changes for name in DRAWN_ANEW):
        given.pop("parameters", None)
    if "model" in changes:
        given.pop("fused", None)
    given |= {name: value for name, value in changes.items() if name != "lr"}
    if "lr" in changes:
        optimizer = given.get("optimizer", DEFAULT_OPTIMIZER)
        if optimizer is None:
            raise BackstepError("a learning rate needs an optimizer", where="optimizer")
        given["optimizer"] = {**mapping(optimizer, "optimizer"), "lr": changes["lr"]}
    return given


def laned(
    document: Mapping[str, Any], lane: Mapping[str, Any] | None, limits: SpecLimits | None
) -> Spec:
    """The checked spec of one lane; without a lane, of the base."""
    if not lane:
        return parse_spec(dict(document), limits)
    return parse_lane(dict(lane), "lane").spec(document, limits)


def parse_lanes(given: Any, most: int = MAX_LANES) -> list[Wanted]:
    """`[{"lr": 0.1}, {"optimizer": "adam", "label"?: …}, …]`."""
    if not isinstance(given, list) or not given:
        raise BackstepError('must be a list such as [{"lr": 0.01}, {"lr": 0.1}]', where="lanes")
    if len(given) > most:
        raise LimitError(
            f"a sweep may have at most {most} lanes: {len(given)}",
            where="lanes",
            setting="sweep_lanes",
        )
    return [parse_lane(lane, f"lanes[{i}]") for i, lane in enumerate(given)]


def parse_lane(given: Any, where: str) -> Wanted:
    if not isinstance(given, dict) or not set(given) - {"label"}:
        raise BackstepError(
            'must be an object such as {"lr": 0.1} or {"optimizer": {"type": "adam", "lr": 0.01}}',
            where=where,
        )
    for name in given:
        if name not in ("lr", "label", *FIELDS):
            raise BackstepError(
                f"a lane cannot change this: {name!r}; it can: lr, {', '.join(FIELDS)}", where=where
            )
    changes = {name: value for name, value in given.items() if name != "label"}
    if "lr" in changes:
        changes["lr"] = real(changes["lr"], f"{where}.lr")
        if changes["lr"] <= 0:
            raise BackstepError(f"must be above 0: {changes['lr']!r}", where=f"{where}.lr")
    label = given.get("label", _label(changes))
    if not isinstance(label, str) or len(label) > 60:
        raise BackstepError("must be a text of at most 60 characters", where=f"{where}.label")
    return Wanted(changes, label, where)


def _label(changes: Mapping[str, Any]) -> str:
    """What is different, in a few words: "adam · η = 0.01"."""
    return " · ".join(_word(name, value) for name, value in changes.items())[:60]


def _word(name: str, value: Any) -> str:
    if name == "lr":
        return f"η = {numbers.text(value)}"
    if value is None or value is False:
        return f"no {name}"
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        kind, rate = str(value["type"]), value.get("lr")
        known = isinstance(rate, int | float) and not isinstance(rate, bool)
        return f"{kind} η = {numbers.text(float(rate))}" if known and rate is not None else kind
    if isinstance(value, str):
        return "another program" if name == "program" else value
    if isinstance(value, dict) and name == "data" and value.get("standardise") is True:
        return "standardised data"
    if isinstance(value, dict) and name in ("clip", "regularisation"):
        return f"{name} {', '.join(f'{k} {v}' for k, v in value.items())}"
    return f"{name} {value}" if isinstance(value, int | float) else f"another {name}"


def kindred(document: Mapping[str, Any]) -> str:
    """Equal for lanes whose losses measure the same thing and may be compared."""
    told = [document.get(name) for name in ("loss", "regularisation", "program", "data")]
    if isinstance(told[-1], Mapping):  # what is done to inputs leaves the targets as they are
        told[-1] = {k: v for k, v in told[-1].items() if k not in ("standardise", "augment")}
    return json.dumps(told, sort_keys=True, default=str)
