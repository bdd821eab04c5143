"""The leaves of a formula as well-formed MathML: a symbol, a sign, a number that knows its source.

Whatever came from a visitor's names is escaped here and nowhere else.
"""

from __future__ import annotations

import re
from functools import lru_cache

from app.render import numbers, text

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
OPEN = '<mo stretchy="false">(</mo>'
CLOSE = '<mo stretchy="false">)</mo>'
TIMES = "<mo>·</mo>"
PLUS = "<mo>+</mo>"
MINUS = f"<mo>{numbers.MINUS}</mo>"
EQUALS = "<mo>=</mo>"
ASSIGN = "<mo>←</mo>"
ELLIPSIS = "<mi>⋯</mi>"
ZERO = "<mn>0</mn>"
PRIME = (
    '<mo lspace="0" rspace="0">′</mo>'  # beside its letter: as an exponent it is drawn too small
)
PARTIAL = '<mo lspace="0" rspace="0">∂</mo>'
_FRACTION = re.compile(r"\\frac\{(.+)\}\{(.+)\}")
_CONSTANT = re.compile(r"\d[\d.]*(e[-+]?\d+)?|\(-\d[\d.]*(e[-+]?\d+)?\)")
_ACCENT_SIGNS = {"hat": "^", "bar": "¯", "tilde": "~"}


class Number(str):
    """A number's MathML, safe anywhere in a line (parentheses around a negative one). `bare` is the
    same for places that need none, `base` for under an exponent."""

    __slots__ = ("bare", "base")
    bare: str
    base: str

    def __new__(cls, guarded: str, bare: str, base: str) -> Number:
        made = super().__new__(cls, guarded)
        made.bare, made.base = bare, base
        return made


def bare(fragment: str) -> str:
    return fragment.bare if isinstance(fragment, Number) else fragment


def base(fragment: str) -> str:
    return fragment.base if isinstance(fragment, Number) else fragment


def escape(words: str) -> str:
    """Text that XML cannot take for markup; what XML forbids is shown as a replacement sign."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in words)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def row(*fragments: str, role: str = "") -> str:
    """Fragments side by side as one; `role` becomes its class."""
    classes = f' class="{role}"' if role else ""
    return f"<mrow{classes}>{''.join(fragments)}</mrow>"


def math(*fragments: str, block: bool = False) -> str:
    """A whole <math>, to stand within a line of text or, as a block, on its own."""
    style = ' display="block" displaystyle="true"' if block else ""
    return f'<math xmlns="{NAMESPACE}"{style}>{row(*fragments)}</math>'


def identifier(words: str) -> str:
    """A letter (slanted) or a word (upright), with nothing read into it."""
    return f"<mi>{escape(words)}</mi>"


@lru_cache(maxsize=8192)
def symbol(name: str, role: str = "") -> str:
    """A name as mathematics writes it: symbol("z_1") is z with a lowered 1.

    A result without a name is called by its factors, "w x", and a constant by its worth, "(-3)".
    """
    compound = _compound(name)
    if compound:
        return row(compound, role=role)
    letter, lowered, raised, accent, primes = text.read(name)
    body = identifier(letter)
    if accent:
        sign = f'<mo stretchy="false">{_ACCENT_SIGNS[accent]}</mo>'
        body = f'<mover accent="true">{body}{sign}</mover>'
    below = _script(lowered)
    above = _script(raised) if raised else ""
    if lowered and above:
        body = f"<msubsup>{body}{below}{above}</msubsup>"
    elif lowered:
        body = f"<msub>{body}{below}</msub>"
    elif above:
        body = f"<msup>{body}{above}</msup>"
    return row(body, PRIME * primes, role=role)


def _compound(name: str) -> str:
    """A product, a fraction or a number; empty for a plain name."""
    if " " in name:
        parts = name.split(" ")
        return "".join(TIMES if part == r"\cdot" else symbol(part) for part in parts if part)
    fraction = _FRACTION.fullmatch(name)
    if fraction:
        return f"<mfrac>{symbol(fraction[1])}{symbol(fraction[2])}</mfrac>"
    if _CONSTANT.fullmatch(name):
        digits = name.strip("(-)")
        plain = f"<mn>{digits.replace('-', numbers.MINUS)}</mn>"
        return f"{OPEN}{MINUS}{plain}{CLOSE}" if "(" in name else plain
    return ""


def _script(words: str) -> str:
    """What stands lowered or raised: digits as a number, letters as a word, the rest as signs."""
    parts = re.findall(r"\d+|[^\W\d]+|.", words.replace(" ", ""))
    body = ""
    for part in parts:
        if part.isdecimal():
            body += f"<mn>{part}</mn>"
        elif part.isalnum():
            body += identifier(part)
        else:
            sign = escape(part).replace("-", numbers.MINUS)
            body += f'<mo lspace="0" rspace="0">{sign}</mo>'
    return body if len(parts) == 1 else f"<mrow>{body}</mrow>"


def number(
    x: float, ref: str | None = None, role: str = "value", first: bool = False, digits: int = 3
) -> str:
    """A number that knows its source: class "ref r0 grad", and its role alone without a ref.

    A negative one stands in parentheses unless it comes `first`; templates and builders leave them
    out by themselves where a place needs none.
    """
    body = numbers.mathml(x, digits)
    opened = f'<mrow class="ref {ref} {role}">' if ref else f'<mrow class="{role}">'
    plain = f"{opened}{body}</mrow>"
    if not body.startswith("<mrow>"):
        return Number(plain, plain, plain)
    guarded = f"{opened}{OPEN}{body}{CLOSE}</mrow>"
    negative = body.startswith("<mrow><mo>")
    return Number(guarded if negative and not first else plain, plain, guarded)
