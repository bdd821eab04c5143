"""The pages. Each is one template and one row here; what moves on them is made by their scripts."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from app.lessons import lessons
from app.web import first
from app.web.rendering import kept

HERO = "neuron"  # the lesson that walks by itself on the home page

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
at = partial(router.api_route, methods=["GET", "HEAD"])


@at("/")
async def home(request: Request) -> Response:
    given = await first.home_page(request.app.state.desk, HERO)
    return kept(request.headers, "home.html", hero=HERO, given=given)


@at("/walk")
async def walk_spec(request: Request) -> Response:
    """The spec stands in the address after #."""
    return _walk(request, title="A network of your own")


@at("/walk/session/{id}")
async def walk_session(request: Request, id: str) -> Response:
    return _walk(request, session_id=id, title="Walk")


@at("/walk/{lesson}")
async def walk(request: Request, lesson: str) -> Response:
    found = lessons().get(lesson)
    if found is None:
        raise HTTPException(404, f"there is no lesson of this name: {lesson[:80]}")
    given = await first.walk_page(request.app.state.desk, lesson)
    return _walk(request, lesson=lesson, title=found.title, given=given)


def _walk(
    request: Request,
    *,
    title: str,
    lesson: str | None = None,
    session_id: str | None = None,
    given: str | None = None,
) -> Response:
    return kept(
        request.headers, "walk.html", title=title, lesson=lesson, session_id=session_id, given=given
    )


LAB = {
    "learning-rate": ("lanes", "Learning-rate lab"),
    "sharpness": ("sharpness", "How large may a step be?"),
    "landscape": ("landscape", "Loss landscape"),
}
"""The pages of the lab by address: the part that its script shows, and the title."""


@at("/lab/{name}")
async def lab(request: Request, name: str) -> Response:
    if name not in LAB:
        raise HTTPException(404, f"the lab has no such page: {name[:80]}")
    part, title = LAB[name]
    given = await first.lab_page()
    return kept(request.headers, "lab.html", given=given, part=part, title=title)


@at("/playground")
async def playground(request: Request) -> Response:
    return _playground(request)


@at("/playground/session/{id}")
async def playground_session(request: Request, id: str) -> Response:
    """A run that is going on, for a second look or a second person."""
    return _playground(request, id)


def _playground(request: Request, id: str | None = None) -> Response:
    given = first.playground_page()
    return kept(request.headers, "playground.html", given=given, session_id=id)
