"""Looking at runs: frames, losses, graphs and plans as bytes that are ready to be sent.

What is ready is answered at once; what has to be computed runs in a thread, with the session's
engine held, and long training in turns with others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from app.sessions.errors import limited
from app.sessions.frames import BLOCK, Leg, Legs, encode, make_frames, make_leg
from app.sessions.graphs import Collapse, graph_view
from app.sessions.moment import Moment
from app.sessions.session import Session
from app.sessions.views import plan_view, state_view
from app.sessions.workers import Workers
from app.settings import Limits
from app.train.run import Progress

T = TypeVar("T")

MADE_VIEWS = 512  # graphs and plans that are kept


class Reader:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.workers, self.legs = Workers(), Legs()
        self._views: OrderedDict[object, bytes] = OrderedDict()

    async def compute(self, session: Session, work: Callable[[], T], reach: int = 0) -> T:
        """Work that uses the session's run, after computing up to an iteration."""
        async with session.engine:
            if len(session.run.history) < reach:
                await self._reach(session, reach)
            return await self.workers.run(work)

    async def _reach(
        self, session: Session, iteration: int, progress: Progress | None = None
    ) -> int:
        """Train up to there in turns with others. The caller holds the engine."""
        return await self._in_turns(lambda keep_on: session.reach(iteration, keep_on), progress)

    async def _in_turns(self, work: Callable[[Progress], T], progress: Progress | None = None) -> T:
        """Long work that asks now and then whether to go on."""

        def keep_on(done: int) -> bool:
            self.workers.pass_turn()
            if self.workers.stopping:
                return False
            return progress is None or progress(done)

        def in_turn() -> T:
            self.workers.take_turn()
            try:
                return work(keep_on)
            finally:
                self.workers.end_turn()

        return await self.workers.run(in_turn)

    def check_reach(self, session: Session, target: Moment) -> None:
        limited(self.limits, "iterations_per_session", target.iteration, "iteration")
        ahead = target.iteration - max(session.seen.iteration, len(session.run.history))
        limited(self.limits, "iterations_per_request", ahead, "iteration")

    def most_iterations(self, session: Session) -> int:
        """So many iterations more may be asked for at once."""
        left = self.limits.iterations_per_session - session.position.iteration - 1
        return max(0, min(self.limits.iterations_per_request, left))

    async def leg(self, session: Session, iteration: int) -> Leg:
        """The iteration's losses; its frames are made when somebody wants them."""
        leg = self.legs.get(session.key(iteration))
        if leg is None:
            async with session.engine:
                leg = await self._leg(session, iteration)
        return leg

    async def _leg(self, session: Session, iteration: int) -> Leg:
        """For who holds the engine."""
        key = session.key(iteration)
        leg = self.legs.get(key)
        if leg is None:
            if len(session.run.history) < iteration:
                await self._reach(session, iteration)
            leg = await self.workers.run(lambda: make_leg(session, iteration))
            self.legs.put(key, leg)
        return leg

    async def frames(self, session: Session, iteration: int, start: int, stop: int) -> list[bytes]:
        """Those that are missing are made in blocks, all for the same revision."""
        leg = self.legs.get(session.key(iteration))
        if leg is not None and not leg.lacks(start, stop):
            return [leg.frames[k] for k in range(start, stop)]
        async with session.engine:
            leg, key = await self._leg(session, iteration), session.key(iteration)
            of = session.of(iteration)
            stop = min(stop, of)
            frames = dict(leg.frames)
            for first in range(start // BLOCK * BLOCK, stop, BLOCK):
                until = min(of, first + BLOCK)
                if leg.lacks(first, until):
                    work = partial(make_frames, session, iteration, first, until)
                    frames |= await self.workers.run(work)
            self.legs.add(key, frames)
        return [frames[k] for k in range(start, stop)]

    async def loss(self, session: Session) -> float | str | None:
        """What stands in the loss node at the session's position."""
        leg = await self.leg(session, session.position.iteration)
        return leg.losses[session.position.step]

    async def face(self, session: Session) -> dict[str, Any]:
        """How it stands: as after the last change, while the next one is still under way."""
        shown = session.shown
        if shown is None or shown["revision"] != session.revision:
            async with session.turn:
                shown = await self.look(session)
        return dict(shown)

    async def look(self, session: Session) -> dict[str, Any]:
        """The face anew, for who holds the session's turn."""
        session.shown = session.face(await self.loss(session))
        return dict(session.shown)

    async def state(self, session: Session, moment: Moment) -> bytes:
        """Every node at a moment."""
        leg = await self.leg(session, moment.iteration)
        if moment.step not in leg.states:
            async with session.engine:
                key = session.key(moment.iteration)
                made = await self.workers.run(lambda: encode(state_view(session.run, *moment)))
                self.legs.add(key, states={moment.step: made})
            return made
        return leg.states[moment.step]

    async def graph(
        self,
        session: Session,
        collapse: Collapse = "auto",
        opened: Sequence[str] = (),
        iteration: int | None = None,
    ) -> bytes:
        """Of the current iteration, or of another; a change of the penalty makes them differ."""
        i = session.position.iteration if iteration is None else iteration
        key = ("graph", session.identity, session.shape_of(i)[0], collapse, frozenset(opened))
        return await self._view(
            session, key, lambda: graph_view(session.run.graph(i), collapse, opened)
        )

    async def plan(self, session: Session, iteration: int | None = None) -> bytes:
        """Of the current iteration, or of another; a switched zero_grad makes them differ."""
        i = session.position.iteration if iteration is None else iteration
        key = ("plan", session.identity, session.shape_of(i))
        return await self._view(session, key, lambda: plan_view(session.run, i))

    async def _view(self, session: Session, key: object, make: Callable[[], Any]) -> bytes:
        if key not in self._views:
            self._views[key] = await self.compute(session, lambda: encode(make()))
            while len(self._views) > MADE_VIEWS:
                self._views.popitem(last=False)
        self._views.move_to_end(key)
        return self._views[key]
