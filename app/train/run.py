"""A run: a pure function of a spec and a list of changes, of which any (iteration, step) can be
reached again exactly.

Iterations are replayed at full speed from spaced snapshots; the iteration that is looked at is
stepped, so that every write and contribution of it is there. The work of a seek and the memory of a
run are bounded, however long it is.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import BUFFER, CONSTANT, PARAMETER, Graph
from app.engine.replay import Rows, fill, taken
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array, Slot
from app.train.edits import Edits, Entries
from app.train.evaluation import Evaluation
from app.train.history import History
from app.train.iteration import FED
from app.train.iterations import Iterations
from app.train.measure import batch_loss, samples_loss
from app.train.plans.accumulation import loss_of
from app.train.plans.fusing import in_form
from app.train.plans.rewritten import unchanged
from app.train.problem import ModelProblem, check_choices
from app.train.snapshots import Slots, Snapshots
from app.train.spec import Spec
from app.train.trainer import Program, Trainer

CHUNK_SECONDS = 0.005  # about so long between two looks at progress and cancel
FIRST_CHUNK = 16
KEPT_STEPPERS = 4

Progress = Callable[[int], bool]
"""Called with the number of iterations done; False stops the training there."""


class Run(Iterations):
    """See the module's text. Not thread-safe: a session holds a lock while it uses its run."""

    def __init__(self, spec: Spec, trainer: Trainer | None = None) -> None:
        """`trainer` is that of a former run, to be taken over if it `fits` this one."""
        super().__init__(spec)
        self.history = History()
        self._edits = Edits()
        self.restored: dict[int, int] = {}
        """From which iteration on the weights of which former one are taken up again."""
        self._snapshots = Snapshots(spec.limits.snapshot_bytes)
        self._steppers: OrderedDict[int, Stepper] = OrderedDict()
        fits = trainer is not None and trainer.fits(self.graph(0), spec.optimizer)
        self.trainer = trainer if fits else None
        self._chunk = FIRST_CHUNK  # iterations between two looks at progress and cancel

    def under(self, spec: Spec) -> Run:
        """All that has been computed, under a spec that says the same of it; it is then told of
        this run no more.
        """
        fused, whole = spec.method.fused, unchanged(self.problem)
        if fused is None or self.spec.method.fused is not None:
            return self
        if in_form(whole, True) is in_form(whole, None):
            return self
        other = copy(self)
        other.spec = replace(spec, problem=self.spec.problem)
        other.trainer, other._steppers = None, OrderedDict()
        other.history.cut(fused.since)
        other._snapshots.forget(fused.since + 1)
        return other

    # --- time travel ----------------------------------------------------------------------------

    def stepper(self, iteration: int) -> Stepper:
        """The stepper of that iteration, wherever it stands; seek it to where it is needed."""
        if iteration in self._steppers:
            self._steppers.move_to_end(iteration)
            return self._steppers[iteration]
        stepper = self._stepper(iteration, self._start(iteration))
        self._steppers[iteration] = stepper
        while len(self._steppers) > KEPT_STEPPERS:
            self._steppers.popitem(last=False)
        return stepper

    def slots(self, iteration: int, step: int) -> Slots:
        """Every slot after `step` steps of that iteration."""
        stepper = self.stepper(iteration)
        stepper.seek(step)
        return stepper.slots

    def _stepper(self, iteration: int, slots: Slots) -> Stepper:
        return Stepper(
            self.plan(iteration),
            slots,
            self.problem.feed(iteration),
            self.scalars(iteration, self.lr(iteration), slots),
        )

    def _former(self, iteration: int) -> Stepper:
        """The iteration before, wherever in it somebody has looked."""
        known = self._steppers.get(iteration - 1)
        return known or self._stepper(iteration - 1, self._core(iteration - 1))

    def _start(self, iteration: int) -> Slots:
        """All slots at the start of an iteration, with what the one before left in them."""
        if iteration == 0:
            return self._core(0)
        before = self._former(iteration)
        self._finish(iteration - 1, before)
        return self._edited(iteration, dict(before.slots))

    def _finish(self, iteration: int, stepper: Stepper) -> None:
        """Step to the end, and note the iteration in the history when it is the next one."""
        ends = [i for i, s in enumerate(stepper.plan) if s.phase in ("clip", "update")]
        stepper.seek(ends[0] if ends else len(stepper.plan))
        if len(self.history) == iteration:
            graph = self.graph(iteration)
            found = [stepper.slots.get((n.name, GRAD)) for n in graph.kind(PARAMETER)]
            grads = [g.reshape(-1) for g in found if g is not None]
            flat = np.concatenate(grads) if grads else np.zeros(0)
            loss = self._loss_at_end(stepper.slots, graph)
            with np.errstate(all="ignore"):
                square = float(np.dot(flat, flat))
            self.history.add([loss], [square], [self.lr(iteration)])
        stepper.seek(len(stepper.plan))
        self._validate(iteration, stepper.slots)

    def _loss_at_end(self, slots: Slots, graph: Graph) -> float:
        """Of the whole batch; a walk that an error stopped before the loss has none."""
        return float(loss_of(slots, graph)) if (graph.output, VALUE) in slots else math.nan

    def _edited(self, iteration: int, slots: Slots) -> Slots:
        """With what was changed by hand: weights taken up again first, single values over them."""
        if iteration in self.restored:
            former = self._core(self.restored[iteration])
            for node in self.graph(iteration).kind(PARAMETER, BUFFER):
                slots[node.name, VALUE] = former[node.name, VALUE]
        slots |= self._edits.over(iteration, slots)
        if iteration and self._problem(iteration) is not self._problem(iteration - 1):
            problem = self._problem(iteration)
            fresh = problem.initial()
            for node in problem.graph(iteration).kind(CONSTANT):  # the penalties' own numbers
                slots[node.name, VALUE] = fresh[node.name]
        return slots

    def carried(self, iteration: int) -> Slots:
        """What an iteration starts from, without a stepper: cheap where training has just ended."""
        return self._core(iteration)

    def _core(self, iteration: int) -> Slots:
        """What an iteration starts from: parameters, optimizer state, kept gradients."""
        known = self._snapshots.nearest(iteration)
        if known is None:
            known = 0, self._edited(0, self.initial())
            self._snapshots.keep(0, known[1])
        base, slots = known
        slots, _ = self._advance(slots, base, iteration)
        self._remember(iteration, slots)
        return dict(slots)

    def _remember(self, iteration: int, slots: Slots) -> None:
        """Whoever was here will look around here: the next step need not replay from afar."""
        self._snapshots.latest(iteration, self._kept(iteration, slots))

    # --- full speed -----------------------------------------------------------------------------

    def train(self, stop: int, progress: Progress | None = None) -> int:
        """Run up to the start of iteration `stop`, noting the history; returns where it ended."""
        done = max(len(self.history), self._snapshots.spaced(stop))
        if stop <= len(self.history):
            return stop
        slots = self._core(done)
        for goal in (stop - 1, stop):  # whoever comes to stop will look at what led there
            if done < goal:
                slots, done = self._advance(slots, done, goal, progress)
                self._remember(done, slots)
            if done < goal:
                break
        return done

    def _advance(
        self, slots: Slots, start: int, stop: int, progress: Progress | None = None
    ) -> tuple[Slots, int]:
        """All slots at the start of iteration `stop`, or of the one where `progress` ended it."""
        i, on = start, True
        while on and i < stop:
            if self._must_step(i, slots):
                stepper = self._stepper(i, slots)
                self._finish(i, stepper)
                slots, i = self._kept(i, stepper.slots), i + 1
                on = progress is None or progress(i)
            else:
                slots, i, on = self._replay(slots, i, self._segment(i, stop), progress)
            slots = self._edited(i, dict(slots))
            if self._snapshots.due(i):
                self._snapshots.keep(i, self._kept(i, slots))
        return slots, i

    def _segment(self, start: int, stop: int) -> int:
        """Up to where calls can be replayed without an edit, a change of settings or a snapshot."""
        stops = [stop, self._snapshots.next(start)]
        stops += [i for i, _ in self._settings if i > start]
        stops += [i for i in (*self._edits.iterations(), *self.restored) if i > start]
        fused = self.spec.method.fused
        stops += [fused.since] if fused is not None and fused.since > start else []
        return min(stops)

    def _must_step(self, iteration: int, slots: Slots) -> bool:
        """Without zero_grad the first gradient fills its slot, all later ones are added. Some plans
        (an error may stop them) are always stepped.
        """
        if self.spec.method.stepped:
            return True
        return not self.settings(iteration).zero_grad and any(
            (node.name, GRAD) not in slots for node in self.graph(iteration).kind(PARAMETER)
        )

    def _replay(
        self, slots: Slots, start: int, stop: int, progress: Progress | None
    ) -> tuple[Slots, int, bool]:
        """Iterations of one stretch of settings, without an edit between; where it ended, and
        whether to go on.
        """
        trainer = self.trainer
        if trainer is None:
            trainer = self.trainer = Trainer(self.graph(start), self.spec.optimizer)
        trainer.load(slots)
        carried = self._kept(start, slots)
        schedule, optimizer, batches = self.spec.schedule, self.spec.optimizer, self.problem.batches
        timed = schedule is not None or (optimizer is not None and optimizer.timed)
        rates = self.rates(start, stop)
        i, on, filled = start, True, None
        with np.errstate(all="ignore"):
            while on and i < stop:
                program = self._program(trainer, i, carried)
                pause = stop if batches is None else batches.pause(i)
                until = min(stop, pause, i + self._chunk)
                ahead = rates[i - start : until - start]
                if filled != (now := (id(program), self.problem.version(i))):
                    filled = now
                    fill(program.changing(), next(self._rows(program, i, ahead)))
                moving = not self.problem.steady(i, until)
                changes = timed or moving
                rows: Rows = self._rows(program, i, ahead, timed, moving) if changes else ahead
                began = time.perf_counter()
                losses, squares = program.run(rows, timed, moving)
                fit = (until - i) * CHUNK_SECONDS / max(time.perf_counter() - began, 1e-9)
                self._chunk = max(1, int(min(2 * self._chunk, fit)))
                new = max(0, len(self.history) - i)
                self.history.add(losses[new:], squares[new:], ahead[new:])
                self._validate(until - 1, trainer.shared)
                i, on = until, progress is None or progress(until)
        keep = {*carried, *((node.name, GRAD) for node in trainer.parameters)}
        return trainer.export(keep, program), i, on

    def _rows(
        self,
        program: Program,
        start: int,
        rates: list[float | None],
        timed: bool = True,
        moving: bool = True,
    ) -> Iterator[tuple[Any, ...]]:
        """For each of these iterations what goes into the program's changing buffers, asked for
        when the iteration before is done.
        """
        numbers, samples = taken(program.scalars), taken(program.feed)
        for i, rate in enumerate(rates, start):
            row = numbers(self.scalars(i, rate, program.buffers)) if timed else ()
            yield (*row, *samples(self.problem.feed(i))) if moving else row

    def _kept(self, iteration: int, slots: Slots) -> Slots:
        """The slots that are carried from one iteration to the next: leaves that are not fed."""
        nodes = self.graph(iteration).nodes
        leaves = {n.name for n in nodes.values() if n.op is None and n.kind not in FED}
        return {slot: value for slot, value in slots.items() if slot[0] in leaves}

    def _program(self, trainer: Trainer, iteration: int, carried: Slots) -> Program:
        """The recorded calls for this iteration's batch size and settings."""
        graph, settings = self.graph(iteration), self.settings(iteration)
        key = (id(graph), settings.zero_grad, repr(settings.clip))
        known = trainer.programs.get(key)
        return known or trainer.record(key, graph, self.plan(iteration), carried)

    # --- losses without a step ------------------------------------------------------------------

    def loss(self, iteration: int, replaced: dict[str, Array] | None = None) -> float:
        """The loss of this iteration's batch with the parameters at its start, some leaves
        replaced.
        """
        slots, feed = self.slots(iteration, 0), self.problem.feed(iteration)
        return batch_loss(self.graph(iteration), slots, feed, self.spec.method.accumulate, replaced)

    def _validate(self, iteration: int, slots: Mapping[Slot, Array]) -> None:
        """After the last iteration of an epoch. At full speed the trainer's own buffers are given:
        the calls over them are recorded once.
        """
        batches = self.problem.batches
        if batches is None or batches.validation is None:
            return
        if (iteration + 1) % batches.count or iteration in self.history.validation_loss:
            return
        trainer = self.trainer
        at_speed = trainer is not None and slots is trainer.shared
        inputs, targets = batches.validation
        problem: ModelProblem = self._problem(iteration)  # type: ignore[assignment]
        if len(inputs) > problem.at_once:
            found = samples_loss(problem, slots, inputs, targets)
            self.history.validation_loss[iteration] = found
            return
        graph = problem.evaluation(len(inputs)).graph
        if trainer is not None and at_speed and trainer.judge and trainer.judge.graph is graph:
            self.history.validation_loss[iteration] = trainer.judge.loss()
            return
        judge = Evaluation(graph, {"input": inputs, "target": targets}, shared=slots)
        self.history.validation_loss[iteration] = judge.loss()
        if trainer is not None and at_speed:
            trainer.judge = judge

    # --- changes --------------------------------------------------------------------------------

    def set_value(self, iteration: int, name: str, value: Array) -> None:
        """From the start of this iteration the leaf has this value; a later past is dropped."""
        node = self.graph(iteration).nodes.get(name)
        if node is None or node.op is not None:
            raise BackstepError(f"only leaves can be set: {name!r}", where=name)
        if value.shape != node.shape:
            raise BackstepError(
                f"must have the shape {list(node.shape)}: {list(value.shape)}", where="value"
            )
        check_choices(self.graph(iteration), name, value, "value")
        self._forget(iteration)
        if node.kind in FED:
            self.problem.edit(iteration, name, value.astype(node.dtype))
        else:
            self._edits.put(iteration, name, value.astype(node.dtype))

    def set_entries(self, iteration: int, name: str, entries: Entries) -> None:
        """As `set_value` for some numbers of a parameter; the others stay as training made them."""
        self._forget(iteration)
        self._edits.put_entries(iteration, name, entries)

    def restore(self, iteration: int, source: int) -> None:
        """From this iteration on with the parameters and buffers of a former one's start. What the
        optimizer remembers stays as it is.
        """
        if not 0 <= source < iteration:
            raise BackstepError(
                f"only weights from before iteration {iteration} can be taken up again: {source}",
                where="source",
            )
        self._forget(iteration)
        self._edits.drop(iteration)
        self.restored = {**self.restored, iteration: source}

    def configure(self, iteration: int, **changes: Any) -> None:
        """From this iteration on: lr, zero_grad, clip or regularisation. What it starts from stays
        as it is, so that a rate that is dragged costs no replay.
        """
        start = None
        if iteration and iteration in self._snapshots:
            start = self._core(iteration)
        self._forget(iteration)
        now = replace(self.settings(iteration), **changes)
        before = [entry for entry in self._settings if entry[0] < iteration]
        self._settings = [*before, (iteration, now)]  # at once: others may be reading
        if start is not None:
            self._remember(iteration, self._edited(iteration, start))

    def _forget(self, iteration: int) -> None:
        """Drop all that was computed from this iteration on, and the changes after it."""
        self.history.cut(iteration)
        self._edits.forget(iteration)
        self.restored = {i: s for i, s in self.restored.items() if i <= iteration}
        self._settings = [entry for entry in self._settings if entry[0] <= iteration]
        self.problem.forget(iteration)
        self._snapshots.forget(iteration)
        for i in [i for i in self._steppers if i >= iteration - 1]:
            del self._steppers[i]
        self.trainer = None
