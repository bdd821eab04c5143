"""Values and gradients of every op equal PyTorch's, kinks and extremes included
(`tests/reference/ops.py`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.op import OPS, Op, make
from app.engine.types import Array
from tests.engine import checks

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "ops.json").read_text())
CASES: list[dict[str, Any]] = GOLDEN["cases"]

SUMS = {
    "conv1d",
    "conv2d",
    "normalise",
    "batch_normalise",
    "normalise_running",
    "scale_shift",
    "recurrent",
    "projection",
    "scores",
}
"""Ops whose terms may nearly cancel, so that the order of adding shows."""


def array(data: Any) -> Array:
    """Nested lists as an array; `float` reads "NaN" and "Infinity" too."""

    def numbers(value: Any) -> Any:
        return [numbers(v) for v in value] if isinstance(value, list) else _number(value)

    return np.array(numbers(data))


def _number(value: Any) -> Any:
    return value if isinstance(value, int) else float(value)


def op_of(case: dict[str, Any]) -> Op:
    attrs = {k: tuple(v) if isinstance(v, list) else v for k, v in case["attrs"].items()}
    return make(case["op"], attrs)


@pytest.mark.parametrize("case", CASES, ids=[f"{c['op']}-{i}" for i, c in enumerate(CASES)])
def test_equals_pytorch(case: dict[str, Any]) -> None:
    op, operands = op_of(case), tuple(array(operand) for operand in case["operands"])
    y, grads = checks.run(op, operands, array(case["g"]))
    expected = {"value": case["value"]} | case["grads"]
    got = {"value": y} | {op.operands[i]: grad for i, grad in grads.items()}
    assert got.keys() == expected.keys()
    atol = 1e-14 if op.name in SUMS else 0
    for name, value in got.items():
        np.testing.assert_allclose(
            value, array(expected[name]), rtol=1e-12, atol=atol, err_msg=name
        )


def test_golden_values_speak_of_all_ops_and_their_present_samples() -> None:
    """A new op or sample asks for a new run of the script."""
    assert {case["op"] for case in CASES} == set(OPS)
    known = {
        (case["op"], *(array(operand).tobytes() for operand in case["operands"])) for case in CASES
    }
    for name, op_class in OPS.items():
        for sample in op_class.samples():
            if name == "nll" and sample.operands[1].dtype.kind == "f":
                continue  # PyTorch has no such form
            assert (name, *(x.tobytes() for x in sample.operands)) in known, (
                f"{name} is out of date"
            )
