"""A file in memory, ready to be sent: its bytes, the same bytes gzipped once, and a tag of both."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response

REVALIDATE = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"

# Said here, because Windows takes these from its registry and sometimes has them wrong.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}
WORTH_IT = {".css", ".html", ".js", ".json", ".mjs", ".svg", ".ttf", ".txt"}


@dataclass(frozen=True)
class Asset:
    media_type: str
    plain: bytes
    packed: bytes | None
    tag: str

    @classmethod
    def read(cls, path: Path, change: Callable[[bytes], bytes] | None = None) -> Asset:
        return cls.of(path.read_bytes(), path.suffix, change)

    @classmethod
    def of(cls, plain: bytes, suffix: str, change: Callable[[bytes], bytes] | None = None) -> Asset:
        if change is not None:
            plain = change(plain)
        packed = gzip.compress(plain, 9, mtime=0) if suffix in WORTH_IT else None
        if packed is not None and len(packed) > 0.9 * len(plain):
            packed = None
        media_type = TYPES.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0]
        tag = hashlib.sha256(plain).hexdigest()[:16]
        return cls(media_type or "application/octet-stream", plain, packed, tag)

    def answer(self, headers: Headers, *, cache: str) -> Response:
        """The whole file, or 304 when the asker has it already."""
        gzipped = self.packed is not None and "gzip" in headers.get("accept-encoding", "")
        tag = f'"{self.tag}-gz"' if gzipped else f'"{self.tag}"'
        about = {"etag": tag, "cache-control": cache, "vary": "accept-encoding"}
        held = headers.get("if-none-match", "")
        if held.strip() == "*" or tag in (
            one.strip().removeprefix("W/") for one in held.split(",")
        ):
            # With its type: by that a page's own content policy is known, which the 304 renews.
            return Response(status_code=304, headers=about, media_type=self.media_type)
        if gzipped and self.packed is not None:
            about["content-encoding"] = "gzip"
            return Response(self.packed, media_type=self.media_type, headers=about)
        return Response(self.plain, media_type=self.media_type, headers=about)
