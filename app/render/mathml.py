"""Formulas as MathML, with symbols and with a run's numbers in the same places.

A formula is put together from *fragments*, strings of well-formed MathML: leaves (`symbol`,
`number`), the builders below, and filled templates. `math` makes a whole <math> of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.render.fragment import (
    ASSIGN,
    CLOSE,
    ELLIPSIS,
    EQUALS,
    MINUS,
    OPEN,
    PARTIAL,
    PLUS,
    TIMES,
    ZERO,
    Number,
    bare,
    base,
    escape,
    identifier,
    math,
    number,
    row,
    symbol,
)
from app.render.template import Template

__all__ = [
    "ASSIGN",
    "CLOSE",
    "ELLIPSIS",
    "EQUALS",
    "MINUS",
    "OPEN",
    "PARTIAL",
    "PLUS",
    "TIMES",
    "ZERO",
    "bare",
    "Number",
    "Template",
    "bare",
    "base",
    "escape",
    "fraction",
    "identifier",
    "math",
    "matrix",
    "number",
    "parentheses",
    "partial",
    "product",
    "row",
    "shown",
    "sub",
    "sum_of_products",
    "sup",
    "symbol",
    "total",
]

LONGEST_SUM = 8


def sub(below: str, index: str) -> str:
    return f"<msub>{row(below)}{row(bare(index))}</msub>"


def sup(below: str, exponent: str) -> str:
    return f"<msup>{row(base(below))}{row(bare(exponent))}</msup>"


def fraction(above: str, below: str) -> str:
    return f"<mfrac>{row(bare(above))}{row(bare(below))}</mfrac>"


def parentheses(fragment: str) -> str:
    return row(OPEN, bare(fragment), CLOSE)


def partial(of: str, by: str, role: str = "grad") -> str:
    """The derivative of one name by another: ∂L/∂z₁."""
    return row(fraction(PARTIAL + symbol(of), PARTIAL + symbol(by)), role=role)


def matrix(rows: Sequence[Sequence[str]], role: str = "") -> str:
    """Fragments in brackets; a column is rows of one."""
    lines = ("".join(f"<mtd>{bare(cell)}</mtd>" for cell in cells) for cells in rows)
    table = "".join(f"<mtr>{line}</mtr>" for line in lines)
    return row("<mo>[</mo>", f"<mtable>{table}</mtable>", "<mo>]</mo>", role=role)


def product(factors: Sequence[str], *, first: bool = True) -> str:
    """Factors with a dot between; one that is `first` in its line needs no parentheses."""
    head = [bare(factor) if first else factor for factor in factors[:1]]
    return row(TIMES.join([*head, *factors[1:]]))


def shown(count: int, longest: int = LONGEST_SUM) -> list[int | None]:
    """Which of so many terms are written; None is the gap in the middle of a long sum."""
    if count <= longest:
        return list(range(count))
    tail = max((longest - 1) // 3, 1)
    head = max(longest - 1 - tail, 1)
    return [*range(head), None, *range(count - tail, count)]


def total(terms: Sequence[str], *, longest: int = LONGEST_SUM) -> str:
    """Terms with a plus between, cut in the middle if there are many."""
    if not terms:
        return ZERO
    places = shown(len(terms), longest)
    parts = [ELLIPSIS if place is None else terms[place] for place in places]
    return row(PLUS.join([bare(parts[0]), *parts[1:]]))


def sum_of_products(terms: Sequence[Sequence[str]], *, longest: int = LONGEST_SUM) -> str:
    """An element of a matrix product, written out: w₁·x₁ + w₂·x₂ + ⋯ + wₙ·xₙ."""
    if not terms:
        return ZERO
    places = shown(len(terms), longest)
    return total(
        [
            ELLIPSIS if place is None else product(terms[place], first=place == 0)
            for place in places
        ],
        longest=len(places),
    )
