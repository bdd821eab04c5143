"""How a number is written, everywhere: three significant digits, a real minus, never "−0.00".

A number that is exactly what is written stands short ("0.5", "2"); one that was rounded keeps its
zeros ("0.500"), so a reader sees the difference. Very small and very large ones are powers of ten
("−3.1e−5"). `static/js/format.js` follows the same rules, and `tests/data/numbers.json` holds both
to them.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

MINUS = "\u2212"
INFINITY = "\u221e"

_ONE = Decimal(1)

SMALLEST, LARGEST = 1e-3, 1e5  # outside, a number is written as a power of ten
EXACT = 1e-12  # relative: 0.1 + 0.2 counts as 0.3

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
    if SMALLEST <= size < LARGEST:
        return negative, _written_out(size, digits), 0
    places = max(digits - 2, 0)  # the power takes the room of a digit
    rounded = _CONTEXTS[places + 1].create_decimal_from_float(size)
    power = rounded.adjusted()
    mantissa, point, fraction = f"{rounded.scaleb(-power):.{places}f}".partition(".")
    return negative, mantissa + (point + fraction if fraction.strip("0") else ""), power


def _written_out(size: float, digits: int) -> str:
    rounded = _CONTEXTS[digits].create_decimal_from_float(size)
    power = rounded.adjusted()
    if power >= digits:  # more digits before the point than asked for: none is hidden
        return f"{Decimal(size).quantize(_ONE, ROUND_HALF_UP)}"
    written = f"{rounded:.{digits - 1 - power}f}"
    if "." in written and abs(float(written) - size) <= EXACT * size:
        return written.rstrip("0").rstrip(".")
    return written


def text(x: float, digits: int = 3) -> str:
    """The number for labels and plain sentences: "−0.35", "1.2e−5", "NaN", "−∞"."""
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
