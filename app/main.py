"""The roof: puts the application together from settings and routers, and does nothing else."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from app import __version__
from app.settings import Settings
from app.web import docs, health, static, vendor
from app.web.security import SecurityHeaders


class Backstep(FastAPI):
    """The headers go around everything, even around the answer to a crash."""

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack())


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings.from_environment()
    app = Backstep(
        title="Backstep",
        version=__version__,
        summary="Walk through backpropagation one step at a time.",
        docs_url=None,
        redoc_url=None,
        max_body_size=settings.limits.body_bytes,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.stopping = asyncio.Event()  # set at the first Ctrl-C: open streams end themselves
    app.add_middleware(GZipMiddleware, minimum_size=1_500, compresslevel=3)  # 20 µs for 8 kB
    app.include_router(health.router)
    app.include_router(docs.router)
    app.include_router(vendor.router)
    app.mount("/static", static.Files())
    return app
