"""A visitor's text as a syntax tree: Python's own parser, then nothing but what a whitelist knows.

Nothing is ever evaluated. What can go wrong becomes an error that names line and column.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from app.engine.errors import BackstepError, LimitError

MAX_NAME = 40


class ProgramError(BackstepError):
    """A program that is not understood; `where` is the line and column of the fault."""

    code = "program"


@dataclass(frozen=True)
class Place:
    """Where in the source a node comes from, counted from 1; `end_column` is one after the last."""

    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class Source:
    """The text, its lines, and the places of syntax nodes in it."""

    def __init__(self, text: object, *, characters: int, depth: int) -> None:
        if not isinstance(text, str):
            raise ProgramError("a program must be a text such as L = (w*x + b)**2", where="program")
        if len(text) > characters:
            raise LimitError(
                f"a program may have at most {characters:,} characters: {len(text):,}",
                where="program",
                setting="program_characters",
            )
        if not text.strip():
            raise ProgramError(
                "the program is empty; write a line such as L = (w*x + b)**2", where="program"
            )
        self.text = text
        self.lines = tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        _refuse_characters(self.lines)
        self.tree = _parse("\n".join(self.lines), self.lines)
        self._measure(depth)

    def place(self, node: ast.AST) -> Place:
        """Python counts bytes from 0; people count characters from 1."""
        line = min(getattr(node, "lineno", 1), len(self.lines))
        end = min(getattr(node, "end_lineno", None) or line, len(self.lines))
        return Place(
            line,
            self._column(line, getattr(node, "col_offset", 0)),
            end,
            self._column(end, getattr(node, "end_col_offset", None) or 0),
        )

    def _column(self, line: int, offset: int) -> int:
        return len(self.lines[line - 1].encode()[:offset].decode(errors="replace")) + 1

    def fail(self, message: str, node: ast.AST) -> ProgramError:
        return ProgramError(message, where=str(self.place(node)))

    def written(self, node: ast.AST) -> str:
        """The node's own text, short enough for a message."""
        text = ast.get_source_segment("\n".join(self.lines), node) or ""
        return text if len(text) <= MAX_NAME else text[: MAX_NAME - 1] + "…"

    def _measure(self, depth: int) -> None:
        """Refuse deep nesting before anything recurses; a sum of many terms is long, not deep."""
        waiting: list[tuple[ast.AST, int]] = [(statement, 0) for statement in self.tree.body]
        while waiting:
            node, level = waiting.pop()
            if level > depth:
                raise LimitError(
                    f"brackets and operators may be nested at most {depth} deep; "
                    "give a part a name on a line of its own",
                    where=str(self.place(node)),
                    setting="program_depth",
                )
            for child in ast.iter_child_nodes(node):
                chained = isinstance(node, ast.BinOp) and child is node.left
                deeper = isinstance(child, ast.expr) and not (
                    chained and isinstance(child, ast.BinOp)
                )
                waiting.append((child, level + deeper))

    def names(self) -> Iterator[str]:
        """Every name that occurs; each is checked."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name):
                fault = name_fault(node.id)
                if fault:
                    raise self.fail(fault, node)
                yield node.id


def name_fault(name: str) -> str | None:
    """Why this is no name for a value, if so."""
    if len(name) > MAX_NAME:
        return f"a name may have at most {MAX_NAME} characters: {name[:12]}…"
    if name.startswith("_"):
        return f"a name may not begin with an underscore: {name}"
    return None


_INSTEAD = {
    "\\": "a backslash",
    "×": "write * for a product",
    "·": "write * for a product",
    "⋅": "write * for a product",
    "÷": "write / for a quotient",
    "−": "write - for minus",
    "–": "write - for minus",
    "²": "write **2 for a square",
    "³": "write **3 for a cube",
    "√": "write sqrt(…) for a root",
    "≤": "comparisons are > and <",
    "≥": "comparisons are > and <",
    "∂": "the gradients are computed for you",
}


def _refuse_characters(lines: tuple[str, ...]) -> None:
    for number, line in enumerate(lines, 1):
        code = line.split("#")[0]
        for column, character in enumerate(code, 1):
            hint = _INSTEAD.get(character)
            kind = unicodedata.category(character)
            if hint or (kind[0] == "C" and character not in "\t\f"):
                code_point = f"U+{ord(character):04X}"
                shown = f"'{character}' ({code_point})" if kind[0] != "C" else code_point
                words = f"the character {shown} has no meaning here"
                raise ProgramError(
                    f"{words}; {hint}" if hint and character != "\\" else words,
                    where=f"line {number}, column {column}",
                )


def _parse(text: str, lines: tuple[str, ...]) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), len(lines))
        column = min(max(error.offset or 1, 1), len(lines[line - 1]) + 1)
        raise ProgramError(
            _advice(lines[line - 1], column, error.msg or "not understood"),
            where=f"line {line}, column {column}",
        ) from None
    except (MemoryError, RecursionError):
        raise LimitError("the program is nested too deep", where="program") from None
    except ValueError:
        raise ProgramError(
            "the program has a character or a number that cannot be read", where="program"
        ) from None


def _advice(line: str, column: int, told: str) -> str:
    """Python's own message, and what a newcomer probably meant."""
    code = line.split("#")[0]
    if re.search(r"\blambda\b", code):
        return "'lambda' is a word of Python's; call the value lam"
    if "decimal literal" in told:
        return "a name may not begin with a digit; for a product write *, as in 2*x"
    if "indent" in told:
        return "a line may not begin with spaces"
    if "nested parentheses" in told:
        return "too many brackets inside each other"
    if "cannot assign" in told or "Maybe you meant '=='" in told:
        return "the left of = must be one name, as in L = w*x"
    if told == "invalid syntax":
        end = column > len(code.rstrip())
        return "the line is not complete" if end else "not understood: an operator may be missing"
    first = told[:1].lower() + told[1:]
    return f"not understood: {first}"[:200]
