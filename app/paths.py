"""Where things lie on disk. The pages' files stand beside `app/` in a checkout and inside it in a
wheel; what a person makes is kept in the user's own data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

APP = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    for folder in (APP / name, APP.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{name}/: neither inside nor beside {APP}")


def static() -> Path:
    return _find("static")


def templates() -> Path:
    return _find("templates")


def user_data() -> Path:
    """The folder for this user's data by the platform's custom. It may not exist yet."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Backstep"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Backstep"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "backstep"
