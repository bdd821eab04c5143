"""Every refusal has one shape, {"error": {"code", "message", "where"}}, in words that a newcomer
can act on. Browsers that ask for a page get the same words as a page.
"""

from __future__ import annotations

import sqlite3
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from app.engine.errors import BackstepError
from app.sessions.errors import (
    EmptyError,
    FullError,
    NotFoundError,
    StaleError,
    StoreError,
)
from app.web.rendering import page

STATUS: dict[type[BackstepError], int] = {
    NotFoundError: 404,
    EmptyError: 409,
    StaleError: 412,
    FullError: 503,
    StoreError: 503,
}
WORDS = {
    400: ("bad_request", "the request cannot be read: its body must be JSON in UTF-8"),
    404: ("not_found", "there is nothing at this address; GET /docs lists all routes"),
    405: ("method_not_allowed", "this address does not answer to this method"),
}
LONGEST = 600
JSON_ONLY = (
    "the body must be JSON and say so: send the header Content-Type: application/json "
    "(with curl: -H 'Content-Type: application/json')"
)


class InternalError(BackstepError):
    """A fault of the server's own."""

    code = "internal"


BROKEN = InternalError(
    "something broke inside the server; nothing that was answered before is lost"
)


class Json(Response):
    media_type = "application/json"


def refusal(
    status: int,
    code: str,
    message: str,
    where: str | None = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    body = _body(code, message, where, **more)
    return Json(orjson.dumps(body), status, {"cache-control": "no-store", **(headers or {})})


def _body(code: str, message: str, where: str | None, **more: Any) -> dict[str, Any]:
    told = message if len(message) <= LONGEST else f"{message[:400]} … {message[-150:]}"
    return {"error": {"code": code, "message": told, "where": where and where[:200], **more}}


def error_body(error: BackstepError) -> dict[str, Any]:
    """For an answer that has begun already, as an event stream."""
    return _body(error.code, error.message, error.where)


def too_large(allowed: int) -> Response:
    message = f"the request's body is too large: at most {allowed:,} bytes (BACKSTEP_BODY_BYTES)"
    return refusal(413, "too_large", message, "body")


def install(app: FastAPI) -> None:
    app.add_exception_handler(BackstepError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(sqlite3.Error, _store)
    app.add_exception_handler(MemoryError, _memory)
    app.add_exception_handler(Exception, _crash)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, BackstepError)
    status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 422)
    more, headers = {}, {}
    if isinstance(error, StaleError):
        more, headers = {"revision": error.revision}, {"etag": f'"{error.revision}"'}
    if status == 503:
        headers = {"retry-after": "60"}
    return refusal(status, error.code, error.message, error.where, headers, **more)


async def _invalid(request: Request, error: Exception) -> Response:
    """pydantic's findings in plain words; the first is enough."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()[0]
    source, *path = found["loc"]
    if found["type"] == "json_invalid":
        place = path[0] if path else 0
        message = f"the body is not valid JSON: {found['ctx']['error']} at character {place}"
        return refusal(400, "invalid_json", message, "body")
    if isinstance(error.body, bytes) and source == "body":
        return refusal(415, "unsupported_media_type", JSON_ONLY, "Content-Type")
    where = ".".join(str(part) for part in path) or str(source)
    words = _words(found)
    if found["type"] == "extra_forbidden" and len(path) == 1 and source == "body":
        words += f"; accepted: {', '.join(_accepted(request))}"
    return refusal(422, "invalid", words, where)


def _accepted(request: Request) -> list[str]:
    """The names of the fields that this route's body may have."""
    return list(request.scope["route"].body_field.field_info.annotation.model_fields)


def _words(found: dict[str, Any]) -> str:
    kind, context, given = found["type"], found.get("ctx", {}), found.get("input")
    name = found["loc"][-1]
    told = repr(given) if len(repr(given)) <= 60 else "something else"
    if kind == "missing":
        return f"is missing: {name!r}" if name != "body" else "a JSON body is missing"
    if kind == "extra_forbidden":
        return f"field is not known: {name!r}"
    if kind in ("int_type", "int_parsing", "int_from_float"):
        return f"must be a whole number: {told}"
    if kind in ("float_type", "float_parsing"):
        return f"must be a number: {told}"
    if kind in ("bool_type", "bool_parsing"):
        return f"must be true or false: {told}"
    if kind == "string_too_long":
        return f"must be a text of at most {context['max_length']} characters"
    if kind == "string_type":
        return f"must be a text: {told}"
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return f"must be a JSON object such as {{…}}: {told}"
    if kind == "list_type":
        return f"must be a list: {told}"
    if kind in ("greater_than_equal", "greater_than"):
        least = context.get("ge", context.get("gt"))
        return f"must be {'at least' if 'ge' in context else 'more than'} {least}: {told}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']}: {told}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}: {told}"
    if kind == "value_error":
        return str(context.get("error", found["msg"]))
    return f"{found['msg']}: {told}"


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    fallback = (f"http_{status}", HTTPStatus(status).phrase)
    code, message = WORDS.get(status, fallback)
    if status == 413:
        return too_large(request.app.state.settings.limits.body_bytes)
    if status == 404 and error.detail != HTTPStatus(404).phrase:
        message = str(error.detail)
    headers = dict(error.headers or {})
    path = request.url.path
    if status == 405:
        headers["allow"] = ", ".join(sorted(_methods(request)))
        message = f"{message}: {request.method}; it answers to {headers['allow']}"
    if not path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
        answer = page("error.html", request.headers, status_code=status, message=message)
        answer.headers.update(headers)
        return answer
    return refusal(status, code, message, f"{request.method} {path}"[:200], headers)


def _methods(request: Request) -> set[str]:
    """All that this address answers to."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match != Match.NONE:
            found |= set(getattr(route, "methods", None) or {"GET", "HEAD"})
    return found


async def _store(request: Request, error: Exception) -> Response:
    message = f"the store did not take it, so nothing was changed: {error}"
    return refusal(503, "store", message, headers={"retry-after": "5"})


async def _memory(request: Request, error: Exception) -> Response:
    message = "the server has not enough memory for this at the moment; ask for less of it"
    return refusal(503, "full", message, headers={"retry-after": "60"})


async def _crash(request: Request, error: Exception) -> Response:
    return refusal(500, "internal", BROKEN.message, f"{request.method} {request.url.path}")
