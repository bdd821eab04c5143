"""GET /docs: read and try every route, offline and under the strict content policy. The page is our
own (static/js/docs.js): it draws whatever /openapi.json says."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from app.web.rendering import kept

router = APIRouter(include_in_schema=False)


@router.api_route("/docs", methods=["GET", "HEAD"], response_class=HTMLResponse)
async def docs(request: Request) -> Response:
    return kept(request.headers, "docs.html")
