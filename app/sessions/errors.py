"""What can go wrong with a session as a whole; each has its own answer over HTTP."""

from __future__ import annotations

from dataclasses import fields

from app.engine.errors import BackstepError, LimitError
from app.settings import PREFIX, Limits


class NotFoundError(BackstepError):
    """Nothing has this name."""

    code = "not_found"


class StaleError(BackstepError):
    """The caller knew an older revision; nothing was changed."""

    code = "stale_revision"

    def __init__(self, revision: int) -> None:
        super().__init__(
            f"the session has changed meanwhile: it is at revision {revision} now; "
            "read it again and repeat the call with that number in If-Match",
            where="If-Match",
        )
        self.revision = revision


class FullError(BackstepError):
    """The server holds as much as it may; later there may be room again."""

    code = "full"


class EmptyError(BackstepError):
    """The slot holds nothing at this moment."""

    code = "empty"


class StoreError(BackstepError):
    """The store cannot be used, in words."""

    code = "store"


SAYS = {item.name: item.metadata["says"] for item in fields(Limits)}


def limited(limits: Limits, name: str, asked: int, where: str) -> None:
    """Raise unless the number is within the limit of that name."""
    allowed = getattr(limits, name)
    if asked > allowed:
        raise LimitError(over(name, allowed, asked), where=where)


def over(name: str, allowed: int, asked: int) -> str:
    return f"too many {SAYS[name]}: {asked:,}; at most {allowed:,} ({PREFIX}{name.upper()})"
