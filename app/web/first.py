"""What a page's first view needs, as JSON that stands in the page itself, so that nothing is asked
for before the first step. A run follows from its spec alone: a lesson's first iteration is the same
for everybody and made once. A session of one's own comes while the visitor looks."""

from __future__ import annotations

from functools import cache

import numpy as np
import orjson

from app.lessons import lessons
from app.sessions.desk import Desk
from app.sessions.session import Session, new_record
from app.sessions.views import state_view
from app.train.augment import Augment
from app.train.data import parse_data
from app.train.datasets import DATASETS
from app.train.limits import SpecLimits
from app.web.api.answers import raw
from app.web.api.catalogue import parameters
from app.web.api.datasets import SAYS
from app.web.api.lessons import shelf
from app.web.api.lessons import whole as lesson_view
from app.web.api.sessions import whole as session_view

SHOWN = 70  # samples of a data set on its button
FRAMES = 8  # for the first steps; the others are fetched ahead
ALL = 48  # as many as timeline.js takes at once: what walks by itself

_walks: dict[tuple[str, int], bytes] = {}


async def walk_page(desk: Desk, lesson: str) -> str:
    return _given(await _walk(desk, lesson, FRAMES), f"/api/lessons/{lesson}", lesson_view(lesson))


async def home_page(desk: Desk, lesson: str) -> str:
    return _given(await _walk(desk, lesson, ALL), "/api/lessons", shelf())


async def lab_page() -> str:
    return _given(b"null", "/api/lessons", shelf())


@cache
def playground_page() -> str:
    """What the data sets look like, to choose by: points, a picture, or rows of tokens; with the
    catalogue's words for what can be chosen of them.
    """
    sets = []
    for name, row in DATASETS.items():
        told = {
            "name": name,
            "task": row.task,
            "classes": row.classes,
            "summary": row.summary,
            "options": {
                one["name"]: {key: one[key] for key in ("default", "summary")}
                for one in row.arguments()
            },
        }
        data = {"dataset": name, "samples": SHOWN}
        some = parse_data(
            data, classes=False, batch_size=None, shuffle=False, seed=1, limits=SpecLimits()
        )
        inputs, targets = some.inputs, some.targets
        if inputs.ndim == 2 and inputs.shape[1] <= 2:
            points = np.hstack([inputs, targets.reshape(SHOWN, -1)]).round(3).tolist()
            sets.append({**told, "points": points})
        elif inputs.ndim == 4:
            sets.append({**told, "picture": inputs[3, 0].round(2).tolist()})
        elif row.task == "sequence":
            sets.append({**told, "tokens": inputs[:5, :5, 0].tolist()})
    sets.sort(key=lambda told: "points" not in told)  # the plane first
    words = {name: summary for name, (_, summary) in SAYS.items()}
    words |= {one["name"]: one["summary"] for one in parameters(Augment)}
    whole = orjson.dumps({"walk": None, "answers": {}, "sets": sets, "words": words})
    return whole.replace(b"</", b"<\\/").decode()


async def _walk(desk: Desk, lesson: str, frames: int) -> bytes:
    """A session as it begins, but without an id; its first values, its first iteration's
    first frames."""
    if (lesson, frames) not in _walks:
        found = lessons()[lesson]
        record = new_record("", found.spec, lesson=lesson, title=found.title)
        session = await desk.workers.run(lambda: Session(record, desk.limits))
        told = {
            "session": await session_view(desk, session),
            "nodes": await desk.compute(session, lambda: state_view(session.run, 0, 0)["nodes"]),
            "frames": raw(await desk.frames(session, 0, 0, min(frames, session.of(0)))),
        }
        _walks[lesson, frames] = orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY)
    return _walks[lesson, frames]


@cache
def _given(walk: bytes, address: str, answer: bytes) -> str:
    """Nothing in it can end the script element in which it stands."""
    answers = orjson.dumps({address: orjson.Fragment(answer)})
    whole = b'{"walk":' + walk + b',"answers":' + answers + b"}"
    return whole.replace(b"</", b"<\\/").replace(b"<!--", b"\\u003c!--").decode()
