"""Training that is watched: it goes on at full speed until somebody stops it, in stretches of some
milliseconds. Between two of them anybody may change the learning rate or look around; after each
one whoever watches gets a picture. Nobody watching, nothing drawn, and soon nothing trained.

What was reached is kept about once a second and when it stops; a stop is exact, so that the very
iteration can be walked through.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.lab.condition import Ending
from app.lab.until import Patience, parse_until, train_until
from app.sessions.actions import Restore
from app.sessions.desk import Desk
from app.sessions.errors import FullError, NotFoundError, StaleError, over
from app.sessions.game import Game, Wish
from app.sessions.moment import Moment, settled
from app.sessions.session import Session, worded
from app.sessions.viewer import Point, Viewer

PICTURE_SECONDS = 1 / 15
SPARE_SECONDS = 0.004  # of each, for the picture and for everybody else
KEEP_SECONDS = 1.0
BURST = 100.0  # updates that a late stretch may make up for
ALONE_SECONDS = 10.0  # so long it goes on when nobody watches
ALIVE_SECONDS = 15.0
ENDED = 500  # runs of which is remembered why they stopped


class StreamsError(FullError):
    """Too many viewers of one session."""

    code = "too_many_streams"


class Playroom:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.games = desk, dict[str, Game]()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def game(self, session: Session) -> Game:
        game = self.games.get(session.id)
        if game is None or game.session is not session and not game.on:
            viewers = game.viewers if game else set()
            game = self.games[session.id] = Game(session, viewers=viewers)
        return game

    # --- start and stop -------------------------------------------------------------------------

    async def play(self, session: Session, wish: Wish) -> None:
        """Begin, or go on otherwise: a wish may be changed while it plays."""
        most = self.desk.limits.iterations_per_session
        start = settled(session.position, session.of).iteration
        if start >= most:
            raise BackstepError(over("iterations_per_session", most, start + 1), where="iterations")
        stop = most if wish.stop is None else min(most, wish.stop)
        if wish.restore_best:
            session.check_validation()
        until = {"nonfinite": True, **(wish.until or {})}
        async with session.engine:
            conditions = await self.desk.workers.run(lambda: parse_until(until, session.run))
        game = self.game(session)
        game.wish, game.conditions = replace(wish, stop=stop), conditions
        game.seen = time.monotonic()
        if game.task is None or game.task.done():
            game.on, game.reason, game.says, session.stopped = True, "", "", False
            game.task = asyncio.create_task(self._run(game))

    async def pause(self, session: Session, reason: str = "paused") -> None:
        """Returns when it stands still and what was reached is kept."""
        game = self.games.get(session.id)
        if game is None or game.task is None or game.task.done():
            return
        game.on, game.reason = False, reason
        await asyncio.shield(game.task)

    def standing(self, id: str) -> dict[str, Any]:
        """Whether it plays, and if not, why it stopped when it last did."""
        game = self.games.get(id)
        if game is not None and (game.on or game.reason):
            ending = game.task is not None and not game.task.done()
            return game.standing | {"playing": game.on or ending}
        return self._ended.get(id, {"playing": False, "reason": "", "says": ""})

    # --- watching -------------------------------------------------------------------------------

    async def watch(self, session: Session) -> Viewer:
        """A new viewer: the scene as it is now, then pictures; hand it back with `leave`."""
        game = self.game(session)
        most = self.desk.limits.streams_per_session
        if len(game.viewers) >= most:
            raise StreamsError(over("streams_per_session", most, most + 1), where=session.id)
        viewer = Viewer()
        game.viewers.add(viewer)
        game.seen = time.monotonic()
        try:
            async with session.engine:
                scene, picture = await self.desk.workers.run(lambda: self._first(game))
        except BaseException:
            self.leave(session.id, viewer)
            raise
        viewer.scene(scene)
        viewer.picture(picture, [])
        return viewer

    def leave(self, id: str, viewer: Viewer) -> None:
        game = self.games.get(id)
        if game is None:
            return
        game.viewers.discard(viewer)
        game.seen = time.monotonic()
        if not game.viewers and not game.on:
            del self.games[id]

    async def tend(self, stopping: asyncio.Event) -> None:
        """One task for all: signs of life, and an end when the server ends."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), ALIVE_SECONDS)
            except TimeoutError:
                for viewer in self._viewers():
                    viewer.sign_of_life()
        for game in list(self.games.values()):
            game.on = False
        ending = [game.task for game in self.games.values() if game.task]
        await asyncio.gather(*ending, return_exceptions=True)
        for viewer in self._viewers():
            viewer.end()

    def _viewers(self) -> list[Viewer]:
        return [viewer for game in self.games.values() for viewer in game.viewers]

    def heard(self, id: str, event: str, data: dict[str, Any]) -> None:
        """What everybody is told of a session. Who watches sees where it is now, after a step, a
        jump or a change by whomever.
        """
        game = self.games.get(id)
        if game is None:
            return
        if event == "deleted":
            game.on = False
            for viewer in game.viewers:
                viewer.end()
        elif event == "session" and (game.task is None or game.task.done()):
            task = asyncio.create_task(self._refresh(game))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _refresh(self, game: Game) -> None:
        session = game.session
        async with session.engine:
            game.curve.cut(settled(session.position, session.of).iteration)
            scene, picture = await self.desk.workers.run(lambda: self._first(game))
        for viewer in list(game.viewers):
            viewer.scene(scene)
            viewer.picture(picture, [])

    # --- the run --------------------------------------------------------------------------------

    async def _run(self, game: Game) -> None:
        session = game.session
        where, points = settled(session.position, session.of), list[Point]()
        game.kept = time.monotonic()
        try:
            while game.on and not self.desk.workers.stopping:
                began = time.perf_counter()
                async with session.turn:
                    if settled(session.position, session.of) != where:
                        game.on, game.reason = False, "moved"
                        break
                    async with session.engine:
                        picture, points = await self.desk.workers.run(lambda: self._stretch(game))
                    where = session.position
                    if session.stopped:
                        game.on, game.reason = False, "paused"
                    if time.monotonic() - game.kept > KEEP_SECONDS:
                        self._keep(session)
                        game.kept = time.monotonic()
                if not game.on:
                    break
                self._show(game, picture, points)
                points = []
                if game.viewers or game.wish.forever:
                    game.seen = time.monotonic()
                elif time.monotonic() - game.seen > ALONE_SECONDS:
                    game.on, game.reason = False, "alone"
                rest = PICTURE_SECONDS - (time.perf_counter() - began)
                await asyncio.sleep(max(0.0, rest))
        except BackstepError as error:
            game.reason, game.says = "error", error.message
        finally:
            game.on = False
            with suppress(NotFoundError, StaleError):  # deleted, or changed by another process
                async with session.turn:
                    self._keep(session)
                if game.reason == Patience.name and game.wish.restore_best:
                    await self._restore(game)
                await self._end(game, points)

    async def _restore(self, game: Game) -> None:
        """On with the weights of the least validation loss."""
        session = game.session
        await self.desk.change(session, lambda: [session.restore_change(None)])
        last = session.changes[-1]
        if isinstance(last, Restore):
            game.says += f" The best weights, of iteration {last.source}, are taken up again."

    async def _end(self, game: Game, points: list[Point]) -> None:
        """The last picture; `points` have not been shown yet."""
        session = game.session
        self._ended[session.id] = game.standing
        while len(self._ended) > ENDED:
            self._ended.popitem(last=False)
        if game.viewers and not self.desk.workers.stopping:
            async with session.engine:
                picture = await self.desk.workers.run(lambda: game.picture())
            self._show(game, picture, points)
        elif not game.viewers:
            self.games.pop(session.id, None)

    def _keep(self, session: Session) -> None:
        """The position, for ever; and who follows the session hears of it."""
        loss = session.run.history.train_loss[session.position.iteration - 1 :][:1]
        session.revision += 1
        if not self.desk.cabinet.store.move(session.record_of_move(), session.revision - 1):
            raise self.desk.cabinet.lost(session.id)
        session.shown = session.face(worded(loss[0]) if loss else None)
        self.desk.publish(session.id, "session", session.shown)

    def _stretch(self, game: Game) -> tuple[dict[str, Any], list[Point]]:
        """Some milliseconds of training, in a thread, and what there is to be seen of it."""
        session, wish = game.session, game.wish
        run, workers = session.run, self.desk.workers
        began = time.perf_counter()
        start = settled(session.position, session.of).iteration
        most = wish.stop if wish.stop is not None else self.desk.limits.iterations_per_session
        game.owed = min(game.owed, BURST) + wish.quota(start, PICTURE_SECONDS)
        stop = min(most, start + int(min(game.owed, most)))
        ending: Ending | None = None
        done, until = start, began + PICTURE_SECONDS - SPARE_SECONDS

        def go_on(reached: int) -> bool:
            workers.pass_turn()
            return time.perf_counter() < until and not (workers.stopping or session.stopped)

        if stop > start:
            workers.take_turn()
            try:
                done, ending = train_until(run, start, stop, game.conditions, go_on)
            finally:
                workers.end_turn()
        game.owed -= done - start
        losses = np.array(run.history.train_loss[start:done])
        if ending is not None:
            game.on, game.reason, game.says = False, ending.reason, ending.says
        elif done >= most:
            limit = done >= self.desk.limits.iterations_per_session
            game.on, game.reason = False, "limit" if limit else "done"
        if done > start:
            session.arrive(Moment(done, 0))
        took = max(time.perf_counter() - began, PICTURE_SECONDS)
        game.rate += ((done - start) / took - game.rate) * (0.15 if game.rate else 1.0)
        if not game.viewers:
            return {}, []
        picture = game.picture()
        scores = picture["scores"]
        held = scores.get("validation")
        low, high = (losses.min(), losses.max()) if losses.size else (math.nan, math.nan)
        point = Point(
            done,
            scores["train"]["loss"],
            held["loss"] if held else None,
            worded(float(low)),
            worded(float(high)),
        )
        game.curve.add([point])
        return picture, [point]

    # --- what is seen ---------------------------------------------------------------------------

    def _show(self, game: Game, picture: dict[str, Any], points: list[Point]) -> None:
        if not picture:
            return
        picture = picture | game.standing
        for viewer in list(game.viewers):
            viewer.picture(picture, points)

    def _first(self, game: Game) -> tuple[dict[str, Any], dict[str, Any]]:
        """The scene, and the picture as it is now."""
        scene = game.scene(self.desk.limits.iterations_per_session)
        return scene, game.picture() | game.standing
