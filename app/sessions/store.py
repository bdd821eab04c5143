"""Where sessions are kept. A store holds recipes, not results: spec, log of changes and position
are the truth, everything else is computed again. A backend is a URL; each has one file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from app.sessions.errors import StoreError
from app.sessions.moment import START, Moment


@dataclass
class Record:
    """One session as it is kept. `spec` is JSON text; `touched` is when somebody last used it."""

    id: str
    spec: bytes
    title: str = ""
    lesson: str | None = None
    position: Moment = START
    seen: Moment = START
    revision: int = 1
    touched: float = 0.0
    changes: list[dict[str, Any]] = field(default_factory=list)


class Store(Protocol):
    """Each call is atomic, and what it has done is there after the process was killed."""

    def create(self, record: Record) -> None: ...

    def load(self, id: str) -> Record | None: ...

    def move(self, record: Record, former: int) -> bool:
        """Keep position, seen, revision and touched; False (and nothing kept) when the stored
        revision is not `former`, because another process has changed the session.
        """
        ...

    def change(self, record: Record, former: int, kept: int) -> bool:
        """As `move`, and the log: its first `kept` entries stay, the record's others follow."""
        ...

    def rewrite(self, record: Record, former: int) -> bool:
        """As `change`, and another spec; none of the log stays."""
        ...

    def touch(self, id: str, now: float) -> None: ...

    def delete(self, id: str) -> bool: ...

    def count(self) -> int: ...

    def oldest(self, before: float, most: int) -> list[str]:
        """Sessions not touched since `before`, the longest untouched first."""
        ...

    def tidy(self) -> None:
        """Housekeeping that may take a while; called in another thread now and then."""
        ...

    def close(self) -> None: ...


def open_store(url: str) -> Store:
    """`sqlite:///FILE`, or `sqlite://` for one in memory that ends with the process."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "sqlite" and (not rest or rest.startswith("/")):
        from app.sessions.sqlite import SqliteStore

        return SqliteStore(rest[1:] or ":memory:")
    raise StoreError(f"a store is given as sqlite:///FILE, or sqlite:// for memory only: {url!r}")
