"""A source map by lines, so that a browser's tools show the separate files where they run as one.
(ECMA-426: one group a line; numbers relative to the last, in base 64 with a sign bit.)"""

from __future__ import annotations

from typing import Any

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SAME_NEXT = "AACA"  # same source, next line


def source_map(parts: list[tuple[str, int]], *, skip: int) -> dict[str, Any]:
    """`parts`: address and number of lines of what stands one after another, `skip` lines down."""
    groups = [""] * skip
    before = 0
    for number, (_, lines) in enumerate(parts):
        groups.append("A" + digits(1 if number else 0) + digits(-before) + "A")
        groups += [SAME_NEXT] * (lines - 1)
        before = lines - 1
    sources = [source for source, _ in parts]
    return {"version": 3, "sources": sources, "names": [], "mappings": ";".join(groups)}


def digits(number: int) -> str:
    """Five bits a digit, the lowest first; the very lowest is the sign."""
    rest, made = abs(number) << 1 | (number < 0), ""
    while True:
        rest, low = rest >> 5, rest & 31
        made += DIGITS[low | (32 if rest else 0)]
        if not rest:
            return made
