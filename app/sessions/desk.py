"""The desk does to sessions what people ask for, and keeps what was done before it answers.

A change is either kept whole or it did not happen: should something break in between, the session
is read anew from the store.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from app.engine.errors import BackstepError, LimitError
from app.lab.condition import Ending, called_off
from app.lab.until import parse_until, train_until
from app.render.arrays import plain
from app.sessions.actions import Change, Move, SetValue, Step, Train, read_change
from app.sessions.cabinet import Cabinet, Publish
from app.sessions.errors import StaleError, limited, over
from app.sessions.forms import FORMS
from app.sessions.moment import Moment, Span, settled, spans
from app.sessions.processes import Processes
from app.sessions.reader import Reader
from app.sessions.session import Session, new_record
from app.sessions.store import Record
from app.settings import Settings
from app.train.run import Progress

Known = Callable[[int], bool]
"""Whether the caller knows this revision; from If-Match."""

SWEEP_SECONDS = 20.0
PROGRESS_SECONDS = 0.1


def anybody(revision: int) -> bool:
    return True


class Desk(Reader):
    def __init__(self, settings: Settings, publish: Publish = lambda *_: None) -> None:
        super().__init__(settings.limits)
        self.settings, self.publish = settings, publish
        self.cabinet = Cabinet(settings, self.workers, publish)
        self.processes = Processes(settings.processes)
        self._background: set[asyncio.Task[None]] = set()

    # --- coming and going -----------------------------------------------------------------------

    async def create(
        self,
        spec: dict[str, Any],
        *,
        lesson: str | None = None,
        title: str = "",
        changes: Sequence[Any] = (),
        position: Moment | None = None,
    ) -> Session:
        self.cabinet.make_room()
        record = new_record(secrets.token_urlsafe(9), spec, lesson=lesson, title=title)
        record.touched = time.time()
        session = await self.workers.run(lambda: self._build(record, changes))
        if position is not None and position != session.position:
            self.check_reach(session, position)
            async with session.engine:
                await self._reach(session, position.iteration)
            of = session.of(position.iteration)
            if position.step > of:
                raise BackstepError(
                    f"iteration {position.iteration} has {of} steps, so 0 to {of} can be reached: "
                    f"{position.step}",
                    where="position.step",
                )
            session.arrive(position)
        self.cabinet.add(session)
        return session

    def _build(self, record: Record, changes: Sequence[Any]) -> Session:
        session = Session(record, self.limits)
        limited(self.limits, "changes_per_session", len(changes), "changes")
        for number, given in enumerate(changes):
            change = read_change(given, f"changes[{number}]")
            limited(self.limits, "iterations_per_session", change.iteration, f"changes[{number}]")
            session.apply(change)
        session.of(0)
        return session

    async def get(self, id: str) -> Session:
        return await self.cabinet.get(id)

    async def delete(self, id: str, known: Known = anybody) -> None:
        session = await self.get(id)
        session.stopped = True
        async with session.turn:
            if not known(session.revision):
                raise StaleError(session.revision)
            self.cabinet.remove(id)

    # --- doing ----------------------------------------------------------------------------------

    async def move(
        self, session: Session, move: Move, known: Known = anybody, *, frames: bool = True
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Step, seek or train; the frames of the steps run or undone, in that order."""
        async with session.turn:
            if not known(session.revision):
                raise StaleError(session.revision)
            if isinstance(move, Step) and move.unit in ("node", "phase"):
                limited(self.limits, "steps_per_request", abs(move.count), "count")
            target = move.target(session)
            self.check_reach(session, target)
            shown: list[bytes] = []
            if frames and isinstance(move, Step) and move.unit in ("node", "phase"):
                shown = await self._shown(session, target)
            told: dict[str, Any] = {}
            if isinstance(move, Train):
                target, ending = await self._train(session, target, move.until)
                told = {"ended": vars(ending), "best": session.best(target)}
            loss = (await self.leg(session, target.iteration)).losses[target.step]
            return self._keep_move(session, target, loss) | told, shown

    async def _shown(self, session: Session, target: Moment) -> list[bytes]:
        found: list[Span]
        if target >= session.position:
            found = spans(session.position, target, session.of)
        else:
            found = spans(target, session.position, session.of)
        total = sum(stop - start for _, start, stop in found)
        allowed = self.limits.frames_per_request
        if total > allowed:
            raise LimitError(
                over("frames_per_request", allowed, total)
                + '; send "frames": false to step without them',
                where="count",
            )
        shown: list[bytes] = []
        for i, start, stop in found:
            shown += await self.frames(session, i, start, stop)
        return shown if target >= session.position else shown[::-1]

    async def _train(
        self, session: Session, target: Moment, until: dict[str, Any] | None
    ) -> tuple[Moment, Ending]:
        loop, told = asyncio.get_running_loop(), time.monotonic()
        session.stopped = False

        def progress(done: int) -> bool:
            nonlocal told
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                loss = session.run.history.train_loss[done - 1]
                loop.call_soon_threadsafe(
                    self.publish,
                    session.id,
                    "progress",
                    {"iteration": done, "of": target.iteration, "loss": plain(loss)},
                )
            return not session.stopped

        here, ending = settled(session.position, session.of), None
        async with session.engine:
            if until is None:
                done = await self._reach(session, target.iteration, progress)
            else:
                done, ending = await self._reach_until(
                    session, here, target.iteration, until, progress
                )
        reached = session.position if done < here.iteration + (here.step > 0) else Moment(done, 0)
        return reached, ending or called_off(done, done < target.iteration)

    async def _reach_until(
        self,
        session: Session,
        here: Moment,
        iteration: int,
        until: dict[str, Any],
        progress: Progress,
    ) -> tuple[int, Ending | None]:
        """Train up to there, or to where one of the conditions holds. What is done already of the
        iteration under way is not looked at again.
        """
        run, start = session.run, here.iteration + (here.step > 0)
        conditions = await self.workers.run(lambda: parse_until(until, run))

        def work(keep_on: Progress) -> tuple[int, Ending | None]:
            if session.reach(start, keep_on) < start:
                return here.iteration, None
            return train_until(run, start, iteration, conditions, keep_on)

        return await self._in_turns(work, progress)

    def _keep_move(
        self, session: Session, target: Moment, loss: float | str | None
    ) -> dict[str, Any]:
        if target == session.position:
            return session.face(loss)
        former = (session.position, session.seen, session.revision)
        session.arrive(target)
        session.revision += 1
        try:
            kept = self.cabinet.store.move(session.record_of_move(), former[2])
        except BaseException:
            session.position, session.seen, session.revision = former
            raise
        if not kept:
            raise self.cabinet.lost(session.id)
        session.shown = session.face(loss)
        self.publish(session.id, "session", session.shown)
        return dict(session.shown)

    async def change(
        self,
        session: Session,
        make: Callable[[], Sequence[Change]],
        known: Known = anybody,
        *,
        effect: bool = False,
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Changes by hand, at the position; what one did to the loss."""
        async with session.turn:
            if not known(session.revision):
                raise StaleError(session.revision)
            async with session.engine:
                told = await self._change(session, make, effect)
            face = await self.look(session)
        self.publish(session.id, "session", face)
        return face, told

    async def _change(
        self, session: Session, make: Callable[[], Sequence[Change]], effect: bool
    ) -> dict[str, Any] | None:
        changes = await self.workers.run(make)
        first = min(change.iteration for change in changes)
        limited(self.limits, "iterations_per_session", first, "iteration")
        if len(session.run.history) < first:
            await self._reach(session, first)
        told = None
        if effect and isinstance(changes[0], SetValue):
            one = changes[0]
            told = await self.workers.run(lambda: session.effect(one))
        try:
            kept = await self.workers.run(lambda: min(session.apply(c) for c in changes))
            session.settle(first)
            session.revision += 1
            saved = self.cabinet.store.change(session.record(), session.revision - 1, kept)
        except BaseException:
            self.cabinet.distrust(session.id)
            raise
        if not saved:
            raise self.cabinet.lost(session.id)
        return told

    async def turn(
        self, session: Session, form: str, on: bool, node: str | None, known: Known = anybody
    ) -> str | None:
        """The same run in another form, or without it again; what stands for the node there."""
        row = FORMS[form]
        async with session.turn:
            if not known(session.revision):
                raise StaleError(session.revision)
            if row.holds(session) == on:
                return node
            async with session.engine:
                known_to = [session.position.iteration, *(c.iteration for c in session.changes)]
                await self._reach(session, max(known_to))
                new = await self.workers.run(lambda: row.turned(session, on))
                there = row.counterpart(session, new, node)
                session.become(new)
                try:
                    saved = self.cabinet.store.rewrite(session.record(), session.revision - 1)
                except BaseException:
                    self.cabinet.distrust(session.id)
                    raise
                if not saved:
                    raise self.cabinet.lost(session.id)
            face = await self.look(session)
        self.publish(session.id, "session", face)
        return there

    # --- in the background ----------------------------------------------------------------------

    def open(self) -> None:
        """Open the store now, so that a store which cannot be had is known at the start."""
        _ = self.cabinet.store

    def start(self) -> None:
        """Look after sessions that nobody uses."""
        self.open()
        self._go(self._sweeping())

    async def _sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.cabinet.sweep()
            self.processes.rest()
            await self.workers.run(self.cabinet.store.tidy)

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def end_with(self, stopping: asyncio.Event) -> None:
        """Long work ends early when the server is asked to end."""
        await stopping.wait()
        self.workers.stopping = True
        self.processes.close()

    async def close(self) -> None:
        self.workers.stopping = True
        self.processes.close()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self.workers.close()
        self.cabinet.close()
