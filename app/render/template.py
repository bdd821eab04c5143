"""Lines of LaTeX with slots, `@y = \\sigma(@x)`, translated once and filled again and again.

Filling is string joining, because it happens thousands of times a second. All thinking is done
before: where a negative number needs parentheses, and where `2@x` needs a dot once x is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert

from app.render.fragment import NAMESPACE, TIMES, Number

_SLOT = re.compile(r"@([A-Za-z0-9]+)")
_FIRST = 0xE000  # private-use letters stand for the slots while LaTeX is translated
_JOINT = "\uf8ff"
THIN = "0.17em"
_ROWS = ("mrow", "math", "mtd", "msqrt", "mstyle")
_SCRIPTS = ("msup", "msub", "msubsup", "mover", "munder", "munderover")
_OPENING = ("=", "(", "[", "{", ",", "|", "←", "≈", "<", ">", "≤", "≥", ":", ";", "⟨")


class Piece(NamedTuple):
    """What stands before a slot, the slot, and how its place treats a number."""

    before: str
    joint: bool  # a product without a sign, as in 2x: numbers need the dot
    between: str  # opening tags between that dot and the slot
    slot: str
    place: str  # "bare", "guarded" or "base"


class Template:
    """A line of LaTeX with slots written @y, ready to be filled again and again."""

    __slots__ = ("latex", "slots", "_pieces", "_after")

    def __init__(self, latex: str, slots: Iterable[str] | None = None) -> None:
        self.latex = latex
        self.slots = tuple(dict.fromkeys(_SLOT.findall(latex)))
        unknown = [] if slots is None else sorted(set(self.slots) - set(slots))
        if unknown:
            raise ValueError(f"template has unknown slots: {', '.join(unknown)} in {latex}")
        self._pieces, self._after = _translate(latex)

    def __repr__(self) -> str:
        return f"Template({self.latex!r})"

    def fill(self, fragments: Mapping[str, str]) -> str:
        """The line as one fragment, every slot filled."""
        parts: list[str] = []
        for before, joint, between, slot, place in self._pieces:
            fragment = fragments[slot]
            parts.append(before)
            if isinstance(fragment, Number):
                if joint:
                    parts.append(TIMES)
                if place != "guarded":
                    fragment = fragment.bare if place == "bare" else fragment.base
            parts.append(between)
            parts.append(fragment)
        parts.append(self._after)
        return "".join(parts)


@lru_cache(maxsize=1024)
def _translate(latex: str) -> tuple[tuple[Piece, ...], str]:
    slots: list[str] = []

    def mark(found: re.Match[str]) -> str:
        slots.append(found[1])
        return chr(_FIRST + len(slots) - 1)

    try:
        markup = convert(_SLOT.sub(mark, latex)).replace(f' xmlns="{NAMESPACE}"', "")
        root = ElementTree.fromstring(markup)
    except Exception as error:  # the translator has a family of errors without a common head
        raise ValueError(
            f"template is not understood: {type(error).__name__} in {latex}"
        ) from error
    _clean(root)
    parents = {child: parent for parent in root.iter() for child in parent}
    marked = [element for element in root.iter("mi") if _slot_index(element) is not None]
    if len(marked) != len(slots):
        raise ValueError(f"template has a slot within a word: {latex}")
    places = []
    for element in marked:
        element.attrib.clear()
        place, joint_before = _place(element, parents)
        places.append(place)
        if joint_before is not None:
            above = parents[joint_before]
            joint = Element("mi")
            joint.text = _JOINT
            above.insert(list(above).index(joint_before), joint)
    inner = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
    *before, after = re.split(r"<mi>[\ue000-\uf8fe]</mi>", inner)
    pieces = []
    for part, element, place in zip(before, marked, places, strict=True):
        head, joint_sign, between = part.partition(f"<mi>{_JOINT}</mi>")
        index = _slot_index(element)
        assert index is not None
        pieces.append(Piece(head, bool(joint_sign), between, slots[index], place))
    return tuple(pieces), after


def _slot_index(element: Element) -> int | None:
    words = element.text or ""
    return ord(words) - _FIRST if len(words) == 1 and 0xE000 <= ord(words) < 0xF8FF else None


def _clean(root: Element) -> None:
    """Words as one identifier, function names without an operator's gaps, a tight ∂ and ′."""
    for parent in list(root.iter()):
        children = list(parent)
        upright = [child.get("mathvariant") == "normal" for child in children]
        if parent.tag == "mrow" and len(children) > 1 and all(upright):
            word = "".join(child.text or "" for child in children)
            parent[:] = [Element("mi")]
            parent[0].text = word
            continue
        if parent.tag == "msup" and children[1].text == "′":
            parent.tag = "mrow"
            children[1].tag = "mo"
        before: Element | None = None
        for child, after in zip_longest(children, children[1:]):
            words = child.text or ""
            if child.tag == "mo" and words in ("∂", "′"):
                child.attrib.update(lspace="0", rspace="0")
            elif child.tag == "mo" and words.isalpha() and after is not None:
                if after.text == "(":
                    child.tag = "mi"
                else:
                    beside = before is not None and before.tag != "mo"
                    child.attrib.update(lspace=THIN if beside else "0", rspace=THIN)
            elif child.tag == "mi" and len(words) > 1 and after is not None and after.tag != "mo":
                parent.insert(list(parent).index(after), Element("mspace", width=THIN))
            before = child


def _place(slot: Element, parents: Mapping[Element, Element]) -> tuple[str, Element | None]:
    """How a number has to stand there, and the element before which a product needs its dot."""
    node, place = slot, "guarded"
    while node in parents:
        parent = parents[node]
        index = list(parent).index(node)
        if parent.tag in _SCRIPTS and index == 0:
            place = "base" if parent.tag in ("msup", "msubsup") else place
        elif parent.tag not in _ROWS:
            break
        else:
            left = next((e for e in reversed(parent[:index]) if e.tag != "mspace"), None)
            if left is not None:
                return _beside(left, place), node if _is_operand(left) else None
            if parent.tag in ("mtd", "msqrt"):
                break
        node = parent
    return ("bare" if place == "guarded" else place), None


def _beside(left: Element, place: str) -> str:
    opening = left.tag == "mo" and left.text in _OPENING
    return "bare" if opening and place == "guarded" else place


def _is_operand(left: Element) -> bool:
    if left.tag in _SCRIPTS:  # z² and f(x)² are, a sum's sign with its index is not
        return _is_operand(left[0])
    if left.tag == "mo":
        return left.text == ")"
    is_function = left.tag == "mi" and len(left.text or "") > 1
    return left.tag != "mtext" and not is_function
