"""A session's run with every number as a node of its own, and back. A step of the scalar plan
belongs to the tensor for which its node was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from app.engine.errors import BackstepError
from app.engine.scalar import Exploded
from app.render.arrays import nested
from app.sessions.actions import Change, SetValue
from app.sessions.form import Form
from app.sessions.session import Session
from app.train.plans.method import parse_method
from app.train.plans.rewritten import Scalars


def apart(session: Session) -> bool:
    """Whether every number is a node."""
    return isinstance(session.run.problem, Scalars)


def exploded(session: Session, iteration: int) -> Exploded:
    """The map between tensors and scalar nodes; of a session of tensors what it would be."""
    problem = session.run.problem
    if not isinstance(problem, Scalars):
        whole = session.run.problem_of(iteration, False)
        problem = Scalars(whole, session.limits.graph_nodes)
    return problem.exploded(iteration)


def scalars_view(session: Session, iteration: int) -> dict[str, Any]:
    """Which scalar node holds which entry; where that cannot be had, why."""
    told = {"scalars": apart(session), "limit": session.limits.graph_nodes}
    try:
        parse_method(orjson.loads(Numbers().document(session, True)))
        return {**told, "why": None, **exploded(session, iteration).view()}
    except BackstepError as error:
        return {**told, "why": error.message, "nodes": None, "tensors": None}


class Numbers(Form):
    name = "scalars"

    def holds(self, session: Session) -> bool:
        return apart(session)

    def document(self, session: Session, on: bool) -> bytes:
        spec = orjson.loads(session.document)
        spec.pop("scalars", None)
        if on:
            spec["scalars"] = True
        return orjson.dumps(spec)

    def log(self, old: Session, new: Session) -> Iterable[Change]:
        for group in _grouped(old, new):
            yield from group

    def owners(self, old: Session, new: Session, iteration: int) -> Mapping[str, str]:
        return exploded(old if apart(old) else new, iteration).owners

    def node(self, old: Session, new: Session, name: str) -> str | None:
        """The tensor that a scalar belongs to, or a tensor's first number."""
        there = exploded(old if apart(old) else new, old.position.iteration)
        if apart(old):
            return there.owners.get(name)
        return next(iter(there.places.get(name, {}).values()), None)


# --- what was done by hand ------------------------------------------------------------------------


def _grouped(old: Session, new: Session) -> Iterable[list[Change]]:
    waiting: list[SetValue] = []
    for change in old.changes:
        if isinstance(change, SetValue) and apart(old):
            waiting.append(change)
            continue
        yield from _whole(old, new, waiting)
        waiting = []
        yield _entries(new, change) if isinstance(change, SetValue) else [change]
    yield from _whole(old, new, waiting)


def _entries(new: Session, change: SetValue) -> list[Change]:
    """A tensor's new value as one change for each of its numbers."""
    there = exploded(new, change.iteration)
    if change.node in there.onehot:
        raise BackstepError(
            f"{change.node} holds class numbers that were changed by hand, and classes cannot be "
            "changed number by number",
            where="scalars",
        )
    array = np.asarray(_numbers(change.value), float).reshape(there.shapes[change.node])
    return [
        SetValue(change.iteration, scalar, nested(array[index]))
        for index, scalar in there.places[change.node].items()
    ]


def _whole(old: Session, new: Session, changes: Sequence[SetValue]) -> Iterable[list[Change]]:
    """Numbers that were changed, put into the tensors that hold them."""
    by_place: dict[tuple[int, str], list[SetValue]] = {}
    for change in changes:
        owner = exploded(old, change.iteration).owners[change.node]
        by_place.setdefault((change.iteration, owner), []).append(change)
    for (iteration, tensor), own in by_place.items():
        places = exploded(old, iteration).places[tensor]
        index_of = {scalar: index for index, scalar in places.items()}
        array = new.leaf(iteration, tensor).astype(float).copy()
        for change in own:
            array[index_of[change.node]] = np.asarray(_numbers(change.value), float).reshape(())
        yield [SetValue(iteration, tensor, nested(array))]


def _numbers(value: Any) -> Any:
    """The words for numbers that are not finite are numbers again."""
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return float(value) if isinstance(value, str) else value
