"""A run that is trained in one form and shown in another: arrays train, and every iteration that is
looked at has a node for each of their numbers; whole sequences train, and what is looked at has a
node for each of their steps.

What an iteration starts from is what training has led to, number for number, so that another form
costs nothing and no place of the run depends on where somebody looked. Within the iteration the
graph shown adds in another order: its numbers agree with those of training up to rounding.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.engine.errors import BackstepError
from app.engine.types import VALUE, Array
from app.train.edits import sealed
from app.train.iteration import FED
from app.train.iterations import Settings
from app.train.plans.fusing import in_form
from app.train.plans.rewritten import Scalars, changed, unchanged
from app.train.problem import ModelProblem, Problem, check_choices
from app.train.run import Progress, Run
from app.train.snapshots import Slots
from app.train.spec import Spec
from app.train.trainer import Trainer


def run_of(spec: Spec, former: Run | None = None, trainer: Trainer | None = None) -> Run:
    """The run of a spec, in the form in which it is to be shown. `former` has the same numbers in
    another form: all that it has computed is taken over.
    """
    trained = _trained(spec)
    while isinstance(former, Shown):
        former = former.whole
    run = Run(trained, trainer) if former is None else former.under(trained)
    if _turns(spec):
        run = Steps(trained, run, bool(spec.method.shown_fused))
    return Apart(spec, run) if spec.method.scalars else run


def arrays_of(run: Run) -> Run:
    """The run of arrays behind one whose every entry is a node; or the run itself."""
    return run.whole if isinstance(run, Apart) else run


def _trained(spec: Spec) -> Spec:
    """The same spec as it is trained: arrays, layers as they say."""
    document = {name: given for name, given in spec.document.items() if name != "scalars"}
    method = replace(spec.method, scalars=False)
    if method == spec.method and method.fused is None:
        return spec
    whole = in_form(unchanged(spec.problem), None)
    problem = changed(whole, method, spec.limits.graph_nodes)
    return replace(spec, document=document, problem=problem, method=method)


def _turns(spec: Spec) -> bool:
    """Whether recurrent layers are shown in another form than one that trains."""
    fused, shown, problem = spec.method.fused, spec.method.shown_fused, unchanged(spec.problem)
    if shown is None or not isinstance(problem, ModelProblem):
        return False
    trained = {fused.at(0) or None, True} if fused else {None}
    return any(problem.in_form(form) is not problem.in_form(shown) for form in trained)


class Shown(Run):
    """`whole` does all the training; it may be a run that is under way."""

    def __init__(self, spec: Spec, whole: Run) -> None:
        super().__init__(spec)
        self.whole = whole
        self.history, self.restored = whole.history, whole.restored

    # --- what training has led to ---------------------------------------------------------------

    def settings(self, iteration: int) -> Settings:
        return self.whole.settings(iteration)

    def initial(self) -> Slots:
        return self._lifted(0, self.whole.initial())

    def train(self, stop: int, progress: Progress | None = None) -> int:
        done = self.whole.train(stop, progress)
        self.trainer = self.whole.trainer
        return done

    def _core(self, iteration: int) -> Slots:
        return self._lifted(iteration, self.whole.carried(iteration))

    def _start(self, iteration: int) -> Slots:
        if iteration == 0:
            return self._core(0)
        before = self._former(iteration)
        before.seek(len(before.plan))
        return before.slots | self._core(iteration)

    def _lifted(self, iteration: int, slots: Slots) -> Slots:
        """What an iteration starts from, as the graph that is shown names it."""
        return slots

    # --- changes --------------------------------------------------------------------------------

    def set_value(self, iteration: int, name: str, value: Array) -> None:
        self.whole.set_value(iteration, name, value)
        self._look_again(iteration)

    def set_entries(self, iteration: int, name: str, entries: Any) -> None:
        self.whole.set_entries(iteration, name, entries)
        self._look_again(iteration)

    def restore(self, iteration: int, source: int) -> None:
        self.whole.restore(iteration, source)
        self._look_again(iteration)

    def configure(self, iteration: int, **changes: Any) -> None:
        self.whole.configure(iteration, **changes)
        self._look_again(iteration)

    def _look_again(self, iteration: int) -> None:
        """What was shown of this iteration and all later ones is out of date."""
        self.restored = self.whole.restored
        for i in [i for i in self._steppers if i >= iteration - 1]:
            del self._steppers[i]


class Steps(Shown):
    """Recurrent layers as one op each, or step by step, however they are trained."""

    def __init__(self, spec: Spec, whole: Run, fused: bool) -> None:
        super().__init__(spec, whole)
        self.fused = fused
        self.problem = self._problem(0)

    def _problem(self, iteration: int) -> Problem:
        return self.whole.problem_of(iteration, self.fused)


class Apart(Shown):
    """Every entry of every array a node."""

    def __init__(self, spec: Spec, whole: Run) -> None:
        super().__init__(spec, whole)
        self._seen: dict[int, Scalars] = {}
        self.problem = self.shown = self._apart(whole.problem)

    def _apart(self, problem: Problem) -> Scalars:
        known = self._seen.get(id(problem))
        if known is None:
            known = self._seen[id(problem)] = Scalars(problem, self.spec.limits.graph_nodes)
        return known

    def _problem(self, iteration: int) -> Scalars:
        return self._apart(self.whole._problem(iteration))

    def _lifted(self, iteration: int, slots: Slots) -> Slots:
        exploded = self._problem(iteration).exploded(iteration)
        found = {(name, VALUE): value for name, value in exploded.constants.items()}
        for (name, slot), array in slots.items():
            for scalar, number in exploded.scatter({name: array}).items():
                found[scalar, slot] = sealed(number)
        return found

    def set_value(self, iteration: int, name: str, value: Array) -> None:
        graph = self.graph(iteration)
        node = graph.nodes.get(name)
        exploded = self._problem(iteration).exploded(iteration)
        tensor = exploded.owners.get(name)
        if node is None or node.op is not None or tensor is None:
            raise BackstepError(f"only leaves can be set: {name!r}", where=name)
        check_choices(graph, name, value, "value")
        if node.kind in FED:
            self.whole.set_value(iteration, *self.shown.edited(iteration, name, value))
        else:
            index = next(i for i, scalar in exploded.places[tensor].items() if scalar == name)
            self.whole.set_entries(iteration, tensor, {index: float(value)})
        self._look_again(iteration)
