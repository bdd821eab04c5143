"""How a number is written, everywhere: three significant digits, a real minus, never "−0.00".

A number that is exactly what is written stands short ("0.5", "2"); one that was rounded keeps its
zeros ("0.500"), so a reader sees the difference. `static/js/format.js` follows the same rules, and
`tests/data/numbers.json` holds both to them.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context

MINUS = "\u2212"
INFINITY = "\u221e"

SMALLEST_EXPONENT = -3  # 0.001 is written out, 0.0001 as 1e−4
LARGEST_EXPONENT = 4  # 99999 is written out, 100000 as 1e5
EXACT = 1e-7  # relative; single precision's 0.1 still counts as 0.1

_CONTEXTS = {digits: Context(prec=digits, rounding=ROUND_HALF_UP) for digits in range(1, 18)}


def split(x: float, digits: int = 3) -> tuple[bool, str, int]:
    """Sign, mantissa and power of ten: (is negative, "3.1", −5); the power is 0 if written out."""
    if digits not in _CONTEXTS:
        raise ValueError(f"digits must be 1 to {len(_CONTEXTS)}: {digits}")
    x = float(x)
    if math.isnan(x):
        return False, "NaN", 0
    negative, size = x < 0, abs(x)
    if math.isinf(x):
        return negative, INFINITY, 0
    if size == 0:
        return False, "0", 0
    rounded = _CONTEXTS[digits].create_decimal_from_float(size)
    power = rounded.adjusted()
    if SMALLEST_EXPONENT <= power <= LARGEST_EXPONENT:
        if power >= digits:  # more digits before the point than asked for: none is hidden
            rounded = _CONTEXTS[power + 1].create_decimal_from_float(size)
        mantissa = f"{rounded:.{max(digits - 1 - power, 0)}f}"
        shown, power = mantissa, 0
    else:
        mantissa = f"{rounded.scaleb(-power):.{digits - 1}f}"
        shown = f"{mantissa}e{power}"
    if "." in mantissa and abs(float(shown) - size) <= EXACT * size:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return negative, mantissa, power


def text(x: float, digits: int = 3) -> str:
    """The number for labels and plain sentences: "−0.35", "1.20e−5", "NaN", "−∞"."""
    negative, mantissa, power = split(x, digits)
    sign = MINUS if negative else ""
    if not power:
        return sign + mantissa
    return f"{sign}{mantissa}e{MINUS if power < 0 else ''}{abs(power)}"


def mathml(x: float, digits: int = 3) -> str:
    """The number inside a formula, a power of ten as an exponent."""
    negative, mantissa, power = split(x, digits)
    tag = "mi" if mantissa == "NaN" else "mn"
    body = f"<{tag}>{mantissa}</{tag}>"
    if power:
        exponent = f"<mn>{abs(power)}</mn>"
        if power < 0:
            exponent = f"<mrow><mo>{MINUS}</mo>{exponent}</mrow>"
        body += f"<mo>×</mo><msup><mn>10</mn>{exponent}</msup>"
    if negative:
        return f"<mrow><mo>{MINUS}</mo>{body}</mrow>"
    return f"<mrow>{body}</mrow>" if power else body
