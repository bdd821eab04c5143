"""What each iteration of a run is, as the spec and the changes say: its settings, its graph and
plan, the rate of its update. Nothing is computed here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.engine.graph import PARAMETER, Graph
from app.engine.plan import Step
from app.engine.types import VALUE, Array, Slot
from app.train.iteration import iteration_plan
from app.train.plans.fusing import in_form
from app.train.plans.mixed_precision import SCALE, SKIPPED
from app.train.plans.penalty import parse_penalty
from app.train.plans.rewritten import Rewritten, changed, unchanged
from app.train.problem import Problem
from app.train.snapshots import Slots
from app.train.spec import Spec, clip_step


@dataclass(frozen=True)
class Settings:
    """What may be changed while running. `lr` is the base that the schedule multiplies."""

    lr: float | None
    zero_grad: bool
    clip: Any = None
    regularisation: dict[str, Any] | None = None


class Iterations:
    """The base of a run."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.problem = spec, spec.problem
        first = Settings(
            spec.optimizer.lr if spec.optimizer else None,
            spec.zero_grad,
            spec.clip,
            spec.document.get("regularisation"),
        )
        self._problems: dict[tuple[str, bool | None], Problem] = {}
        self._problems[repr(first.regularisation), None] = spec.problem
        self._settings: list[tuple[int, Settings]] = [(0, first)]

    def settings(self, iteration: int) -> Settings:
        index = bisect_right(self._settings, iteration, key=lambda entry: entry[0]) - 1
        return self._settings[index][1]

    def graph(self, iteration: int) -> Graph:
        return self._problem(iteration).graph(iteration)

    def _problem(self, iteration: int) -> Problem:
        """The spec's own, or the same with other penalties in its loss, or in another form."""
        return self.problem_of(iteration, self.spec.method.trained_fused(iteration))

    def problem_of(self, iteration: int, fused: bool | None) -> Problem:
        """With recurrent layers as one op, or step by step; None: as each of them says."""
        penalty = self.settings(iteration).regularisation
        known = self._problems.get((repr(penalty), fused))
        if known is None:
            method = replace(self.spec.method, penalty=parse_penalty(penalty))
            whole = in_form(unchanged(self.spec.problem), fused)
            known = changed(whole, method, self.spec.limits.graph_nodes)
            self._problems[repr(penalty), fused] = known
        return known

    def plain_graph(self, iteration: int) -> Graph:
        """The graph whose gradients are the slopes of its output: without casts or a scaled loss,
        for gradient checks.
        """
        problem = self._problem(iteration)
        return (
            problem.plain(iteration) if isinstance(problem, Rewritten) else problem.graph(iteration)
        )

    def plan(self, iteration: int) -> list[Step]:
        settings, graph = self.settings(iteration), self.graph(iteration)
        return iteration_plan(
            graph,
            self.spec.optimizer,
            zero_grad=settings.zero_grad,
            clip=clip_step(settings.clip, graph),
            method=self.spec.method,
        )

    def lr(self, iteration: int) -> float | None:
        """The rate that this iteration's update uses."""
        base, schedule = self.settings(iteration).lr, self.spec.schedule
        if base is None or schedule is None:
            return base
        t = self.problem.position(iteration)["epoch"] if schedule.per == "epoch" else iteration
        return schedule.lr(base, t)

    def scalars(
        self, iteration: int, lr: float | None, slots: Mapping[Slot, Array]
    ) -> dict[str, float]:
        """The optimizer's numbers; an update that was skipped does not count as one."""
        if self.spec.optimizer is None or lr is None:
            return {}
        skipped = slots.get((SCALE, SKIPPED))
        return self.spec.optimizer.scalars(iteration - (0 if skipped is None else int(skipped)), lr)

    def rates(self, start: int, stop: int) -> list[float | None]:
        """The learning rates of one stretch of settings."""
        if self.spec.schedule is None:
            return [self.lr(start)] * (stop - start)
        return [self.lr(i) for i in range(start, stop)]

    def initial(self) -> Slots:
        """Every slot as the first iteration starts from it."""
        slots: Slots = {}
        for name, value in self._problem(0).initial().items():
            value = value.copy()
            value.flags.writeable = False
            slots[name, VALUE] = value
        if self.spec.optimizer is not None:
            for node in self.graph(0).kind(PARAMETER):
                for state, value in self.spec.optimizer.start(node.shape).items():
                    value.flags.writeable = False
                    slots[node.name, state] = value
        if self.spec.method.scaler is not None:
            slots |= self.spec.method.scaler.start()
        return slots
