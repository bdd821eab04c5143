"""The REST API, one room a topic; `routers` is what the roof includes."""

from __future__ import annotations

from app.web.api import changes, lessons, moves, reading, sessions

routers = [
    lessons.router,
    sessions.router,
    moves.router,
    changes.router,
    reading.router,
]
