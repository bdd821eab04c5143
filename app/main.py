"""The roof: puts the application together from settings and routers, and does nothing else."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from app import __version__
from app.sessions.desk import Desk
from app.sessions.playing import Playroom
from app.settings import Settings
from app.web import api, bundle, docs, errors, health, pages, static, vendor
from app.web.api import examples
from app.web.body_limit import BodyLimit
from app.web.events import Hub
from app.web.security import SecurityHeaders


class Backstep(FastAPI):
    """The headers go around everything, even around the answer to a crash."""

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack())


SITE = (health.router, docs.router, pages.router, vendor.router, bundle.router)
SWITCH_SECONDS = 0.001  # so soon a thread that trains lets the event loop answer somebody else


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    sys.setswitchinterval(SWITCH_SECONDS)
    desk: Desk = app.state.desk
    desk.start()
    tending = asyncio.create_task(app.state.hub.tend(app.state.stopping))
    playing = asyncio.create_task(app.state.playroom.tend(app.state.stopping))
    stopping = asyncio.create_task(desk.end_with(app.state.stopping))
    # nobody waits for it, least of all who ends the server a moment after its start
    threading.Thread(target=bundle.warm, daemon=True).start()
    yield
    app.state.stopping.set()
    await asyncio.gather(tending, playing, stopping)
    await desk.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings.from_environment()
    app = Backstep(
        title="Backstep",
        version=__version__,
        summary="Walk through backpropagation one step at a time.",
        docs_url=None,
        redoc_url=None,
        openapi_tags=api.TOPICS,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.stopping = asyncio.Event()  # set at the first Ctrl-C: open streams end themselves
    app.state.hub = Hub()
    app.state.desk = Desk(settings, app.state.hub.publish)
    app.state.playroom = Playroom(app.state.desk)
    app.state.hub.others.append(app.state.playroom.heard)
    errors.install(app)
    app.add_middleware(BodyLimit, most=settings.limits.body_bytes)
    app.add_middleware(GZipMiddleware, minimum_size=1_500, compresslevel=3)  # 20 µs for 8 kB
    for router in (*api.routers, *SITE):
        app.router.routes += router.routes  # as they are: `include_router` matches each twice
    examples.install(app)
    app.mount("/static", static.Files())
    return app
