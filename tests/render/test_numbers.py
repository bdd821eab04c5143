from __future__ import annotations

import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render import numbers

CASES = json.loads((Path(__file__).parents[1] / "data" / "numbers.json").read_text("utf-8"))[
    "cases"
]


def read(written: str) -> float:
    return float(written.replace("−", "-").replace("∞", "inf"))


@pytest.mark.parametrize(("x", "digits", "expected"), CASES)
def test_the_table_shared_with_the_page(x: float | str, digits: int, expected: str) -> None:
    assert numbers.text(float(x), digits) == expected


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 6))
def test_what_is_written_is_the_number_to_that_many_digits(x: float, digits: int) -> None:
    shown = read(numbers.text(x, digits))
    if not 1e-3 <= abs(x) < 1e5:  # a power of ten takes the room of a digit
        digits = max(digits - 1, 1)
    if math.isfinite(shown):  # the largest doubles round to a power that none can hold
        assert abs(shown - x) <= 0.5000001 * 10.0 ** (1 - digits) * abs(x) + 5e-324


@given(st.floats())
def test_the_form_is_always_readable(x: float) -> None:
    written = numbers.text(x)
    assert re.fullmatch(r"−?(\d{1,6}|\d{1,2}\.\d{1,5}|\d(\.\d)?e−?\d{1,3}|∞)|NaN", written)
    assert not re.fullmatch(r"−0(\.0*)?", written)
    assert "-" not in written and len(written) <= 9


@given(st.floats(allow_nan=False))
def test_the_sign_is_only_a_sign(x: float) -> None:
    assert numbers.text(-x).removeprefix("−") == numbers.text(x).removeprefix("−")
    assert numbers.text(x).startswith("−") == (x < 0)


@given(st.floats(), st.integers(1, 6))
def test_formulas_say_the_same_as_labels(x: float, digits: int) -> None:
    root = ElementTree.fromstring(f"<math>{numbers.mathml(x, digits)}</math>")
    flat = "".join(root.itertext()).replace("×10", "e")
    assert flat == numbers.text(x, digits)


def test_an_exact_number_is_short_and_a_rounded_one_keeps_its_zeros() -> None:
    assert numbers.text(0.5) == "0.5"
    assert numbers.text(0.5001) == "0.500"


def test_digits_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match="digits must be 1 to 17: 0"):
        numbers.text(1.0, 0)
