"""Properties that every op of the table has, on every one of its samples."""

from __future__ import annotations

import re

import numpy as np
import pytest

import app.engine.ops as _all  # noqa: F401  fills the table
from app.engine.errors import ShapeError
from app.engine.graph import Graph
from app.engine.op import OPS, Op, Sample, make
from app.engine.types import Shape
from tests.engine import checks

CASES = [
    pytest.param(make(name, sample.attrs), sample, id=f"{name}-{number}")
    for name, op_class in OPS.items()
    for number, sample in enumerate(op_class.samples())
]
table = pytest.mark.parametrize("op_class", OPS.values(), ids=OPS.keys())
cases = pytest.mark.parametrize(("op", "sample"), CASES)

ISSUE_OPS = set(
    """add sub mul div neg pow square exp log sqrt abs maximum sum mean matmul transpose reshape
    broadcast unbroadcast relu leaky_relu elu softplus sigmoid tanh gelu softmax log_softmax mse
    half_squared_error squared_error mae huber bce bce_with_logits cross_entropy nll""".split()
)


def test_all_ops_are_there() -> None:
    assert ISSUE_OPS <= set(OPS)


@table
def test_says_all_that_is_shown_of_it(op_class: type[Op]) -> None:
    for field in ("name", "symbol", "summary", "formula", "says", "says_back", "numpy", "pytorch"):
        assert getattr(op_class, field).strip(), f"{op_class.name}: {field} is missing"
    for field in ("says", "says_back"):
        text = getattr(op_class, field)
        assert text[0].isupper() or text.startswith("tanh"), text
        assert text.endswith("."), text
    assert set(op_class.rules) <= set(op_class.operands)
    assert bool(op_class.numpy_back) == bool(op_class.rules)
    assert op_class.samples()


@table
def test_formulas_name_only_what_there_is(op_class: type[Op]) -> None:
    texts = [op_class.formula]
    for rule in op_class.rules.values():
        texts += [rule.full, rule.local, rule.worth]
        assert rule.full and ("@g" in rule.full)
        assert not rule.worth or rule.local, "a worth without a local factor"
    shapes = checks.shapes_of(op_class.samples()[0].operands)
    known = {"y", "g", *op_class.operands, *op_class().letters(*shapes)}
    for text in texts:
        assert set(re.findall(r"@([A-Za-z]+)", text)) <= known, text
        assert text.count("{") == text.count("}"), text
        assert text.count(r"\left") == text.count(r"\right"), text


@cases
def test_shape_rule_says_the_shape_that_is_computed(op: Op, sample: Sample) -> None:
    checks.check_shape(op, sample.operands)


@cases
def test_writes_all_of_its_buffers_and_nothing_else(op: Op, sample: Sample) -> None:
    checks.check_writes(op, sample.operands)


@cases
def test_gives_each_gradient_alone(op: Op, sample: Sample) -> None:
    checks.check_wanted(op, sample.operands)


@cases
def test_replayed_gives_the_bits_of_an_eager_run(op: Op, sample: Sample) -> None:
    checks.check_replay(op, sample.operands)


@pytest.mark.parametrize(
    ("op", "sample"), [case for case in CASES if getattr(case.values[0], "takes_any_layout", True)]
)
def test_does_not_mind_how_its_operands_lie_in_memory(op: Op, sample: Sample) -> None:
    checks.check_layout(op, sample.operands)


@cases
def test_elements_written_out_are_the_computed_ones(op: Op, sample: Sample) -> None:
    checks.check_elements(op, sample.operands)


@pytest.mark.parametrize("name", ["matmul", "linear", "sum", "mean", "transpose", "broadcast"])
def test_products_and_sums_write_their_elements_out(name: str) -> None:
    for sample in OPS[name].samples():
        op = make(name, sample.attrs)
        y, grads = checks.run(op, sample.operands, checks.upstream(op, sample.operands))
        expected = y.size + sum(grad.size for grad in grads.values())
        assert checks.check_elements(op, sample.operands) == expected


@pytest.mark.parametrize(
    ("op", "sample"), [case for case in CASES if case.values[1].smooth and case.values[0].rules]
)
def test_vjp_agrees_with_central_differences(op: Op, sample: Sample) -> None:
    checks.check_vjp(op, sample.operands)


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.elementwise])
def test_elementwise_ops_take_any_shape(name: str) -> None:
    """An entry's result does not depend on the shape in which it stands, and an empty array is an
    array."""
    sample = OPS[name].samples()[-1]
    op = make(name, sample.attrs)
    y, _ = checks.run(op, sample.operands)
    flat, _ = checks.run(op, tuple(x.reshape(-1, 1) for x in sample.operands))
    np.testing.assert_allclose(flat.reshape(-1), y.reshape(-1), rtol=1e-15)
    empty = tuple(np.zeros((0, 2)) for _ in sample.operands)
    assert checks.run(op, empty)[0].shape == (0, 2)


MISFITS: list[tuple[str, dict[str, object], tuple[Shape, ...]]] = [
    *(
        (name, {}, ((2, 3), (3, 2)))
        for name, op in OPS.items()
        if op.elementwise and len(op.operands) == 2
    ),
    *(
        (name, {}, ((2, 3), (3,)))
        for name, op in OPS.items()
        if op.elementwise and len(op.operands) == 2
    ),
    ("where", {}, ((3,), (3,), (2,))),
    ("where", {}, ((2,), (3,), (3,))),
    ("softmax", {}, ((),)),
    ("softmax", {"dim": 2}, ((2, 3),)),
    ("log_softmax", {"dim": -3}, ((2, 3),)),
    ("sum", {"axis": 2}, ((2, 3),)),
    ("mean", {"axis": -3}, ((2, 3),)),
    ("max", {"axis": 0}, ((),)),
    ("matmul", {}, ((2, 3), (4, 4))),
    ("matmul", {}, ((8, 3), (4,))),
    ("matmul", {}, ((), (3,))),
    ("matmul", {}, ((3,), ())),
    ("matmul", {}, ((2, 2, 3), (3, 2))),
    ("matmul", {}, ((2, 2, 3), (4, 3, 2))),
    ("linear", {}, ((2, 3), (4, 2))),
    ("linear", {}, ((), (4, 2))),
    ("linear", {}, ((2,), (2,))),
    ("linear", {}, ((2, 3), (4, 3), (3,))),
    ("linear", {}, ((2, 3), (4, 3), (4, 1))),
    ("transpose", {"axes": (0, 0)}, ((2, 3),)),
    ("transpose", {"axes": (0, 1, 2)}, ((2, 3),)),
    ("reshape", {"to": (4, 2)}, ((2, 3),)),
    ("broadcast", {"to": (2, 3)}, ((2,),)),
    ("broadcast", {"to": (3,)}, ((2, 3),)),
    ("broadcast", {"to": (1,)}, ((3,),)),
    ("unbroadcast", {"to": (2,)}, ((2, 3),)),
    ("unbroadcast", {"to": (2, 3)}, ((3,),)),
    *((name, {}, ((2, 3), (3, 2))) for name, op in OPS.items() if op.is_loss),
    ("mse", {}, ((2, 1), (2,))),
    ("cross_entropy", {}, ((), ())),
    ("cross_entropy", {}, ((4, 3), (3,))),
    ("nll", {}, ((4, 3), (4, 1))),
]


@pytest.mark.parametrize(("name", "attrs", "shapes"), MISFITS)
def test_misfit_is_told_by_op_and_shapes(
    name: str, attrs: dict[str, object], shapes: tuple[Shape, ...]
) -> None:
    with pytest.raises(ShapeError) as caught:
        make(name, attrs).shape(*shapes)
    message = str(caught.value)
    assert message.startswith(f"{name}: "), message
    told = [shape for shape in shapes if str(shape) in message]
    assert told if len(shapes) == 3 else len(set(told)) == len(set(shapes)), message
    assert caught.value.where == name


@pytest.mark.parametrize(("name", "attrs", "shapes"), MISFITS[-1:] + MISFITS[:1])
def test_misfit_in_a_graph_also_names_the_operands(
    name: str, attrs: dict[str, object], shapes: tuple[Shape, ...]
) -> None:
    graph = Graph()
    leaves = [graph.leaf("input", f"leaf{i}", shape) for i, shape in enumerate(shapes)]
    with pytest.raises(ShapeError, match=rf"{name}: .*\(operands leaf0, leaf1\)"):
        graph.add(make(name, attrs), *leaves)
    assert set(graph.nodes) == {"leaf0", "leaf1"}


@table
def test_table_has_one_class_a_name(op_class: type[Op]) -> None:
    assert OPS[op_class.name] is op_class
    assert op_class().attrs == {} or all(
        key in op_class.__annotations__ or key for key in op_class().attrs
    )
    assert make(op_class.name) == op_class()
    assert hash(op_class()) == hash(make(op_class.name))
