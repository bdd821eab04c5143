"""One script and one style sheet a page, put together from the separate files while the server
runs, so that a first visit waits for three answers instead of forty, and a second one for none but
the page's own. There is nothing to build: a file that was saved is put in anew, and the separate
files stay where they are, to be read; a source map names them.

What is only imported by `import("…")` goes into a second script, which comes when one of these
calls is made: the first one hands it the modules that both use, so that none runs twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app import paths
from app.web import slim
from app.web.assets import FOR_EVER, REVALIDATE, Asset
from app.web.modules import Module, ModuleError, Order, variable
from app.web.source_map import source_map

router = APIRouter(include_in_schema=False)

SCRIPT = re.compile(r"(?P<page>\w+)(?P<late>\.late)?\.js(?P<map>\.map)?")
STYLE = re.compile(r"(?P<names>\w+(?:\+\w+)*)\.css")


@dataclass(frozen=True)
class Scripts:
    first: Asset
    first_map: Asset
    late: Asset | None
    late_map: Asset | None
    tag: str


def url(name: str) -> str:
    """The address of "main.js", all that this module needs at once, or of "tokens+base.css", style
    sheets one after another; a browser may keep what it gets there.
    """
    asset, tag = _find(name)
    if asset is None:
        raise ModuleError(f"no such script or style sheet: {name}")
    return f"/bundle/{name}?v={tag}"


def warm() -> None:
    """Put together what will be asked for first."""
    for name in ("home.js", "main.js"):
        with suppress(ModuleError):  # who opens the page will hear of it
            url(name)


_known: dict[tuple[Path, str], tuple[list[str], list[int], Scripts]] = {}


def scripts(name: str) -> Scripts:
    """For the module js/{name}.js; the same again until one of its files is saved."""
    root = paths.static()
    files, states, made = _known.get((root, name), ([], [], None))
    if made is None or states != _states(files):
        first = Order.of(f"js/{name}.js")
        late = Order.of(*first.later, without=first)
        while any(it not in first.done and it not in late.done for it in late.later):
            late = Order.of(*first.later, *late.later, without=first)
        made = _scripts(name, tuple(first.done.values()), tuple(late.done.values()))
        files = [str(root / it) for it in (*first.done, *late.done)]
        _known[root, name] = files, _states(files), made
    return made


def _states(files: list[str]) -> list[int]:
    try:
        return [os.stat(file).st_mtime_ns for file in files]
    except OSError:
        return []


@lru_cache(maxsize=32)
def _scripts(page: str, first: tuple[Module, ...], late: tuple[Module, ...]) -> Scripts:
    tag = _tag("".join(f"{one.name}\n{one.text}\n" for one in (*first, *late)))
    apart = {one.name for one in late}
    shared = sorted({it for one in late for it in one.imports if it not in apart})
    given = "{" + ",".join(map(variable, shared)) + "}"

    def later(name: str) -> str:
        if name in apart:
            return f"$late().then((late)=>late.{variable(name)})"
        return here(name)

    def here(name: str) -> str:
        return f"Promise.resolve().then(()=>{variable(name)})"

    head = "let $loading;\n"
    if late:
        address = json.dumps(f"/bundle/{page}.late.js?v={tag}")
        head = (
            f"let $loading;const $late=()=>$loading??=import({address})"
            f".then((it)=>it.late({given}))"
            ".catch((error)=>{$loading=undefined;throw error});\n"
        )
    bodies = [(one.name, one.body(later)) for one in first]
    text, map_ = _joined(head, bodies, "", f"{page}.js")
    late_text = late_map = None
    if late:
        bodies = [(one.name, one.body(here)) for one in late]
        made = ",".join(one.variable for one in late)
        late_text, late_map = _joined(
            f"export const late=({given})=>{{\n",
            bodies,
            f"return{{{made}}}}};\n",
            f"{page}.late.js",
        )
    return Scripts(text, map_, late_text, late_map, tag)


def _joined(head: str, bodies: list[tuple[str, str]], foot: str, name: str) -> tuple[Asset, Asset]:
    text = head + "".join(body for _, body in bodies) + foot
    text += f"//# sourceMappingURL=/bundle/{name}.map\n"
    lines = [(f"/static/{source}", body.count("\n")) for source, body in bodies]
    map_ = json.dumps(source_map(lines, skip=head.count("\n")))
    return Asset.of(text.encode(), ".js"), Asset.of(map_.encode(), ".json")


def style(names: tuple[str, ...]) -> Asset:
    root = paths.static() / "css"
    files = [root / f"{name}.css" for name in names]
    try:
        return _style(tuple((path, path.stat().st_mtime_ns) for path in files))
    except OSError:
        raise ModuleError(f"there is no such style sheet among {', '.join(names)}") from None


@lru_cache(maxsize=32)
def _style(files: tuple[tuple[Path, int], ...]) -> Asset:
    text = "\n".join(path.read_text("utf-8") for path, _ in files)
    return Asset.of(slim.style(text, tight=True).encode(), ".css")


def _tag(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _find(name: str) -> tuple[Asset | None, str]:
    """The asset, and the tag that its address should bear."""
    if found := STYLE.fullmatch(name):
        asset = style(tuple(found["names"].split("+")))
        return asset, asset.tag
    if found := SCRIPT.fullmatch(name):
        made = scripts(found["page"])
        if found["map"]:
            return (made.late_map if found["late"] else made.first_map), ""
        return (made.late if found["late"] else made.first), made.tag
    return None, ""


@router.api_route("/bundle/{name}", methods=["GET", "HEAD"])
async def bundle(request: Request, name: str, v: str = "") -> Response:
    try:
        asset, tag = _find(name)
    except ModuleError:
        asset, tag = None, ""
    if asset is None:
        raise HTTPException(404, f"no such file: {name[:200]}")
    return asset.answer(request.headers, cache=FOR_EVER if v and v == tag else REVALIDATE)
