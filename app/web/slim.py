"""Scripts and styles without their comments. Comments are written for those who read the source,
and are a fifth of what a browser would fetch. Every line keeps its number, so that a message in the
browser still points at the right one; nothing else is touched."""

from __future__ import annotations

import re
from collections.abc import Callable

TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<string>  "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    | (?P<regex>   /(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/\w* )
    | (?P<word>    [\w$]+ )
    | (?P<space>   \s+ )
    | (?P<sign>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(`|\$\{)", re.DOTALL)
CSS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|/\*.*?\*/""", re.DOTALL)
INDENT = re.compile(r"[ \t]*\n[ \t]*")
# After these a slash begins a regular expression, after any other word or sign it divides.
BEFORE_REGEX = {*"(,=:[!&|?{;+-*%~^<>", "", "return", "typeof", "case", "in", "of", "do", "else"}


def script(text: str, *, tight: bool = False) -> str:
    """Without comments; strings, templates and regular expressions are known for what they are.
    `tight`: without indents, too.
    """
    kept: list[str] = []
    braces: list[int] = []  # for each template we are inside of: braces open in its ${…}
    before, at = "", 0
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found is not None
        kind, part = found.lastgroup, found[0]
        if kind == "regex" and before not in BEFORE_REGEX:
            kind, part = "sign", "/"
        at += len(part)
        if kind == "comment":
            kept.append("\n" * part.count("\n") or " " * part.startswith("/*"))
            continue
        if kind == "space":
            kept.append(("\n" * part.count("\n") or " ") if tight else part)
            continue
        kept.append(part)
        before = part
        closes = part == "}" and bool(braces) and braces[-1] == 0
        if part == "`" or closes:
            if closes:
                braces.pop()
            end = TEMPLATE.match(text, at)
            if end is None:
                return text
            kept.append(end[0])
            at = end.end()
            if end[1] == "`":
                before = "`"
            else:
                braces.append(0)
                before = "{"
        elif part in "{}" and braces:
            braces[-1] += 1 if part == "{" else -1
    return "".join(kept)


def style(text: str, *, tight: bool = False) -> str:
    """The same for CSS, where only strings can hide what looks like a comment."""
    text = CSS.sub(lambda found: found[1] or "\n" * found[0].count("\n") or " ", text)
    return INDENT.sub("\n", text) if tight else text


def _on_bytes(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda data: change(data.decode("utf-8")).encode("utf-8")


BY_SUFFIX = {".js": _on_bytes(script), ".mjs": _on_bytes(script), ".css": _on_bytes(style)}
