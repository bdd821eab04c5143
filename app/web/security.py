"""Headers on every answer: nothing from elsewhere is loaded, no inline script runs, nobody frames
the pages. Charts need three openings: the hash is that of the empty style element which Plotly
makes and fills by script, it sets style attributes, and it saves pictures through blobs."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src-elem": "'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "style-src-attr": "'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
PAGE = EVERYWHERE | {
    "content-security-policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
# Cuts the page off from a window of somebody else that opened it. A browser gives it a new process
# for that once the answer has begun, so it is left out where nobody else can have opened it: the
# visitor typed the address, or comes from another page of ours.
APART = {"cross-origin-opener-policy": "same-origin"}
BY_NOBODY_ELSE = {b"none", b"same-origin"}
# What is no page may load nothing at all; and forty short headers are sent faster than forty long.
OTHER = EVERYWHERE | {"content-security-policy": "default-src 'none'; frame-ancestors 'none'"}


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


_PAGE, _APART, _OTHER = _raw(PAGE), _raw(PAGE | APART), _raw(OTHER)


class SecurityHeaders:
    """ASGI middleware; a header that a route has set itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        site = next((value for name, value in scope["headers"] if name == b"sec-fetch-site"), b"")
        page = _PAGE if site in BY_NOBODY_ELSE else _APART

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                own = {name.lower(): value for name, value in headers}
                is_page = own.get(b"content-type", b"").startswith(b"text/html")
                ours = page if is_page else _OTHER
                message["headers"] = headers + [it for it in ours if it[0] not in own]
            await send(message)

        await self.app(scope, receive, guarded)
