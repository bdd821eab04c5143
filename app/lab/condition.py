"""What training may wait for: the base of all conditions, and what one that came about tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.train.run import Run

FAR = 10_000  # iterations of one stretch when nothing has to be looked at in between


@dataclass(frozen=True)
class Ending:
    """Why training ended before that iteration; `step` is a plan index of it."""

    reason: str
    iteration: int
    says: str
    step: int | None = None
    node: str | None = None
    unit: int | None = None


def called_off(iteration: int, early: bool) -> Ending:
    """Nothing came about: the iterations are done, or somebody stopped them."""
    if early:
        return Ending("stopped", iteration, f"Stopped before iteration {iteration}.")
    return Ending("iterations", iteration, "All iterations are done.")


class Condition:
    """`find` looks at the iterations [start, stop), which have been run."""

    name: ClassVar[str]
    stride: ClassVar[int] = FAR

    def met(self, run: Run, start: int, stop: int) -> bool:
        """Whether the history alone says that it may be so: asked in the middle of training, when
        nothing else of the run may be touched.
        """
        return False

    def find(self, run: Run, start: int, stop: int) -> Ending | None:
        raise NotImplementedError
