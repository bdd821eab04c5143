"""`python -m app` starts the server. Without the installed packages it says what to type, so this
file and the package's `__init__` must import on any Python 3."""

from __future__ import annotations

import os
import sys

HELP = """Backstep needs Python 3.11 or newer and a few packages. In its folder, type:

    {python} -m venv .venv
    {pip} install .

and then start it with:

    {backstep}
"""


def explain() -> str:
    if os.name == "nt":
        scripts = ".venv\\Scripts\\"
        return HELP.format(python="py", pip=scripts + "pip", backstep=scripts + "backstep")
    return HELP.format(python="python3", pip=".venv/bin/pip", backstep=".venv/bin/backstep")


def start() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - the very reader of this line has an old one
        print(explain(), file=sys.stderr)
        return 1
    try:
        from app.cli import main
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "app":
            raise
        print(f"{explain()}\n(The package {error.name} is missing.)", file=sys.stderr)
        return 1
    return main()


if __name__ == "__main__":
    sys.exit(start())
