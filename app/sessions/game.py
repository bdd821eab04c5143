"""A session that is played or watched: how somebody wishes it to be played, where it stands, and
what whoever watches gets to see of it.
"""

from __future__ import annotations

import asyncio
import math
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.engine.graph import PARAMETER
from app.engine.types import VALUE
from app.lab.condition import Condition
from app.lab.portrait import Portrait
from app.sessions.moment import settled
from app.sessions.session import Session, worded
from app.sessions.viewer import Curve, Viewer

GENTLE = 100.0  # updates a second at the start of a gentle run …
GROWTH = 2.0  # … which shows in every second about so much more of it than there was before


@dataclass(frozen=True)
class Wish:
    """How to play. `speed` in updates a second, None for all that the machine can do; `gentle`
    begins slowly, so that the first hundred updates can be seen; `stop` is the iteration to end at.
    """

    speed: float | None = None
    gentle: bool = False
    stop: int | None = None
    forever: bool = False  # also when nobody watches
    until: dict[str, Any] | None = None  # see lab/until.py; the first broken number always ends it
    restore_best: bool = False  # then go on from the weights of the least validation loss

    def quota(self, iteration: int, seconds: float) -> float:
        """How many updates this much time is for."""
        rate = math.inf if self.speed is None else self.speed
        if self.gentle:
            rate = min(rate, max(GENTLE, GROWTH * iteration))
        return rate * seconds


@dataclass
class Game:
    """A session being played or watched."""

    session: Session
    wish: Wish = field(default_factory=Wish)
    on: bool = False
    reason: str = ""  # why it stopped
    says: str = ""  # the same in words
    conditions: list[Condition] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    viewers: set[Viewer] = field(default_factory=set)
    curve: Curve = field(default_factory=Curve)
    portrait: Portrait | None = None
    drawn_of: object = None
    rate: float = 0.0  # updates a second, over the last second or so
    owed: float = 0.0
    seen: float = 0.0  # when somebody last watched
    kept: float = 0.0

    @property
    def standing(self) -> dict[str, Any]:
        return {"playing": self.on, "reason": self.reason, "says": self.says}

    def _portrait(self) -> Portrait:
        run = self.session.run
        if self.portrait is None or self.drawn_of is not run:
            self.portrait, self.drawn_of = Portrait(run), run
        return self.portrait

    def scene(self, limit: int) -> dict[str, Any]:
        """What all pictures have in common; `limit` is how far a run goes."""
        portrait, session = self._portrait(), self.session
        gallery = portrait.gallery
        samples = {
            which: {"inputs": np.round(inputs, 5).tolist(), "targets": targets.tolist()}
            for which, (inputs, targets) in portrait.samples.items()
            if portrait.flat
        }
        scene = {
            "id": session.id,
            "columns": [vars(column) for column in portrait.columns],
            "flat": portrait.flat,
            "domain": portrait.domain.axes,
            "shapes": portrait.shapes,
            "classes": portrait.answer.classes,
            "samples": samples,
            "sequences": portrait.recital and portrait.recital.scene,
            "gallery": gallery and {**gallery.scene, "inputs": gallery.pixels},
            "picture": portrait.picture,
            "features": portrait.problem.names("columns"),
            "labels": portrait.problem.names("classes"),
            "curve": self.curve.rows(),
            "batches": session.batches,
            "limit": limit,
        }
        told: dict[str, Any] = worded(scene)
        return told

    def picture(self) -> dict[str, Any]:
        """At the session's position, by who holds its engine."""
        session, portrait = self.session, self._portrait()
        run, at = session.run, settled(session.position, session.of).iteration
        slots = run.carried(at)
        maps = portrait.maps(slots)
        limits = portrait.limits(maps)
        settings = run.settings(at)
        picture: dict[str, Any] = {
            "iteration": at,
            "epoch": at // session.batches,
            "revision": session.revision,
            "lr": settings.lr,
            "lr_now": run.lr(at),
            "rate": self.rate if self.on else 0.0,
            "scores": portrait.scores(slots),
            "limits": limits,
            "weights": {n.name: slots[n.name, VALUE].tolist() for n in portrait.weights},
            "regularisation": settings.regularisation,
        }
        if said := portrait.recital or portrait.gallery:
            picture |= said.answers()
        if not self.on:
            picture["batch_loss"] = run.loss(at)
            picture["parameters"] = sum(
                int(np.prod(n.shape)) for n in run.graph(at).kind(PARAMETER)
            )
        found: dict[str, Any] = worded(picture)
        found["maps"] = b64encode(portrait.pixels(maps, limits)).decode() if maps else ""
        return found
