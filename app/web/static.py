"""Our own scripts, styles and pictures. A browser asks each time whether a file has changed and is
mostly told no; what is sent was freed of comments and gzipped once. A file saved meanwhile is read
anew. (The pages take their scripts and styles from bundle.py.)
"""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from app import paths
from app.web import slim
from app.web.assets import REVALIDATE, Asset


class Files:
    """ASGI application for the folder `static/`, to be mounted."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or paths.static()).resolve()
        self.kept: dict[Path, tuple[int, int, Asset]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        inside = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        asset = self.asset(inside)
        if asset is None:
            raise HTTPException(404, f"no such file: {inside}")
        response = asset.answer(Headers(scope=scope), cache=REVALIDATE)
        await response(scope, receive, send)

    def asset(self, inside: str) -> Asset | None:
        try:
            path = (self.root / inside).resolve()
            if not path.is_relative_to(self.root) or not path.is_file():
                return None
            state = path.stat()
        except (OSError, ValueError):  # a name with a zero byte, or one that is far too long
            return None
        now = (state.st_mtime_ns, state.st_size)
        held = self.kept.get(path)
        if held is None or held[:2] != now:
            held = self.kept[path] = (*now, Asset.read(path, slim.BY_SUFFIX.get(path.suffix)))
        return held[2]
