"""A page's modules as one module, and its styles as one style sheet: forty small answers cost a
browser more than all that is in them. Made from the files under `static/` when first asked for and
again when one of them has changed; there is nothing to build and nothing to forget.

Our modules have named exports, imports at the top and no circles, so each becomes a function that
returns its exports, in an order in which nobody is used before it is made. What a module imports
later, by `import()`, stays a file of its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app import paths
from app.web import slim
from app.web.assets import FOR_EVER, REVALIDATE, Asset

IMPORT = re.compile(
    r"""^import\s+(?:\{(?P<names>[^}]*)\}|\*\s+as\s+(?P<all>\w+))\s+from\s+["'](?P<path>\.[^"']+)["'];""",
    re.MULTILINE,
)
EXPORT = re.compile(
    r"^export\s+(?P<what>(?:async\s+)?function\*?|const|class)\s+(?P<name>\w+)", re.MULTILINE
)
LATER = re.compile(r"""\bimport\(\s*["'](?P<path>\.[^"']+)["']\s*\)""")
OTHER = re.compile(r"^(?:import|export)\b(?!\s*\{\s*\};)[^\n]*", re.MULTILINE)
NAMES = re.compile(r"[a-z_]+(\+[a-z_]+)*")

router = APIRouter(include_in_schema=False)


def script(first: str) -> str:
    """The module `first`, such as "js/main.js", with all that it imports."""
    order: dict[str, str] = {}
    _collect(first, order, ())
    numbers = {name: f"m{number}" for number, name in enumerate(order)}
    parts = [_wrapped(name, text, numbers) for name, text in order.items()]
    return "\n".join(parts)


def style(names: list[str]) -> str:
    """Style sheets one after the other."""
    return "\n".join((paths.static() / "css" / f"{name}.css").read_text("utf-8") for name in names)


def _collect(name: str, order: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules import in a circle: {' → '.join((*above, name))}")
    if name in order:
        return
    text = slim.script((paths.static() / name).read_text("utf-8"))
    for found in IMPORT.finditer(text):
        _collect(_beside(name, found["path"]), order, (*above, name))
    order[name] = text


def _beside(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _wrapped(name: str, text: str, numbers: dict[str, str]) -> str:
    exports = [found["name"] for found in EXPORT.finditer(text)]

    def bound(found: re.Match[str]) -> str:
        module = numbers[_beside(name, found["path"])]
        if found["all"]:
            return f"const {found['all']} = {module};"
        names = re.sub(r"(\w+)\s+as\s+(\w+)", r"\1: \2", found["names"])
        return f"const {{{names}}} = {module};"

    text = IMPORT.sub(bound, text)
    text = EXPORT.sub(r"\g<what> \g<name>", text)
    text = LATER.sub(lambda found: f'import("/static/{_beside(name, found["path"])}")', text)
    if left := OTHER.search(text):
        raise ValueError(f"{name}: cannot be put into one file: {left[0]}")
    text = re.sub(r"\n\s*\n+", "\n", text.strip())
    return f"const {numbers[name]} = (() => {{\n{text}\nreturn {{ {', '.join(exports)} }};\n}})();"


def _sources(name: str) -> tuple[Callable[[], str], str]:
    """How a bundle is made and what kind of file it is; the name is that in its address."""
    stem, _, suffix = name.rpartition(".")
    if NAMES.fullmatch(stem) and suffix in ("js", "css"):
        parts = stem.split("+")
        if all((paths.static() / suffix / f"{part}.{suffix}").is_file() for part in parts):
            if suffix == "css":
                return lambda: style(parts), suffix
            if len(parts) == 1:
                return lambda: script(f"js/{stem}.js"), suffix
    raise HTTPException(404, f"no such file: {name}")


@lru_cache(maxsize=16)
def _made(name: str, _state: tuple[int, ...]) -> Asset:
    make, suffix = _sources(name)
    change = slim.BY_SUFFIX[".css"] if suffix == "css" else None
    return Asset.of(make().encode(), f".{suffix}", change)


def _asset(name: str) -> Asset:
    folder = paths.static() / name.rpartition(".")[2]
    state = tuple(path.stat().st_mtime_ns for path in sorted(folder.rglob("*.*")))
    _sources(name)
    return _made(name, state)


def url(name: str) -> str:
    """The address of "main.js" or "tokens+base.css"; a browser may keep what it gets there."""
    return f"/bundle/{name}?v={_asset(name).tag}"


@router.api_route("/bundle/{name}", methods=["GET", "HEAD"])
def bundle(request: Request, name: str, v: Annotated[str | None, Query()] = None) -> Response:
    asset = _asset(name)
    return asset.answer(request.headers, cache=FOR_EVER if v == asset.tag else REVALIDATE)
