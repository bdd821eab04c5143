"""Names as people write them: "z_1" is z₁, "alpha" is α, "y_hat" is ŷ.

`read` takes a name apart once; `label` writes it in plain unicode, `latex` for an exporter, and
`app.render.mathml.symbol` for a formula.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_LOW = "0123456789+-=()aehijklmnoprstuvxβγρφχ"
_SUBSCRIPT = dict(zip(_LOW, "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_HIGH = "0123456789+-=()abcdefghijklmnoprstuvwxyzT"
_SUPERSCRIPT = dict(zip(_HIGH, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ", strict=True))
_FLAT = {sign: plain for table in (_SUBSCRIPT, _SUPERSCRIPT) for plain, sign in table.items()}
_LOWERED = re.compile("[" + "".join(_SUBSCRIPT.values()) + "]+")
_RAISED = re.compile("[" + "".join(_SUPERSCRIPT.values()) + "]+")

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
)
_BY_NAME = dict(zip(_GREEK_NAMES.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))
_BY_LETTER = {letter: name for name, letter in _BY_NAME.items()}
GREEK = _BY_NAME | {"lam": "λ", "eps": "ε"}  # `lambda` is a word of Python's
ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}

_UPRIGHT = re.compile(r"\\mathrm\{((?:[^{}\\]|\\[_#&%$])*)\}")
_NAME = re.compile(
    r"(?:\\(?P<over>hat|bar|tilde) ?)?"
    r"\{?\\?(?P<base>[^\W\d_]+?)(?P<inner>['′]+(?=\}))?\}?(?P<digits>\d*)"
    r"(?:_(?P<accent>hat|bar|tilde))?"
    r"(?:_\{(?P<sub>[^{}]+)\}|(?P<short>(?:_[^\W_]+)+))?"
    r"(?:\^(?:\{(?P<sup>[^{}]+)\}|(?P<up>\w)))?(?P<prime>['′]*)"
)


class Name(NamedTuple):
    """A name taken apart. `base` is a letter or a word; the rest may be empty."""

    base: str
    sub: str = ""
    sup: str = ""
    accent: str = ""  # one of ACCENTS
    primes: int = 0


def greek(word: str) -> str:
    """The Greek letter of that name, or the word itself."""
    return GREEK.get(word, word)


def subscript(text: str | int) -> str:
    """Lowered in unicode where every character can be, else behind an underscore: ₁₂, _out."""
    return _shift(str(text), _SUBSCRIPT, "_")


def superscript(text: str | int) -> str:
    """Raised in unicode where every character can be, else behind a caret: ², ⁽ᵗ⁾, ^Q."""
    return _shift(str(text), _SUPERSCRIPT, "^")


def _shift(text: str, table: dict[str, str], mark: str) -> str:
    plain = text.replace("\u2212", "-")
    if all(character in table or character in ", " for character in plain):
        return "".join(table.get(character, character) for character in plain)
    return mark + text


@lru_cache(maxsize=4096)
def read(name: str) -> Name:
    """Take a name apart: from a program (z_1, w2, y_hat), LaTeX (W_{hh}, \\hat{y}) or unicode (z₁).

    A name that fits no form ("0.weight", "my_var") stays whole, as its own base.
    """
    text, over = _UPRIGHT.sub(r"\1", name.strip()), ""
    if text != name:
        name = text = re.sub(r"\\([_#&%$])", r"\1", text)
    decomposed = unicodedata.normalize("NFD", text)
    for accent, mark in ACCENTS.items():
        if decomposed[1:2] == mark:
            text, over = unicodedata.normalize("NFC", decomposed[:1] + decomposed[2:]), accent
    text = _LOWERED.sub(lambda found: f"_{{{_flat(found[0])}}}", text)
    text = _RAISED.sub(lambda found: f"^{{{_flat(found[0])}}}", text)
    part = _NAME.fullmatch(text)
    if not part:
        return Name(name)
    base = greek(part["base"])
    short = (part["short"] or "")[1:].split("_")
    sub = part["sub"] or ",".join(greek(word) for word in short)
    accent = part["over"] or part["accent"] or over
    if len(base) > 1 and (part["digits"] or accent or re.search(r"[^\d,]", sub)):
        return Name(name)  # words: fc1, my_var, weight_ih
    sub = ",".join(word for word in (part["digits"], greek(sub)) if word)
    primes = len((part["inner"] or "") + part["prime"])
    return Name(base, sub, part["sup"] or part["up"] or "", accent, primes)


def _flat(shifted: str) -> str:
    return "".join(_FLAT[character] for character in shifted)


def label(name: str) -> str:
    """A name in plain unicode, for chips, sentences and program lines."""
    base, sub, sup, accent, primes = read(name)
    if accent:
        base = unicodedata.normalize("NFC", base + ACCENTS[accent])
    lowered = subscript(sub) if sub else ""
    raised = superscript(sup) if sup else ""
    return base + lowered + "′" * primes + raised


def latex(name: str) -> str:
    """A name as LaTeX, whatever a visitor put into it."""
    base, sub, sup, accent, primes = read(name)
    body = _latex_word(base)
    if accent:
        body = f"\\{accent}{{{body}}}"
    if sub:
        body += f"_{{{_latex_word(sub)}}}"
    body += "'" * primes
    if sup:
        body = f"{{{body}}}^{{{_latex_word(sup)}}}" if primes else f"{body}^{{{_latex_word(sup)}}}"
    return body


def _latex_word(word: str) -> str:
    if word in _BY_LETTER:
        return "\\" + _BY_LETTER[word]
    if re.fullmatch(r"[^\W_]|[-+(), \d]*([^\W_][-+(), \d]*)?(,[^\W_])*", word):
        return word
    return "\\mathrm{" + re.sub(r"[\\{}$&#^_%~]", _latex_escape, word) + "}"


def _latex_escape(found: re.Match[str]) -> str:
    spelled = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim "}
    return spelled.get(found[0], "\\" + found[0])
