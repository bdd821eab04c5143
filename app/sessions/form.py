"""A form in which a session's run is shown, beside the plain one: the same numbers at the start of
every iteration, the same changes, and the same place within an iteration, as far as both have it.

A node of one form belongs to something that the other form has, too. So a position leads to the
last step there of what the last step here belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar

from app.engine.plan import Step
from app.sessions.actions import Change
from app.sessions.errors import limited
from app.sessions.moment import Moment
from app.sessions.session import Session

AHEAD = ("forward", "loss")


class Form:
    """What a row of the table has to say."""

    name: ClassVar[str] = ""

    def holds(self, session: Session) -> bool:
        """Whether the session is shown in it."""
        raise NotImplementedError

    def document(self, session: Session, on: bool) -> bytes:
        """The same spec in this form, or without it; its title goes along."""
        raise NotImplementedError

    def owners(self, old: Session, new: Session, iteration: int) -> Mapping[str, str]:
        """What the nodes of both belong to, where that is not of their own name."""
        raise NotImplementedError

    def node(self, old: Session, new: Session, name: str) -> str | None:
        """What stands in the new session for a node of the old one."""
        raise NotImplementedError

    def log(self, old: Session, new: Session) -> Iterable[Change]:
        """What was done by hand, as the new one names it."""
        return old.changes

    # --- the same for all -----------------------------------------------------------------------

    def turned(self, old: Session, on: bool) -> Session:
        """The session in this form, or without it. Its run goes on from where the old one's is."""
        record = replace(old.record(), spec=self.document(old, on), changes=[])
        new = Session(record, old.limits, old.run)
        for change in self.log(old, new):
            new.note(change)
        limited(old.limits, "changes_per_session", len(new.changes), self.name)
        new.position = self.place(old, new)
        new.seen = max(new.position, Moment(old.seen.iteration, 0))
        return new

    def place(self, old: Session, new: Session) -> Moment:
        """Where the new session stands as the old one does."""
        i, step = old.position
        here, there = old.run.plan(i), new.run.plan(i)
        owners = self.owners(old, new, i)
        last = {_belongs(s, owners): k + 1 for k, s in enumerate(there)}
        for s in reversed(here[:step]):
            if _belongs(s, owners) in last:
                return Moment(i, len(there) if step == len(here) else last[_belongs(s, owners)])
        return Moment(i, 0)

    def counterpart(self, old: Session, new: Session, name: str | None) -> str | None:
        if name is None or name not in old.run.graph(old.position.iteration).nodes:
            return None
        return self.node(old, new, name)


def _belongs(step: Step, owners: Mapping[str, str]) -> tuple[str, str | None]:
    phase = "ahead" if step.phase in AHEAD else step.phase
    return phase, None if step.node is None else owners.get(step.node, step.node)
