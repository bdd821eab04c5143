"""Bodies that are too large are refused: at once where the length is announced, else as soon as too
much has come.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.errors import too_large


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = next((v for name, v in scope["headers"] if name == b"content-length"), None)
        if announced is None:
            await self.app(scope, self._counting(receive), send)
        elif announced.isdigit() and int(announced) > self.most:
            await too_large(self.most)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _counting(self, receive: Receive) -> Receive:
        come = 0

        async def counted() -> Message:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > self.most:
                raise HTTPException(413)
            return message

        return counted
