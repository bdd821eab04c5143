"""Function calls in a program: every op of the table by its name, operands first, then arguments.

`relu(x)`, `leaky_relu(x, 0.1)`, `sum(x, axis=0)`, `x.sum(axis=0)`, `reshape(x, 2, 3)` arrive here.
"""

from __future__ import annotations

import ast
import difflib
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from app.engine.errors import BackstepError
from app.engine.fields import nearest
from app.engine.op import OPS, Op
from app.engine.ops import arithmetic as _fills_the_table  # noqa: F401
from app.engine.types import Shape
from app.nn.source import Source

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.Gt: "greater",
    ast.Lt: "less",
    ast.BitXor: "for a power write **, as in x**2!",
    ast.Eq: "one = gives a name to a value; comparisons are > and <!",
    ast.GtE: "comparisons are > and <!",
    ast.LtE: "comparisons are > and <!",
}
"""Operator to op; a row with an exclamation mark is what to write instead."""

ALIASES = {"σ": "sigmoid", "ln": "log"}
KEYWORDS = {"dim": "axis", "axis": "dim", "keepdim": "keepdims"}
WORDS = {
    "approximate": ("none", "tanh"),
    "nonlinearity": ("tanh", "relu"),
    "to": ("float16", "float64"),
}
LARGEST_WHOLE = 1_000_000
LONGEST_LIST = 400


@dataclass(frozen=True)
class Call:
    """A call whose operands are still syntax, because their shapes decide the rest."""

    name: str
    node: ast.Call
    operands: list[ast.expr]
    positional: list[ast.expr]

    def op(self, source: Source, shapes: Sequence[Shape]) -> Op:
        """The op with its arguments."""
        cls = OPS[self.name]
        arguments = _arguments(source, self, cls)
        if self.name == "reshape" and shapes:
            arguments["to"] = _inferred(source, self, arguments.get("to", ()), shapes[0])
        try:
            return cls(**arguments)
        except BackstepError as error:
            raise source.fail(error.message, self.node) from None
        except (TypeError, ValueError, ArithmeticError):
            raise source.fail(f"{self.name}: these arguments do not fit", self.node) from None


def read_call(source: Source, node: ast.Call) -> Call:
    """Find the op that is called, and tell its operands from its arguments."""
    parts = list(node.args)
    match node.func:
        case ast.Name(id=name):
            pass
        case ast.Attribute(value=value, attr=name):
            parts.insert(0, value)
        case _:
            raise source.fail("only a function's name can be called, as in relu(x)", node)
    for part in parts:
        if isinstance(part, ast.Starred):
            raise source.fail("a star has no meaning here", part)
    name = ALIASES.get(name, name)
    if name in ("max", "min") and len(parts) == 2:
        name = _larger_of_two(source, node, name, parts)
    if name not in OPS:
        raise source.fail(_unknown(name), node)
    wanted = OPS[name].operands
    count = min(len(parts), len(wanted))
    fewest = len(wanted) - OPS[name].optional
    if count < fewest:
        told = ", ".join(wanted)
        raise source.fail(f"{name} needs {_counted(fewest)}: {name}({told})", node)
    return Call(name, node, parts[:count], parts[count:])


def _larger_of_two(source: Source, node: ast.Call, name: str, parts: list[ast.expr]) -> str:
    """`max(0, z)` as in the guides; `max(x, 0)` could also mean an axis, so it is asked back."""
    if isinstance(parts[1], ast.Constant) and name == "max":
        second = source.written(parts[1])
        raise source.fail(
            f"this can mean two things: write maximum(…, {second}) for the larger of two values, "
            f"or max(…, axis={second}) for the largest entry along an axis",
            node,
        )
    return {"max": "maximum", "min": "minimum"}[name]


def _arguments(source: Source, call: Call, cls: type[Op]) -> dict[str, Any]:
    hints = {f.name: get_type_hints(cls)[f.name] for f in fields(cls)}
    order = list(hints)
    arguments: dict[str, Any] = {}
    rest = call.positional
    if order and rest and str(hints[order[0]]).startswith("tuple"):
        parts: Sequence[ast.expr] = rest
        if len(rest) == 1 and isinstance(rest[0], ast.Tuple | ast.List):
            parts = rest[0].elts
        arguments[order[0]] = tuple(_whole(source, part) for part in parts)
    else:
        if len(rest) > len(order):
            taken = ", ".join([*cls.operands, *order])
            raise source.fail(f"{call.name} takes at most {call.name}({taken})", rest[len(order)])
        for name, part in zip(order, rest, strict=False):
            arguments[name] = _value(source, part, name, hints[name])
    for item in call.node.keywords:
        name = item.arg or ""
        name = KEYWORDS[name] if name not in hints and KEYWORDS.get(name) in hints else name
        if name not in hints or name in arguments:
            accepted = ", ".join(f"{option}=…" for option in order) or "none"
            raise source.fail(
                f"{call.name} has no such argument; accepted after its operands: {accepted}",
                item.value,
            )
        arguments[name] = _value(source, item.value, name, hints[name])
    return arguments


def _value(source: Source, node: ast.expr, name: str, hint: Any) -> Any:
    """An argument as its field's type: a flag, a whole number, a number, a text, a shape."""
    kind = str(hint)
    if isinstance(node, ast.Constant) and node.value is None and "None" in kind:
        return None
    if "tuple" in kind:
        if not isinstance(node, ast.Tuple | ast.List):
            number = _whole(source, node, name)
            return number if kind.startswith("int") else (number,)
        return tuple(_whole(source, part) for part in node.elts)
    if hint is bool:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, bool):
            raise source.fail(f"{name} must be True or False", node)
        return node.value
    if hint is str:
        words = WORDS.get(name, ())
        if not isinstance(node, ast.Constant) or node.value not in words:
            told = " or ".join(f'"{word}"' for word in words)
            raise source.fail(f"{name} must be {told}", node)
        return node.value
    return _whole(source, node, name) if "int" in kind else _number(source, node, name)


def _whole(source: Source, node: ast.expr, name: str = "an argument") -> int:
    number = _number(source, node, name)
    if number != math.floor(number) or abs(number) > LARGEST_WHOLE:
        raise source.fail(f"{name} must be a whole number here", node)
    return int(number)


def _number(source: Source, node: ast.expr, name: str) -> float:
    sign = 1.0
    inner = node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, inner = -1.0, node.operand
    value = inner.value if isinstance(inner, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise source.fail(f"{name} must be a number written out here", node)
    number = sign * nearest(value)
    if not math.isfinite(number):
        raise source.fail(f"{name} is too large", node)
    return number


def _inferred(source: Source, call: Call, to: Shape, shape: Shape) -> Shape:
    """A −1 among the sizes stands for whatever is left."""
    if to.count(-1) > 1 or any(size < 1 and size != -1 for size in to):
        raise source.fail("sizes must be at least 1; one of them may be -1", call.node)
    if -1 not in to:
        return to
    known = math.prod(size for size in to if size != -1)
    rest, left_over = divmod(math.prod(shape), known)
    if left_over:
        raise source.fail(f"the sizes do not divide the shape {shape}", call.node)
    return tuple(rest if size == -1 else size for size in to)


def _unknown(name: str) -> str:
    if name == "min":
        return "there is no min of one array; write -max(-x), or minimum(a, b) for two values"
    if len(name) > 40:
        return "the function is not known"
    near = difflib.get_close_matches(name, OPS, 1)
    if near:
        return f"the function {name} is not known; do you mean {near[0]}?"
    shown = textwrap.shorten(", ".join(OPS), LONGEST_LIST, placeholder=" …")
    return f"the function {name} is not known; known are {shown}"


def _counted(count: int) -> str:
    return "one value" if count == 1 else f"{count} values"
