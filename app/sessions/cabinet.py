"""Which sessions there are: in memory while they are used, in the store as long as settings say.

Memory is only a copy. Who is idle leaves it, and comes back from the store with the same numbers.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from app.sessions.errors import FullError, NotFoundError, StaleError
from app.sessions.session import Session
from app.sessions.store import Record, Store, open_store
from app.sessions.workers import Workers
from app.settings import PREFIX, Settings

Publish = Callable[[str, str, dict[str, Any]], None]
"""Tell who listens: session id, event, data."""

TOUCH_SECONDS = 60.0  # so exactly is it kept when a session was last used
DAY, MINUTE = 86_400.0, 60.0
EXPIRED_AT_ONCE = 1_000


class Cabinet:
    def __init__(self, settings: Settings, workers: Workers, publish: Publish) -> None:
        self.settings, self.limits = settings, settings.limits
        self.workers, self.publish = workers, publish
        self.memory: OrderedDict[str, Session] = OrderedDict()
        # Also those that have left memory but are in somebody's hands: never two of one session.
        self._alive: WeakValueDictionary[str, Session] = WeakValueDictionary()
        self._loading: dict[str, asyncio.Task[Session]] = {}
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """Opened when it is first needed."""
        if self._store is None:
            self._store = open_store(self.settings.store)
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    # --- coming ---------------------------------------------------------------------------------

    def make_room(self) -> None:
        """For one more: the longest idle ones expire early, if need be."""
        allowed = self.limits.sessions
        extra = self.store.count() + 1 - allowed
        if extra <= 0:
            return
        before = time.time() - MINUTE * self.settings.idle_minutes
        idle = self.store.oldest(before, extra + self.limits.sessions_in_memory)
        for id in [id for id in idle if id not in self.memory][:extra]:
            self.remove(id)
            extra -= 1
        if extra > 0:
            raise FullError(
                f"the server keeps at most {allowed:,} sessions ({PREFIX}SESSIONS) "
                "and all of them are in use; try again in some minutes, "
                "or delete one that you no longer need",
                where="sessions",
            )

    def add(self, session: Session) -> None:
        self.store.create(session.record())
        self._hold(session)

    async def get(self, id: str) -> Session:
        session = self._alive.get(id)
        if session is None:
            session = await self._load(id)
        elif id in self.memory:
            self.memory.move_to_end(id)
        else:
            self._hold(session)
        self._touch(session)
        return session

    async def _load(self, id: str) -> Session:
        """Read it from the store; who asks while that is under way gets the same one."""
        task = self._loading.get(id)
        if task is None:
            task = asyncio.create_task(self._restore(self._find(id)))
            self._loading[id] = task
            task.add_done_callback(lambda _: self._loading.pop(id, None))
        return await asyncio.shield(task)

    def _find(self, id: str) -> Record:
        record = self.store.load(id)
        if record is not None and record.touched < time.time() - DAY * self.settings.expiry_days:
            self.remove(id)
            record = None
        if record is None:
            raise NotFoundError(
                "there is no session of this id; it may have been deleted, or expired after "
                f"{self.settings.expiry_days:g} days without use. "
                "POST /api/sessions makes a new one",
                where=id[:80],
            )
        return record

    async def _restore(self, record: Record) -> Session:
        session = await self.workers.run(lambda: Session(record, self.limits))
        self._hold(session)
        return session

    def _hold(self, session: Session) -> None:
        self.memory[session.id] = self._alive[session.id] = session
        for id in list(self.memory):
            if len(self.memory) <= max(1, self.limits.sessions_in_memory):
                break
            self._let_go(id)

    def _touch(self, session: Session) -> None:
        now = time.time()
        if now - session.touched > TOUCH_SECONDS:
            session.touched = now
            self.store.touch(session.id, now)

    # --- going ----------------------------------------------------------------------------------

    def _let_go(self, id: str) -> None:
        """Let it leave memory, unless somebody is at it."""
        session = self.memory[id]
        if not (session.turn.locked() or session.engine.locked()):
            del self.memory[id]

    def distrust(self, id: str) -> None:
        """What is in memory may be wrong; the next one who asks reads the store."""
        self.memory.pop(id, None)
        self._alive.pop(id, None)

    def lost(self, id: str) -> StaleError | NotFoundError:
        """Another process has changed the session in the store: what is here is out of date."""
        self.distrust(id)
        record = self.store.load(id)
        if record is None:
            return NotFoundError("the session has been deleted meanwhile", where=id)
        return StaleError(record.revision)

    def remove(self, id: str) -> None:
        self.store.delete(id)
        self.distrust(id)
        self.publish(id, "deleted", {})

    def sweep(self) -> None:
        """What is idle leaves memory; what has expired is deleted."""
        now = time.time()
        idle = now - MINUTE * self.settings.idle_minutes
        for id, session in list(self.memory.items()):
            if session.touched + TOUCH_SECONDS < idle:
                self._let_go(id)
        for id in self.store.oldest(now - DAY * self.settings.expiry_days, EXPIRED_AT_ONCE):
            self.remove(id)
