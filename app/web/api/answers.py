"""What all routes share: the desk, If-Match, JSON that is ready to be sent, and what the API page
says about answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import Header, Path, Query, Request
from starlette.responses import Response

from app.sessions.desk import Desk, anybody
from app.sessions.moment import Moment
from app.sessions.session import Session
from app.web.api.models.base import Refusal
from app.web.errors import Json

FRESH = {"cache-control": "no-store"}

Id = Annotated[str, Path(description="a session's id", examples=["Zk3hT0dWn8xQ"])]
IfMatch = Annotated[
    str | None,
    Header(
        description='the revision that you know, such as "3"; if it is stale, nothing is changed'
    ),
]
Iteration = Annotated[int | None, Query(ge=0, description="default: the session's own")]
StepQuery = Annotated[int | None, Query(ge=0, description="steps done; default: the session's own")]


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def known(if_match: str | None) -> Callable[[int], bool]:
    """Whether a revision is among those that the header names; without the header everything is
    welcome.
    """
    if if_match is None or if_match.strip() == "*":
        return anybody
    named = {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}
    return lambda revision: str(revision) in named


def here(session: Session, iteration: int | None, step: int | None) -> Moment:
    """The moment asked for; the session's own where nothing is said."""
    if iteration is None:
        return Moment(session.position.iteration, session.position.step if step is None else step)
    if step is None:
        step = session.position.step if iteration == session.position.iteration else 0
    return Moment(iteration, step)


def raw(pieces: list[bytes]) -> list[orjson.Fragment]:
    """JSON that is encoded already."""
    return [orjson.Fragment(piece) for piece in pieces]


def answer(
    content: Any, *, revision: int | None = None, status: int = 200, **headers: str
) -> Response:
    about = {**FRESH, **headers}
    if revision is not None:
        about["etag"] = f'"{revision}"'
    return Json(orjson.dumps(content), status, about)


def encoded(content: bytes, revision: int) -> Response:
    """As `answer`, of what is JSON already."""
    return Json(content, 200, {**FRESH, "etag": f'"{revision}"'})


_SAYS = {
    400: ("the body is not JSON", "invalid_json", "Expecting value at character 9", "body"),
    404: ("no such session, node or lesson", "not_found", "there is no session of this id", "id"),
    409: ("nothing stands there yet", "empty", "z has no grad at this moment", "z"),
    412: (
        "If-Match names a stale revision",
        "stale_revision",
        "the session has changed meanwhile: it is at revision 7 now",
        "If-Match",
    ),
    413: ("the body is too large", "too_large", "at most 2,000,000 bytes", "body"),
    415: (
        "the body is not said to be JSON",
        "unsupported_media_type",
        "the body must be JSON and say so",
        "Content-Type",
    ),
    422: ("understood, but it cannot be done", "invalid", "must be at least 0: -1", "iteration"),
    503: ("no room for more", "full", "the server keeps at most 10,000 sessions", "sessions"),
}
"""What a refusal is described as; an example's code, message and where."""

READ = (404, 422)
CHANGE = (400, 404, 412, 413, 415, 422)


def says(
    model: Any, example: str, *refusals: int, status: int = 200, description: str = ""
) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route. The example is named here and made by a real session, see
    examples.py.
    """
    found: dict[int | str, dict[str, Any]] = {
        status: {
            "model": model,
            "description": description or "done",
            "content": {"application/json": {"example": {"made": example}}},
        }
    }
    for code in refusals:
        description, name, message, where = _SAYS[code]
        error: dict[str, Any] = {"code": name, "message": message, "where": where}
        if code == 412:
            error["revision"] = 7
        found[code] = {
            "model": Refusal,
            "description": description,
            "content": {"application/json": {"example": {"error": error}}},
        }
    return found
