"""Evaluates the LaTeX of an op's formula, so that what the page shows is tested against what the
engine computes.

A small recursive descent over the notation that the formulas use; anything else is an error, not
a guess.
Juxtaposition multiplies: entry by entry, or, with `matrix=True`, as matrices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

TOKEN = re.compile(r"\s*(@[A-Za-z]+|\\operatorname\{\w+\}|\\text\{[^}]*\}|\\[A-Za-z]+|\\,|\d+|.)")
SILENT = {r"\left", r"\right", r"\textstyle"}
ENDS = {")", "}", "]", "|", ",", "+", "-", "<", ">", "=", r"\neq"}


def evaluate(text: str, names: Mapping[str, Any], *, matrix: bool = False) -> Any:
    """The value of a formula; `names` gives operands (`y`, `g`, `a`), letters (`n`, `\\alpha`)
    and functions."""
    tokens = [token for token in TOKEN.findall(text) if token not in SILENT]
    parser = _Parser(tokens, names, matrix)
    value = parser.sum()
    if parser.left:
        raise ValueError(f"formula is not read to its end: {text!r}, left: {parser.left!r}")
    return value


class _Parser:
    def __init__(self, tokens: list[str], names: Mapping[str, Any], matrix: bool) -> None:
        self.left, self.names, self.matrix = list(tokens), names, matrix

    @property
    def next(self) -> str:
        return self.left[0] if self.left else ")"

    def take(self, expected: str | None = None) -> str:
        token = self.left.pop(0)
        if expected is not None and token != expected:
            raise ValueError(f"formula has {token!r} where {expected!r} should stand")
        return token

    def sum(self) -> Any:
        value = self.product()
        while self.next in "+-":
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Any:
        if self.next == "-":
            self.take()
            return -self.product()
        value = self.power()
        while self.next not in ENDS:
            plain = self.next in (r"\cdot", r"\odot")
            if plain or self.next == r"\,":
                self.take()
            factor = self.power()
            value = value @ factor if self.matrix and not plain else value * factor
        return value

    def power(self) -> Any:
        value = self.atom()
        while self.next == "^":
            self.take()
            exponent = self.group()
            value = value.T if exponent is None else value**exponent
        return value

    def group(self) -> Any:
        """What follows ^: one token or {…}; None for the sign of a transposed matrix."""
        if self.next != "{":
            return self.atom()
        self.take("{")
        if self.next == r"\top":
            self.take()
            value = None
        else:
            value = self.sum()
        self.take("}")
        return value

    def braced(self) -> Any:
        self.take("{")
        value = self.sum()
        self.take("}")
        return value

    def atom(self) -> Any:
        token = self.take()
        if token.startswith("@"):
            return self.names[token[1:]]
        if token.isdigit():
            return float(token)
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token == "{":
            self.left.insert(0, token)
            return self.braced()
        if token == "[":
            return self.bracket()
        if token == "|":
            value = self.sum()
            self.take("|")
            return np.abs(value)
        if token == r"\frac":
            return self.braced() / self.braced()
        if token == r"\sqrt":
            return np.sqrt(self.braced())
        if token == r"\sum" and self.next == "_":  # over the batch: all axes but the last
            for part in ("_", "{", r"\text{batch}", "}"):
                self.take(part)
            value = self.product()
            return value.reshape(-1, value.shape[-1]).sum(0)
        if token in (r"\sum", r"\ln") or (token == r"\max" and self.next != "("):
            function = self.names[token]
            if self.next == r"\,":  # a gap before a function's name
                self.take()
            return function(self.product() if token == r"\sum" else self.power())
        if (
            token.startswith("\\operatorname")
            or token in self.names
            and callable(self.names[token])
        ):
            return self.call(token.removeprefix(r"\operatorname{").removesuffix("}"))
        return self.names[token]

    def bracket(self) -> Any:
        """[condition] is 1 where it holds; around anything else brackets are parentheses."""
        value = self.sum()
        compare = {">": np.greater, "<": np.less, "=": np.equal, r"\neq": np.not_equal}
        if self.next in compare:
            value = compare[self.take()](value, self.sum()) * 1.0
        self.take("]")
        return value

    def call(self, name: str) -> Any:
        while self.next == "'":
            name += self.take()
        if self.next == "_":  # huber_{\delta}
            self.take()
            self.braced()
        self.take("(")
        arguments = [self.sum()]
        while self.next == ",":
            self.take()
            arguments.append(self.sum())
        self.take(")")
        return self.names[name](*arguments)
