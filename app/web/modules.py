"""What our scripts import, read from their text: which modules a page's first one needs, in the
order in which they run, and which it may ask for later by `import("…")`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from app import paths
from app.web import slim

IMPORT = re.compile(
    r'^import\s+(?:\*\s+as\s+(?P<whole>[\w$]+)|\{(?P<names>[^}]*)\})\s+from\s+"(?P<path>\.[^"]+)";?',
    re.MULTILINE,
)
EXPORT = re.compile(
    r"^export\s+(?=(?:const|class|(?:async\s+)?function\b\*?)\s*(?P<name>[\w$]+))", re.MULTILINE
)
LATER = re.compile(r'(?<![\w$.])import\("(?P<path>\.[^"]+)"\)')
LEFT = re.compile(r"^(?:import|export)\b[^(\n].*", re.MULTILINE)


class ModuleError(ValueError):
    """A module that cannot be put into one script with others, in words for who wrote it."""


@dataclass(frozen=True)
class Module:
    name: str  # such as "js/panels/graph.js"
    text: str
    imports: tuple[str, ...]
    later: tuple[str, ...]

    @property
    def variable(self) -> str:
        return variable(self.name)

    def place(self, found: re.Match[str]) -> str:
        return _place(self.name, found)

    def body(self, later: Callable[[str], str]) -> str:
        """The module as a function that is called at once and returns what it exports, each line
        where it was. `later` says what stands for an `import("…")` of a module.
        """

        def imported(found: re.Match[str]) -> str:
            names = found["whole"] or "{" + re.sub(r"\s+as\s+", ":", found["names"]) + "}"
            names = re.sub(r"\s+", "", names)
            lines = "\n" * found[0].count("\n")
            return f"const {names}={variable(self.place(found))};{lines}"

        text = IMPORT.sub(imported, self.text)
        text = LATER.sub(lambda found: later(self.place(found)), text)
        exports = [it["name"] for it in EXPORT.finditer(text)]
        text = EXPORT.sub("", text)
        left = LEFT.search(text)
        if left:
            raise ModuleError(f"{self.name}: cannot stand in one script with others: {left[0]}")
        return (
            f"const {self.variable}=(()=>{{{text.rstrip()}\nreturn{{{','.join(exports)}}}}})();\n"
        )


@dataclass
class Order:
    """Modules in the order in which they run: each after those that it imports."""

    done: dict[str, Module] = field(default_factory=dict)
    later: dict[str, None] = field(default_factory=dict)

    @classmethod
    def of(cls, *names: str, without: Order | None = None) -> Order:
        order = cls(dict(without.done) if without else {})
        root = paths.static()
        for name in names:
            order._take(root, name, ())
        for name in without.done if without else ():
            del order.done[name]
        return order

    def _take(self, root: Path, name: str, within: tuple[str, ...]) -> None:
        if name in within:
            raise ModuleError(f"modules import each other: {' → '.join((*within, name))}")
        if name not in self.done:
            one = read(root, name)
            for other in one.imports:
                self._take(root, other, (*within, name))
            self.done[name] = one
            self.later |= dict.fromkeys(one.later)


def variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removeprefix("js/").removesuffix(".js"))


def _place(name: str, found: re.Match[str]) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), found["path"]))


def read(root: Path, name: str) -> Module:
    path = root / name
    try:
        return _read(name, path, path.stat().st_mtime_ns)
    except OSError:
        raise ModuleError(f"there is no such module: {name}") from None


@lru_cache(maxsize=512)
def _read(name: str, path: Path, changed: int) -> Module:
    text = slim.script(path.read_text("utf-8"), tight=True)
    imports = tuple(_place(name, it) for it in IMPORT.finditer(text))
    return Module(name, text, imports, tuple(_place(name, it) for it in LATER.finditer(text)))
