"""A desk with a store of its own, for the time of one test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.sessions.desk import Desk
from app.sessions.session import Session
from app.settings import Limits, Settings


def settings(tmp_path: Path, *, limits: Limits | None = None, **more: Any) -> Settings:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    return Settings(store=store, browser=False, limits=limits or Limits(), **more)


def run(chosen: Settings, work: Callable[[Desk], Awaitable[Any]], **more: Any) -> Any:
    async def whole() -> Any:
        desk = Desk(chosen, **more)
        try:
            return await work(desk)
        finally:
            await desk.close()

    return asyncio.run(whole())


async def put(desk: Desk, s: Session, node: str, value: Any) -> Any:
    return await desk.change(s, lambda: [s.value_change(node, value)], effect=True)
