"""A route for the calls made most often: FastAPI documents it from its signature like any other,
and it is then called directly, since looking up each argument anew costs more than a step.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

Endpoint = Callable[[Request, str, Any, str | None], Awaitable[Response]]


class Direct(APIRoute):
    """For `(request, id, body: Model, if_match)`; the body's default, if there is one, stands for
    no body.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        if self.body_field is None:
            return super().get_route_handler()
        endpoint: Endpoint = self.endpoint
        model = self.body_field.field_info.annotation
        assert isinstance(model, type) and issubclass(model, BaseModel)
        optional = not self.body_field.field_info.is_required()

        async def handle(request: Request) -> Response:
            given = await request.body()
            body = model() if optional and not given else read(model, given, request)
            headers = request.headers
            return await endpoint(request, request.path_params["id"], body, headers.get("if-match"))

        return handle


def read(model: type[BaseModel], given: bytes, request: Request) -> BaseModel:
    """The body, or the very errors that FastAPI would raise."""
    if not given:
        missing = {"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}
        raise RequestValidationError([missing])
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        wrong = {"type": "model_attributes_type", "loc": ("body",), "msg": "", "input": given}
        raise RequestValidationError([wrong], body=given)
    try:
        return model.model_validate(_parsed(given))
    except ValidationError as error:
        errors = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(errors, body=None) from None


def _parsed(given: bytes) -> Any:
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:
        pass  # the standard library says better what is wrong, and reads a bare NaN
    try:
        return json.loads(given)
    except json.JSONDecodeError as error:
        found = {
            "type": "json_invalid",
            "loc": ("body", error.pos),
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.msg},
        }
        raise RequestValidationError([found]) from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise HTTPException(400) from None
