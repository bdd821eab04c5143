"""Far out, where naive forms overflow, lose all digits or divide by zero: finite where the true
value is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.op import OPS, make
from tests.engine import checks

FINITE: list[tuple[str, dict[str, Any], list[Any], Any]] = [
    ("softplus", {}, [[-1000.0, 1000.0, -745.0]], [0.0, 1000.0, 5e-324]),
    ("sigmoid", {}, [[-1000.0, 1000.0, 0.0]], [0.0, 1.0, 0.5]),
    ("tanh", {}, [[-1000.0, 1000.0]], [-1.0, 1.0]),
    ("elu", {}, [[-1000.0, 1000.0]], [-1.0, 1000.0]),
    ("gelu", {}, [[-1000.0, 1000.0]], [0.0, 1000.0]),
    ("gelu", {"approximate": "tanh"}, [[-1000.0, 1000.0]], [0.0, 1000.0]),
    ("softmax", {}, [[1e4, -1e4]], [1.0, 0.0]),
    ("log_softmax", {}, [[1e4, -1e4]], [0.0, -2e4]),
    ("cross_entropy", {}, [[[1e4, -1e4]], [1]], 2e4),
    ("bce", {}, [[0.0, 1.0], [0.0, 1.0]], 0.0),
    ("bce", {}, [[0.0, 1.0], [1.0, 0.0]], 100.0),
    ("bce_with_logits", {}, [[-1000.0, 1000.0], [0.0, 1.0]], 0.0),
    ("bce_with_logits", {}, [[-1000.0, 1000.0], [1.0, 0.0]], 1000.0),
    ("bce_with_logits", {}, [[-40.0, 40.0], [0.0, 1.0]], math.log1p(math.exp(-40))),
    ("huber", {}, [[1e200], [0.0]], 1e200),
]


@pytest.mark.parametrize(("name", "attrs", "operands", "value"), FINITE)
def test_finite_where_the_true_value_is(
    name: str, attrs: dict[str, Any], operands: list[Any], value: Any
) -> None:
    op, arrays = make(name, attrs), tuple(np.array(operand) for operand in operands)
    y, grads = checks.run(op, arrays, np.ones(np.shape(value)))
    np.testing.assert_allclose(y, value, rtol=1e-13, atol=0)
    for grad in grads.values():
        assert np.all(np.isfinite(grad))


OVERFLOW: list[tuple[str, list[Any], Any]] = [
    ("exp", [[1000.0, -1000.0]], [math.inf, 0.0]),
    ("log", [[0.0, -1.0]], [-math.inf, math.nan]),
    ("div", [[1.0, 0.0], [0.0, 0.0]], [math.inf, math.nan]),
    ("sqrt", [[-1.0]], [math.nan]),
    ("square", [[1e200]], [math.inf]),
]


@pytest.mark.parametrize(("name", "operands", "value"), OVERFLOW)
def test_what_is_not_finite_says_so_and_raises_nothing(
    name: str, operands: list[Any], value: Any
) -> None:
    arrays = tuple(np.array(operand) for operand in operands)
    y, _ = checks.run(make(name), arrays, np.ones(len(value)))
    np.testing.assert_array_equal(y, value)


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.rules and op.elementwise])
def test_nan_is_passed_on_never_swallowed(name: str) -> None:
    """A NaN that comes in goes out, so that it can be found where it began."""
    op = make(name)
    operands = [np.array([np.nan]) for _ in op.operands]
    if name == "where":
        operands[0] = np.array([1.0])
    y, _ = checks.run(op, tuple(operands))
    assert np.isnan(y).all(), y


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.is_loss])
def test_a_nan_in_the_prediction_makes_the_loss_nan(name: str) -> None:
    op, sample = make(name), OPS[name].samples()[1]
    p = np.array(sample.operands[0])
    p.reshape(-1)[0] = np.nan
    target = sample.operands[1]
    y, _ = checks.run(op, (p, target))
    assert np.isnan(y), y
