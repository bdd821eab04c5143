"""One person's run: a spec, the log of changes made by hand, a position and a revision.

Everything here computes or answers at once and knows neither threads nor files; the desk decides
where it runs. Two locks belong to a session: `turn` is held by whoever changes it, `engine` by
whoever uses its run.
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from app import __version__
from app.engine.errors import BackstepError, LimitError
from app.engine.fields import nearest
from app.engine.graph import PARAMETER, Node
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array
from app.lab.until import best
from app.render.arrays import nested, plain
from app.sessions.actions import (
    Change,
    Configure,
    Restore,
    SetValue,
    read_change,
    setting_from,
    value_from,
)
from app.sessions.errors import NotFoundError, over
from app.sessions.moment import START, Moment, settled
from app.sessions.store import Record
from app.settings import Limits
from app.train.iteration import FED
from app.train.limits import SpecLimits
from app.train.refined import run_of
from app.train.run import Progress, Run
from app.train.spec import parse_spec

DEEPEST = 60  # lists and objects inside each other in a spec
SLOPE = 1e-4  # share of a change by which a leaf without a gradient is moved to feel the slope


def spec_limits(limits: Limits) -> SpecLimits:
    return SpecLimits(
        graph_nodes=limits.graph_nodes,
        array_entries=limits.array_entries,
        graph_entries=limits.graph_entries,
        data_samples=limits.data_samples,
        program_characters=limits.program_characters,
        program_depth=limits.program_depth,
    )


class Session:
    def __init__(self, record: Record, limits: Limits, former: Run | None = None) -> None:
        """Also how a stored session comes back: same spec, same changes, same numbers. `former` is
        a run of the same numbers, to be shown in another form.
        """
        self.id, self.title, self.lesson = record.id, record.title, record.lesson
        self.document: bytes = record.spec
        self.limits = limits
        spec = parse_spec(orjson.loads(record.spec), spec_limits(limits))
        self.title = self.title or spec.title
        self.run = run_of(spec, former)
        self.changes: list[Change] = []
        self._plans: dict[object, list[str]] = {}
        self._digests: list[tuple[int, bytes]] = [(0, _digest(b"", record.spec))]
        for number, stored in enumerate(record.changes):
            self.apply(read_change(stored, f"changes[{number}]"))
        self.position, self.seen = record.position, record.seen
        self.revision, self.touched = record.revision, record.touched
        self.turn, self.engine = asyncio.Lock(), asyncio.Lock()
        self.stopped = False  # asks the training under way to end
        self.called_off = 0  # how often landscapes under way were asked to end
        self.shown: dict[str, Any] | None = None  # its face at the last revision

    def become(self, other: Session) -> None:
        """Go on as that one: its spec, its run, its changes, its place; at the next revision."""
        self.document, self.run, self.changes = other.document, other.run, other.changes
        self._plans, self._digests = other._plans, other._digests
        self.position, self.seen = other.position, other.seen
        self.revision += 1

    # --- what an iteration looks like ----------------------------------------------------------

    @property
    def batches(self) -> int:
        """Iterations in an epoch."""
        return self.run.problem.position(0)["batches"]

    def shape_of(self, iteration: int) -> tuple[object, ...]:
        """Iterations of the same shape have the same graph and plan."""
        settings, batches = self.run.settings(iteration), self.run.problem.batches
        size = batches.size(iteration) if batches else 0
        look = size, repr(settings.regularisation)
        return look, settings.zero_grad, repr(settings.clip)

    def phases(self, iteration: int) -> list[str]:
        shape = self.shape_of(iteration)
        if shape not in self._plans:
            self._plans[shape] = [step.phase for step in self.run.plan(iteration)]
        return self._plans[shape]

    def of(self, iteration: int) -> int:
        return len(self.phases(iteration))

    def find(self, name: str, iteration: int) -> Node:
        graph = self.run.graph(iteration)
        if name not in graph.nodes:
            names = ", ".join(graph.nodes)
            raise NotFoundError(
                f"there is no node of that name: {name[:80]!r}; there are {names}"[:600],
                where="node",
            )
        return graph[name]

    @property
    def identity(self) -> bytes:
        """The same for all sessions of one spec."""
        return self._digests[0][1]

    def key(self, iteration: int) -> tuple[bytes, int]:
        """The same for all sessions that had the same spec and the same changes up to this
        iteration.
        """
        digest = next(d for i, d in reversed(self._digests) if i <= iteration)
        return digest, iteration

    # --- what clients see -----------------------------------------------------------------------

    def face(self, loss: float | str | None) -> dict[str, Any]:
        i, step = self.position
        settings = self.run.settings(i)
        lr_now = self.run.lr(i)
        return {
            "id": self.id,
            "revision": self.revision,
            "position": {"iteration": i, "step": step, "of": self.of(i)},
            "counters": {"step": step, "iteration": i, **self.run.problem.position(i)},
            "loss": loss,
            "settings": {
                "lr": settings.lr,
                "lr_now": None if lr_now is None else plain(lr_now),
                "zero_grad": settings.zero_grad,
                "clip": settings.clip,
                "regularisation": settings.regularisation,
            },
            "seen": self.seen._asdict(),
        }

    @property
    def log(self) -> list[dict[str, Any]]:
        return [change.stored for change in self.changes]

    def record(self) -> Record:
        return Record(
            self.id,
            self.document,
            self.title,
            self.lesson,
            self.position,
            self.seen,
            self.revision,
            self.touched,
            self.log,
        )

    def record_of_move(self) -> Record:
        """What a move has changed, without the log."""
        return Record(
            self.id,
            b"",
            position=self.position,
            seen=self.seen,
            revision=self.revision,
            touched=self.touched,
        )

    # --- work with the run ----------------------------------------------------------------------

    def reach(self, iteration: int, progress: Progress | None = None) -> int:
        """Compute up to the start of that iteration, unless it has been done; where this ended."""
        if len(self.run.history) >= iteration:
            return iteration
        return self.run.train(iteration, progress)

    def best(self, at: Moment) -> dict[str, Any] | None:
        """Which of the weights up to there had the least validation loss."""
        found = best(self.run, at.iteration)
        return None if found is None else vars(found)

    def history(
        self, start: int = 0, stop: int | None = None, most: int | None = None
    ) -> dict[str, list[Any]]:
        """One entry for each iteration that has been seen whole; of many the telling ones."""
        end = self.seen.iteration if stop is None else min(stop, self.seen.iteration)
        self.reach(end)
        table = self.run.history.table(start, end, most)
        for name in ("train_loss", "lr", "grad_norm", "validation_loss"):
            column = table[name]
            if not np.isfinite([0.0 if x is None else x for x in column]).all():
                table[name] = [None if x is None else plain(x) for x in column]
        return table

    # --- changes --------------------------------------------------------------------------------

    def value_change(self, node: str, value: Any) -> SetValue:
        """The change that sets a leaf at the current position; everything wrong with it is said
        here.
        """
        iteration = value_from(self.run, node, self.position, self.of)
        change = SetValue(iteration, node, value)
        if self.run.spec.method.accumulate > 1 and self.find(node, iteration).kind in FED:
            raise BackstepError(
                f"{node} comes in {self.run.spec.method.accumulate} parts here (accumulate), "
                "so it cannot be set by hand; parameters can",
                where=node,
            )
        array = change.array(self.run.graph(iteration), self.limits.array_entries)
        self._room(change)
        return SetValue(iteration, node, nested(array))

    def check_validation(self) -> None:
        """Refuse to look for the best weights where nothing is held back to judge them."""
        batches = self.run.problem.batches
        if batches is None or batches.validation is None:
            raise BackstepError(
                "nothing is held back to tell which weights are best; give the spec's data "
                '"validation": 0.2',
                where="restore_best",
            )

    def restore_change(self, source: int | None) -> Restore:
        """The change that takes up the weights of a former iteration again; None: the best ones."""
        iteration = value_from(self.run, None, self.position, self.of)
        if source is None:
            self.reach(self.seen.iteration)
            found = best(self.run, self.seen.iteration)
            if found is None:
                raise BackstepError(
                    "no validation loss has been measured yet, so none is the best; give the "
                    'iteration, or hold samples back (data: {"validation": 0.2}) and train',
                    where="iteration",
                )
            source = found.iteration
        change = Restore(iteration, source)
        if not source < iteration:
            raise BackstepError(
                f"only weights from before iteration {iteration} can be taken up again: {source}",
                where="iteration",
            )
        self._room(change)
        return change

    def setting_changes(self, settings: dict[str, Any]) -> list[Configure]:
        """One change for each iteration from which some settings count, the earliest first."""
        Configure(0, settings).check(self.run)
        by_iteration: dict[int, dict[str, Any]] = {}
        for name, value in settings.items():
            iteration = setting_from(self.run, name, self.position, self.of)
            by_iteration.setdefault(iteration, {})[name] = value
        found = [Configure(i, part) for i, part in sorted(by_iteration.items())]
        for change in found:
            self._room(change)
        return found

    def _room(self, change: Change) -> None:
        allowed = self.limits.changes_per_session
        if len(self._log_with(change)) > allowed:
            raise LimitError(over("changes_per_session", allowed, allowed + 1), where="changes")

    def _log_with(self, change: Change) -> list[Change]:
        """The log with one more: later ones are dropped, the same one is replaced."""
        log = [known for known in self.changes if known.iteration <= change.iteration]
        for number, known in reversed(list(enumerate(log))):
            if isinstance(known, Restore) and known.iteration == change.iteration:
                break  # what was set before it is gone
            if change.same_place(known):
                log[number] = change.merged(known)
                return log
        return [*log, change]

    def apply(self, change: Change) -> int:
        """Put a change into the run and the log; how many of the log's entries stayed."""
        change.apply(self.run)
        return self.note(change)

    def note(self, change: Change) -> int:
        """Put a change that the run knows into the log."""
        log = self._log_with(change)
        kept = 0
        while kept < min(len(log), len(self.changes)) and log[kept] is self.changes[kept]:
            kept += 1
        self.changes = log
        digests = self._digests[:1]
        for known in log:
            last = digests[-1][1]
            digests.append((known.iteration, _digest(last, _dumps(known.stored, "changes"))))
        self._digests = digests  # at once: others may be reading
        return kept

    def settle(self, iteration: int) -> None:
        """After a change that counts from this iteration on: what came later has not been seen."""
        self.position = settled(self.position, self.of)
        self.seen = min(self.seen, max(self.position, Moment(iteration, 0)))

    def arrive(self, target: Moment) -> None:
        self.position = target
        self.seen = max(self.seen, settled(target, self.of))

    def effect(self, change: SetValue) -> dict[str, Any]:
        """What the change will do to the loss, and what the slope says it would do."""
        i, name = change.iteration, change.node
        self.reach(i)
        graph = self.run.graph(i)
        after, before = change.array(graph).astype(float), self.leaf(i, name).astype(float)
        loss, now = self.run.loss(i), self.run.loss(i, {name: change.array(graph)})
        with np.errstate(all="ignore"):
            delta = after - before
            grad = self._grad(i, name)
            if grad is not None:
                moved = delta != 0  # an infinite slope says nothing about what did not move
                predicted = float(np.sum(grad[moved] * delta[moved]))
            elif graph[name].dtype.kind == "f":
                coarse = self.run.spec.method.precision is not None
                share = 1.0 if coarse else SLOPE  # float16 does not feel a small push
                ends = [self.run.loss(i, {name: before + s * share * delta}) for s in (1, -1)]
                predicted = (ends[0] - ends[1]) / (2 * share)
            else:
                predicted = float("nan")
            actual = now - loss
        return {
            "node": name,
            "before": plain(loss),
            "after": plain(now),
            "predicted": plain(predicted),
            "actual": plain(actual),
        }

    def leaf(self, iteration: int, name: str) -> Array:
        """What the iteration computes with."""
        if self.run.graph(iteration)[name].kind in FED:
            return self.run.problem.feed(iteration)[name]
        return self.run.slots(iteration, 0)[name, VALUE]

    def _grad(self, iteration: int, name: str) -> Array | None:
        """The gradient as the plan leaves it to clipping and update, without what was kept from
        iterations before; None where the plan computes none, or another one than the loss's.
        """
        there = self.run.stepper(iteration)
        there.seek(0)
        slots = {slot: value for slot, value in there.slots.items() if slot[1] != GRAD}
        plan = there.plan
        stepper = Stepper(plan, slots, there.feed, there.scalars)
        ends = (k for k, step in enumerate(plan) if step.phase in ("clip", "update"))
        stepper.seek(next(ends, len(plan)))
        grad = stepper.slots.get((name, GRAD))
        scaled = self.run.spec.method.scaler is not None
        if scaled and self.run.graph(iteration)[name].kind != PARAMETER:
            return None  # only parameters' gradients are scaled back
        return None if grad is None else grad.astype(float)


def new_record(id: str, spec: dict[str, Any], *, lesson: str | None, title: str) -> Record:
    return Record(id, _dumps(worded(spec), "spec"), title, lesson, START, START)


def _dumps(value: Any, where: str) -> bytes:
    """JSON for the store and for telling sessions apart."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise BackstepError(f"cannot be kept: {str(error)[:80]}", where=where) from None


def worded(value: Any, depth: int = DEEPEST) -> Any:
    """JSON in which numbers that are not finite are words, and whole ones of more than 64 bits are
    rounded: JSON has no other way.
    """
    if depth < 0:
        raise LimitError(f"may be nested at most {DEEPEST} deep", where="spec")
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, int) and value.bit_length() > 63:
        return plain(nearest(value))
    if isinstance(value, dict):
        return {str(name): worded(part, depth - 1) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [worded(part, depth - 1) for part in value]
    return value


def _digest(former: bytes, more: bytes) -> bytes:
    return blake2b(former + more, digest_size=16, key=__version__.encode()).digest()
