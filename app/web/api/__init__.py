"""The REST API, one room a topic; `routers` is what the roof includes."""

from __future__ import annotations

from app.web.api import catalogue, changes, lab, lessons, moves, reading, sessions

routers = [
    lessons.router,
    sessions.router,
    moves.router,
    changes.router,
    reading.router,
    lab.router,
    catalogue.router,
]
