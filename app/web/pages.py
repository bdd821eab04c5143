"""The pages. Each is one template and one row here; what moves on them is made by their scripts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from app.lessons import lessons
from app.web.rendering import page

HERO = "neuron"  # the lesson that walks by itself on the home page

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
async def home(request: Request) -> HTMLResponse:
    request.app.state.desk.warm(lessons()[HERO].spec)
    return page("home.html", hero=HERO)


@router.get("/walk")
async def walk_spec() -> HTMLResponse:
    """The spec stands in the address after #."""
    return page("walk.html", lesson=None, session_id=None, title="A network of your own")


@router.get("/walk/session/{id}")
async def walk_session(id: str) -> HTMLResponse:
    return page("walk.html", lesson=None, session_id=id, title="Walk")


@router.get("/walk/{lesson}")
async def walk(request: Request, lesson: str) -> HTMLResponse:
    """While the browser fetches the scripts, the lesson's first iteration is made ready."""
    found = lessons().get(lesson)
    if found is None:
        raise HTTPException(404, f"there is no lesson of this name: {lesson[:80]}")
    request.app.state.desk.warm(found.spec)
    return page("walk.html", lesson=lesson, session_id=None, title=found.title)


@router.get("/lab/learning-rate")
async def learning_rate_lab() -> HTMLResponse:
    return page("lab_learning_rate.html")
