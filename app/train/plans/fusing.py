"""The time steps of a recurrent layer taken together in one op: for training, and if wanted also
where somebody looks.

Both forms have the same parameters and the same mathematics; sums are added up in another order. So
an iteration that one form has trained can be shown in the other one, equal up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import build, mapping
from app.train.arguments import Recipe, option
from app.train.problem import ModelProblem, Problem

WITHOUT = ("precision", "fault", "forward_mode")
"""Plans that speak of single time steps."""


@dataclass(frozen=True)
class Fused(Recipe):
    """`true` stands for the defaults."""

    since: int = option(0, "the first iteration that is trained so", integer=True, low=0)
    shown: bool = option(True, "false: the graph keeps a node for every time step")

    kind = "fused"
    name = "fused"
    summary = "the time steps of rnn layers are trained in one op: faster, nothing to step through"

    def at(self, iteration: int) -> bool:
        """Whether this iteration is trained in one op."""
        return iteration >= self.since


def parse_fused(given: Any) -> Fused | None:
    """`true` or `{"since": 100, "shown": false}`; null or false for as the layers say."""
    if given is None or given is False:
        return None
    return Fused() if given is True else build(Fused, mapping(given, "fused"), "fused")


def in_form(problem: Problem, fused: bool | None) -> Problem:
    """What stands behind every change, in that form; None: as its layers say."""
    return problem.in_form(fused) if isinstance(problem, ModelProblem) else problem


def check_fused(problem: Problem) -> None:
    """Refuse where there is nothing to take together."""
    if not isinstance(problem, ModelProblem):
        raise BackstepError("needs a model with a recurrent layer (rnn)", where="fused")
    if not problem.model(problem.batches.size(0)).fusible:
        raise BackstepError(
            "needs a recurrent layer of type rnn that reads one way: no other layer can be taken "
            "together",
            where="fused",
        )
