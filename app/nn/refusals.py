"""What the language of programs has not, in words that a visitor can act on."""

from __future__ import annotations

import ast
from collections.abc import Iterable

NOT_HERE: dict[type[ast.AST], str] = {
    ast.NamedExpr: "write the name on a line of its own",
    ast.Lambda: "a program has no functions of its own",
    ast.JoinedStr: "a program has no texts",
    ast.List: "give arrays in the values",
    ast.Tuple: "give arrays in the values",
    ast.Subscript: "entries cannot be picked by an index",
    ast.Compare: "compare two values at a time, with > or <",
    ast.BoolOp: "combine comparisons with * (and) or maximum (or)",
    ast.IfExp: "write where(condition, a, b)",
    ast.Attribute: "the only thing behind a dot is .T, or a function as in x.sum()",
}
NAMED = 12  # names that are told, of those known


def refusal(node: ast.AST) -> str:
    return NOT_HERE.get(type(node), "this is not part of the language of programs")


def unknown(name: str, known: Iterable[str]) -> str:
    told = ", ".join(list(known)[:NAMED]) or "none yet"
    return (
        f"{name} has no value here; give it one in the values or bind it on a line before "
        f"(known are {told})"
    )
