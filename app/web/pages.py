"""The pages. Each is one template and one row here; what moves on them is made by their scripts."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from app.lessons import lessons
from app.web.rendering import page

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
async def home() -> HTMLResponse:
    return page("home.html")


@router.get("/walk")
async def walk_spec() -> HTMLResponse:
    """The spec stands in the address after #."""
    return page("walk.html", lesson=None, session_id=None, title="A network of your own")


@router.get("/walk/session/{id}")
async def walk_session(id: str) -> HTMLResponse:
    return page("walk.html", lesson=None, session_id=id, title="Walk")


@router.get("/walk/{lesson}")
async def walk(lesson: str) -> HTMLResponse:
    found = lessons().get(lesson)
    if found is None:
        raise HTTPException(404, f"there is no lesson of this name: {lesson[:80]}")
    return page("walk.html", lesson=lesson, session_id=None, title=found.title)


@router.get("/lab/learning-rate")
async def learning_rate_lab() -> HTMLResponse:
    return page("lab_learning_rate.html")
