"""Lessons: prepared specs with words."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from app.lessons import Lesson, lessons, next_lesson, topics
from app.sessions.desk import Desk
from app.sessions.frames import encode
from app.sessions.graphs import graph_view
from app.train.run import Run
from app.train.spec import parse_spec
from app.web.api.answers import FRESH, desk_of, says
from app.web.api.models import lessons as models
from app.web.api.sessions import chosen_spec
from app.web.errors import Json

router = APIRouter(prefix="/api/lessons", tags=["lessons"])
DRAWN = ("x", "y", "width", "height", "kind", "symbol", "label")


@cache
def run_of(id: str) -> Run:
    return Run(parse_spec(lessons()[id].spec))


@cache
def brief(id: str) -> dict[str, Any]:
    """What stands on the shelf: words and a small picture of the graph."""
    lesson = lessons()[id]
    graph = graph_view(run_of(id).graph(0))
    places = {(node["x"], node["y"]): node for node in graph["nodes"]}  # a closed scope is one box
    lines = {str(edge["points"]): edge["points"] for edge in graph["edges"]}
    return {
        **{name: getattr(lesson, name) for name in ("id", "title", "topic", "question", "summary")},
        "picture": {
            "width": graph["width"],
            "height": graph["height"],
            "nodes": [{name: node[name] for name in DRAWN} for node in places.values()],
            "edges": [{"points": points} for points in lines.values() if points],
        },
    }


@cache
def shelf() -> bytes:
    return encode({"lessons": [brief(id) for id in lessons()], "topics": topics()})


@cache
def whole(id: str) -> bytes:
    lesson: Lesson = lessons()[id]
    noted = lesson.noted(run_of(id).plan(0))
    after = next_lesson(id)
    return encode(
        {
            **brief(id),
            "spec": lesson.spec,
            "takeaway": lesson.takeaway,
            "source": lesson.source,
            "convention": lesson.convention,
            "links": [vars(link) for link in lesson.links],
            "next": after and {"id": after.id, "title": after.title},
            "opens": lesson.opens or "graph",
            "notes": [{"index": index, "says": sentence} for index, sentence in noted],
        }
    )


async def _made(desk: Desk, make: Any) -> Response:
    return Json(await desk.workers.run(make), 200, FRESH)


@router.get("", summary="All lessons", responses=says(models.Lessons, "lessons"))
async def index(request: Request) -> Response:
    """In the order in which they are shown, each with a small picture of its graph."""
    return await _made(desk_of(request), shelf)


@router.get("/{id}", summary="One lesson", responses=says(models.WholeLesson, "lesson", 404))
async def read(
    request: Request, id: Annotated[str, Path(description="a lesson's id", examples=["neuron"])]
) -> Response:
    """With its spec, its words and its sentences for the steps that matter."""
    chosen_spec(id, None)
    return await _made(desk_of(request), lambda: whole(id))
