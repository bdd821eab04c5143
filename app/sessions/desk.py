"""The desk hands out sessions, does to them what people ask for, and keeps what was done before it
answers.

Reading is answered at once from bytes that are ready; what has to be computed runs in a thread. A
change is either kept whole or it did not happen: should something break in between, the session is
read anew from the store.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from app.engine.errors import BackstepError, LimitError
from app.render.arrays import plain
from app.sessions.actions import Change, Move, SetValue, Step, Train, read_change
from app.sessions.errors import FullError, NotFoundError, StaleError, limited, over
from app.sessions.frames import (
    BLOCK,
    Leg,
    Legs,
    encode,
    make_frames,
    make_leg,
)
from app.sessions.moment import Moment, Span, settled, spans
from app.sessions.session import Session, new_record
from app.sessions.store import Record, Store, open_store
from app.sessions.views import graph_view, plan_view
from app.sessions.workers import Workers
from app.settings import PREFIX, Settings

T = TypeVar("T")
Known = Callable[[int], bool]
"""Whether the caller knows this revision; from If-Match."""

Publish = Callable[[str, str, dict[str, Any]], None]
"""Tell who listens: session id, event, data."""

SWEEP_SECONDS = 20.0
TOUCH_SECONDS = 60.0  # so exactly is it kept when a session was last used
PROGRESS_SECONDS = 0.1
MADE_VIEWS = 512


def anybody(revision: int) -> bool:
    return True


class Desk:
    def __init__(self, settings: Settings, publish: Publish = lambda *_: None) -> None:
        self.settings, self.limits, self.publish = settings, settings.limits, publish
        self.workers, self.legs = Workers(), Legs()
        self._store: Store | None = None
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._alive: WeakValueDictionary[str, Session] = WeakValueDictionary()
        self._loading: dict[str, asyncio.Task[Session]] = {}
        self._views: OrderedDict[object, bytes] = OrderedDict()
        self._background: set[asyncio.Task[None]] = set()

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = open_store(self.settings.store)
        return self._store

    async def end_with(self, stopping: asyncio.Event) -> None:
        """Long work ends early when the server is asked to end."""
        await stopping.wait()
        self.workers.stopping = True

    async def close(self) -> None:
        self.workers.stopping = True
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self.workers.close()
        if self._store is not None:
            self._store.close()
            self._store = None

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
        self._make_room()
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
        self.store.create(session.record())
        self._remember(session)
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

    def _make_room(self) -> None:
        allowed = self.limits.sessions
        extra = self.store.count() + 1 - allowed
        if extra <= 0:
            return
        before = time.time() - 60 * self.settings.idle_minutes
        idle = self.store.oldest(before, extra + self.limits.sessions_in_memory)
        for id in [id for id in idle if id not in self._sessions][:extra]:
            self._expire(id)
            extra -= 1
        if extra > 0:
            raise FullError(
                f"the server keeps at most {allowed:,} sessions ({PREFIX}SESSIONS) "
                "and all of them are in use; try again in some minutes, "
                "or delete one that you no longer need",
                where="sessions",
            )

    async def get(self, id: str) -> Session:
        session = self._alive.get(
            id
        )  # also one that has left memory but is still in somebody's hands
        if session is None:
            session = await self._load(id)
        elif id in self._sessions:
            self._sessions.move_to_end(id)
        else:
            self._remember(session)
        self._touch(session)
        return session

    async def _load(self, id: str) -> Session:
        """Read it from the store; who asks while that is under way gets the same one."""
        task = self._loading.get(id)
        if task is None:
            record = self.store.load(id)
            expired = time.time() - 86_400 * self.settings.expiry_days
            if record is not None and record.touched < expired:
                self._expire(id)
                record = None
            if record is None:
                raise NotFoundError(
                    "there is no session of this id; it may have been deleted, or expired after "
                    f"{self.settings.expiry_days:g} days without use. "
                    "POST /api/sessions makes a new one",
                    where=id[:80],
                )
            task = asyncio.create_task(self._restore(record))
            self._loading[id] = task
            task.add_done_callback(lambda _: self._loading.pop(id, None))
        return await asyncio.shield(task)

    async def _restore(self, record: Record) -> Session:
        session = await self.workers.run(lambda: Session(record, self.limits))
        self._remember(session)
        return session

    def _remember(self, session: Session) -> None:
        self._sessions[session.id] = self._alive[session.id] = session
        for id in list(self._sessions):
            if len(self._sessions) <= max(1, self.limits.sessions_in_memory):
                break
            self._forget(id)

    def _forget(self, id: str) -> None:
        """Let it leave memory, unless somebody is at it."""
        session = self._sessions[id]
        if not (session.turn.locked() or session.engine.locked()):
            del self._sessions[id]

    def _drop(self, id: str) -> None:
        """What is in memory is not to be trusted; the next one who asks reads the store."""
        self._sessions.pop(id, None)
        self._alive.pop(id, None)

    def _touch(self, session: Session) -> None:
        now = time.time()
        if now - session.touched > TOUCH_SECONDS:
            session.touched = now
            self.store.touch(session.id, now)

    def _expire(self, id: str) -> None:
        self.store.delete(id)
        self._drop(id)
        self.publish(id, "deleted", {})

    async def delete(self, id: str, known: Known = anybody) -> None:
        session = await self.get(id)
        session.stopped = True
        async with session.turn:
            if not known(session.revision):
                raise StaleError(session.revision)
            self._expire(id)

    def sweep(self) -> None:
        """What is idle leaves memory; what has expired is deleted."""
        now = time.time()
        idle = now - 60 * self.settings.idle_minutes
        for id, session in list(self._sessions.items()):
            if session.touched + TOUCH_SECONDS < idle:
                self._forget(id)
        for id in self.store.oldest(now - 86_400 * self.settings.expiry_days, 1_000):
            self._expire(id)

    # --- reading --------------------------------------------------------------------------------

    async def compute(self, session: Session, work: Callable[[], T], reach: int = 0) -> T:
        """Work that uses the session's run, after computing up to an iteration."""
        async with session.engine:
            if len(session.run.history) < reach:
                await self._reach(session, reach)
            return await self.workers.run(work)

    async def _reach(
        self, session: Session, iteration: int, progress: Callable[[int], bool] | None = None
    ) -> int:
        """Train up to there in turns with others. The caller holds the engine."""

        def keep_on(done: int) -> bool:
            self.workers.pass_turn()
            if self.workers.stopping:
                return False
            return progress is None or progress(done)

        def work() -> int:
            self.workers.take_turn()
            try:
                return session.reach(iteration, keep_on)
            finally:
                self.workers.end_turn()

        return await self.workers.run(work)

    def check_reach(self, session: Session, target: Moment) -> None:
        limited(self.limits, "iterations_per_session", target.iteration, "iteration")
        ahead = target.iteration - max(session.seen.iteration, len(session.run.history))
        limited(self.limits, "iterations_per_request", ahead, "iteration")

    async def leg(self, session: Session, iteration: int) -> Leg:
        """The iteration's losses; its frames are made when somebody wants them."""
        leg = self.legs.get(session.key(iteration))
        if leg is None:
            async with session.engine:
                key = session.key(iteration)
                leg = self.legs.get(key)
                if leg is None:
                    if len(session.run.history) < iteration:
                        await self._reach(session, iteration)
                    leg = await self.workers.run(lambda: make_leg(session, iteration))
                    self.legs.put(key, leg)
        return leg

    async def frames(self, session: Session, iteration: int, start: int, stop: int) -> list[bytes]:
        leg = await self.leg(session, iteration)
        if leg.lacks(start, stop):
            of = session.of(iteration)
            first, last = start // BLOCK * BLOCK, min(of, -(-stop // BLOCK) * BLOCK)
            async with session.engine:
                for k in range(first, last, BLOCK):
                    until = min(last, k + BLOCK)
                    if leg.lacks(k, until):
                        key = session.key(iteration)
                        made = await self.workers.run(
                            lambda k=k, until=until: make_frames(session, iteration, k, until)  # type: ignore[misc]
                        )
                        leg.frames |= {n: f for n, f in made.items() if n not in leg.frames}
                        self.legs.add(key, made)
        return [leg.frames[k] for k in range(start, stop)]

    async def loss(self, session: Session) -> float | str | None:
        """What stands in the loss node at the session's position."""
        leg = await self.leg(session, session.position.iteration)
        return leg.loss_at(session.position.step)

    async def face(self, session: Session) -> dict[str, Any]:
        return session.face(await self.loss(session))

    async def graph(self, session: Session) -> bytes:
        i = session.position.iteration
        key = ("graph", session.identity, session.shape_of(i)[0])
        return await self._view(session, key, lambda: graph_view(session.run.graph(i)))

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
            if isinstance(move, Train):
                target = await self._train(session, target)
            loss = (await self.leg(session, target.iteration)).loss_at(target.step)
            return self._keep_move(session, target, loss), shown

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

    async def _train(self, session: Session, target: Moment) -> Moment:
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

        async with session.engine:
            done = await self._reach(session, target.iteration, progress)
        return Moment(max(done, settled(session.position, session.of).iteration), 0)

    def _keep_move(
        self, session: Session, target: Moment, loss: float | str | None
    ) -> dict[str, Any]:
        if target == session.position:
            return session.face(loss)
        former = (session.position, session.seen, session.revision)
        session.arrive(target)
        session.revision += 1
        try:
            kept = self.store.move(session.record_of_move(), former[2])
        except BaseException:
            session.position, session.seen, session.revision = former
            raise
        if not kept:
            self._lost(session)
        face = session.face(loss)
        self.publish(session.id, "session", face)
        return face

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
            face = await self.face(session)
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
            saved = self.store.change(session.record(), session.revision - 1, kept)
        except BaseException:
            self._drop(session.id)
            raise
        if not saved:
            self._lost(session)
        return told

    def _lost(self, session: Session) -> None:
        """Another process has changed the session in the store: what is here is out of date."""
        self._drop(session.id)
        record = self.store.load(session.id)
        if record is None:
            raise NotFoundError("the session has been deleted meanwhile", where=session.id)
        raise StaleError(record.revision)

    # --- in the background ----------------------------------------------------------------------

    def start(self) -> None:
        """Open the store and look after sessions that nobody uses."""
        _ = self.store
        self._go(self._sweeping())

    async def _sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()
            await self.workers.run(self.store.tidy)

    def _go(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
