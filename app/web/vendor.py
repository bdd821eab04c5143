"""What others made and pip installed: the chart library and the font for formulas. Read and
gzipped once, when first asked for. `url()` names one with its tag, and that address may be kept by
a browser for ever; the plain address is asked about again after a day."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.web import font
from app.web.assets import FOR_EVER, Asset

A_DAY = "public, max-age=86400"

router = APIRouter(include_in_schema=False)


def _installed(package: str, inside: str) -> Path:
    """A file in an installed package, without importing the package."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"package not installed: {package}")
    return Path(spec.origin).parent / inside


FILES: dict[str, Callable[[], Path]] = {
    "plotly.min.js": lambda: _installed("plotly", "package_data/plotly.min.js"),
    "math.ttf": lambda: _installed("ziamath", "fonts/STIXTwoMath-Regular.ttf"),
}
CHANGES: dict[str, Callable[[bytes], bytes]] = {"math.ttf": font.smaller}


@cache
def _asset(name: str) -> Asset:
    return Asset.read(FILES[name](), CHANGES.get(name))


def url(name: str) -> str:
    return f"/vendor/{name}?v={_asset(name).tag}"


@router.api_route("/vendor/{name}", methods=["GET", "HEAD"])
def vendor(request: Request, name: str, v: Annotated[str | None, Query()] = None) -> Response:
    if name not in FILES:
        raise HTTPException(404, f"no such file: {name}")
    asset = _asset(name)
    return asset.answer(request.headers, cache=FOR_EVER if v == asset.tag else A_DAY)
