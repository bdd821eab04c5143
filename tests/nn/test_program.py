"""Programs: what they compute, and how their nodes are called."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError, ShapeError
from app.engine.op import OPS
from app.nn.program import parse
from app.nn.source import ProgramError
from tests.nn.programs import run


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


V = {"w": 2.0, "x": 3.0, "b": 1.0}
A = {"W": [[0.5, -1.0], [2.0, 0.25]], "v": [1.5, -0.5], "b": [[1.0], [2.0]], "k": 3}

GOOD: list[tuple[str, dict[str, Any], str]] = [
    ("L = (w*x + b)**2", V, "(w*x + b)**2"),
    ("L = w*x - b/2 + -x", V, "w*x - b/2 + -x"),
    ("L = 1/2*(w - x)**2  # half", V, "0.5*(w - x)**2"),
    ("L = w**x**0.5", V, "w**x**0.5"),
    ("L = -w**2 + (-w)**2 + +b", V, "-w**2 + (-w)**2 + b"),
    ("L = (w > x)*b + (w < x)*7", V, "7.0"),
    ("u = w*x; v = u + b\nL = v*u\n", V, "(w*x + b)*(w*x)"),
    ("a = w\na = a*x\na += b\na -= 2; a *= 3; a /= 4; a **= 2\nL = a", V, "((w*x + b - 2)*3/4)**2"),
    ("p = q = w*x\nL = p + q", V, "2*w*x"),
    ("(w*x + b)**3", V, "(w*x + b)**3"),
    ("c = 4\nL = c*w", V, "4*w"),
    ("L = max(0, w - x) + max(w, x) + min(w, x)", V, "x + w"),
    ("L = sum(W*v)", A, "np.sum(W*v)"),
    ("L = mean(2*W + b - v)", A, "np.mean(2*W + b - v)"),
    ("L = sum(W@v) + v@v", A, "np.sum(W@v) + v@v"),
    ("L = sum(v @ W.T @ b)", A, "np.sum(v @ W.T @ b)"),
    ("L = W.sum(axis=0).max()", A, "np.max(W.sum(axis=0))"),
    ("L = sum(mean(W, axis=-1, keepdims=True)*b)", A, "np.sum(W.mean(-1, keepdims=True)*b)"),
    ("L = sum(max(W, axis=1))", A, "np.sum(W.max(1))"),
    ("L = sum(W, dim=0) @ v", A, "W.sum(0) @ v"),
    ("L = sum(relu(W) + leaky_relu(W, 0.1))", A, "np.sum(np.maximum(W,0) + np.where(W>0,W,.1*W))"),
    ("L = sum(leaky_relu(W, negative_slope=0.1))", A, "np.sum(np.where(W>0,W,.1*W))"),
    ("L = sum(where(W > 0, W, v))", A, "np.sum(np.where(W > 0, W, v))"),
    ("L = sum(exp(W)*log(abs(W)) + sqrt(abs(v)))", A,
     "np.sum(np.exp(W)*np.log(abs(W))+abs(v)**.5)"),
    ("L = sum(sigmoid(W) + tanh(W) + softplus(W) + σ(W))", A,
     "np.sum(2*sigmoid(W) + np.tanh(W) + np.log1p(np.exp(W)))"),
    ("L = sum(elu(W, alpha=2.0))", A, "np.sum(np.where(W>0, W, 2*np.expm1(W)))"),
    ("L = sum(gelu(W, approximate=\"tanh\"))", A,
     "np.sum(0.5*W*(1+np.tanh(np.sqrt(2/np.pi)*(W+0.044715*W**3))))"),
    ("L = sum(softmax(W, dim=-1)*W)", A,
     "np.sum(np.exp(W)/np.exp(W).sum(-1, keepdims=True)*W)"),
    ("L = sum(reshape(W, 4)*2) + sum(reshape(W, (1, -1)))", A, "3*np.sum(W)"),
    ("L = sum(transpose(W)@b)", A, "np.sum(W.T@b)"),
    ("L = sum(broadcast(v, 3, 2))", A, "3*np.sum(v)"),
    ("L = sum(matmul(W, b)) + sum(linear(b.T, W)) + sum(linear(b.T, W, v))", A,
     "np.sum(W@b) + 2*np.sum(b.T@W.T) + np.sum(v)"),
    ("L = sum(maximum(W, v)) + sum(minimum(W, 0.3))", A,
     "np.sum(np.maximum(W, v)) + np.sum(np.minimum(W, 0.3))"),
    ("L = mse(W, 0.5)", A, "np.mean((W - 0.5)**2)"),
    ("L = mse(W@v, v)", A, "np.mean((W@v - v)**2)"),
    ("L = squared_error(W@v, v)", A, "np.sum((W@v - v)**2)"),
    ("L = half_squared_error(W, W.T)", A, "0.5*np.sum((W - W.T)**2)/2"),
    ("L = mae(W, W.T)", A, "np.mean(abs(W - W.T))"),
    ("L = huber(W@v, 0)", A, "np.mean(np.where(abs(W@v)<1, (W@v)**2/2, abs(W@v)-.5))"),
    ("L = bce(sigmoid(W@v), 1)", A, "-np.mean(np.log(sigmoid(W@v)))"),
    ("L = bce_with_logits(W@v, 1)", A, "-np.mean(np.log(sigmoid(W@v)))"),
    ("L = cross_entropy(W, 1)", A, "-np.mean((W - np.log(np.exp(W).sum(1, keepdims=True)))[:, 1])"),
    ("L = nll(log_softmax(W), 1)", A,
     "-np.mean((W - np.log(np.exp(W).sum(1, keepdims=True)))[:, 1])"),
    ("α = w*x\nβ_1 = α**2\nL = β_1 + α", V, "(w*x)**2 + w*x"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "values", "expected"), GOOD, ids=[g[0] for g in GOOD])
def test_a_program_computes_what_numpy_computes(
    source: str, values: dict[str, Any], expected: str
) -> None:
    program = parse(source, values)
    slots = run(program)
    arrays = {name: np.array(value, float) for name, value in values.items()}
    wanted = eval(expected, {"np": np, "sigmoid": sigmoid, **arrays})  # text of this very file
    assert slots[program.graph.output, "value"] == pytest.approx(float(wanted), rel=1e-12)


@pytest.mark.parametrize(("source", "values", "_"), GOOD, ids=[g[0] for g in GOOD])
def test_every_gradient_is_the_slope(source: str, values: dict[str, Any], _: str) -> None:
    program = parse(source, values)
    slots = run(program)
    for name in program.parameters:
        start = program.values[name]
        slopes = np.zeros(start.shape)
        for index in np.ndindex(*start.shape):
            ends = []
            for step in (1e-6, -1e-6):
                program.values[name] = start.copy()
                program.values[name][index] += step
                ends.append(float(run(program)[program.graph.output, "value"]))
            slopes[index] = (ends[0] - ends[1]) / 2e-6
        program.values[name] = start
        assert slots[name, "grad"] == pytest.approx(slopes, rel=2e-5, abs=2e-6), name


def test_names_read_as_on_paper() -> None:
    program = parse("L = (w*x + b)**2", V)
    assert {n.name: (n.label, n.latex) for n in program.graph.ops} == {
        "mul": ("wx", "w x"),
        "u_1": ("u₁", "u_{1}"),
        "L": ("L", "L"),
    }
    assert program.graph["L"].op_name == "square"
    assert program.parameters == ("w", "x", "b")
    assert str(program.places["u_1"]) == "line 1, column 6"
    assert program.places["L"].end_column == len("L = (w*x + b)**2") + 1


def test_a_name_bound_again_counts_on_and_never_takes_a_visitors_name() -> None:
    program = parse("a = w*2\na = a + 1\na_2 = a*a\na = a_2\nmul = a + u_1*v\nL = mul*mul", {
        "w": 1.0, "u_1": 2.0, "v": 3.0, "mul_2": 4.0,
    })  # fmt: skip
    names = [node.name for node in program.graph.ops]
    assert names[:3] == ["a", "a_3", "a_2"]
    assert program.names["a"] == "a_2"
    assert "mul" in names and names[-1] == "L"
    assert all(not name.startswith(("u_", "v_")) for name in names)
    again = parse("x = x + 1\nL = x*x", {"x": 1.0})
    assert [n.name for n in again.graph.nodes.values()] == ["x", "1", "x_2", "L"]


def test_both_edges_of_a_product_of_one_value() -> None:
    program = parse("b = a + a\nt = 3*b\nc = b*t", {"a": 1.0})
    slots = run(program)
    assert program.graph["b"].inputs == ("a", "a")
    assert (slots["c", "value"], slots["a", "grad"]) == (12.0, 24.0)


def test_stretching_is_a_node_and_a_literal_needs_none() -> None:
    program = parse("L = sum(2*v + b)", {"v": [1, 2, 3], "b": 4})
    assert [n.op_name for n in program.graph.ops] == ["mul", "broadcast", "add", "sum"]
    assert program.values["2"].tolist() == [2, 2, 2]
    assert run(program)["b", "grad"] == 3


def test_parameters_inputs_and_targets() -> None:
    values = {"w": 2, "x": 3, "y": 5, "spare": 1}
    program = parse("L = mse(w*x, y)", values, parameters=["w"])
    assert {n.name: n.kind for n in program.graph.nodes.values() if not n.op} == {
        "w": "parameter", "x": "input", "y": "target", "spare": "input",
    }  # fmt: skip
    slots = run(program)
    assert slots["spare", "grad"] == 0 and ("y", "grad") not in slots
    free = parse("L = mse(w*x, y)", values)
    assert [n.op_name for n in free.graph.ops] == ["mul", "sub", "square", "mean"]
    assert run(free)["y", "grad"] == -2
    with pytest.raises(ProgramError, match="target must be one of the values"):
        parse("L = bce(w, w)", {"w": 0.5})


def test_class_numbers() -> None:
    values = {"z": [[1.0, 2.0, 0.5], [0.1, 0.2, 0.3]], "t": [2, 0]}
    program = parse("L = cross_entropy(z, t)", values)
    assert program.graph["t"].kind == "target"
    assert program.values["t"].dtype == np.int64
    assert math.isfinite(run(program)["L", "value"])
    for wrong in ([2, 3], [0.5, 1], [-1, 0], ["NaN", 0]):
        with pytest.raises(ProgramError, match="class numbers must be whole, from 0 to 2"):
            parse("L = cross_entropy(z, t)", {**values, "t": wrong})
    with pytest.raises(ShapeError, match="class numbers must be one of the values"):
        parse("t = 1 + 0\nL = cross_entropy(z, t)", {"z": [1, 2]})


def test_output() -> None:
    program = parse("L = w*x\nM = L + 1", V, output="L")
    assert program.graph.output == "L"
    assert parse("a = w*x\na = a*a", V, output="a").graph.output == "a_2"
    with pytest.raises(BackstepError, match="known are") as error:
        parse("L = w*x", V, output="Q")
    assert error.value.where == "output"
    with pytest.raises(BackstepError, match=r"sum\(z\) or mean\(z\)"):
        parse("z = 2*v", {"v": [1, 2]})
    for source in ("L = w", "L = 3", "# nothing\n"):
        with pytest.raises(BackstepError, match="must be computed"):
            parse(source, V)


def test_not_finite_is_no_error() -> None:
    program = parse("L = log(x) + y/z", {"x": -1, "y": "NaN", "z": "-Infinity"})
    assert math.isnan(run(program)["L", "value"])
    assert run(parse("L = x/0", {"x": 1}))["L", "value"] == math.inf
    assert run(parse("L = x*9**9**9", {"x": 1}))["L", "value"] == math.inf


def test_long_is_not_deep() -> None:
    source = "L = " + " + ".join(f"x{i}" for i in range(200))
    program = parse(source, {f"x{i}": i for i in range(200)})
    assert run(program)["L", "value"] == sum(range(200))


def test_every_op_can_be_called_by_name() -> None:
    for name, op in OPS.items():
        for sample in op.samples():
            names = [f"x{i}" for i in range(len(sample.operands))]
            attrs = [f"{key}={value!r}" for key, value in sample.attrs.items()]
            if name == "reshape" or "to" in sample.attrs and not sample.attrs["to"]:
                continue
            source = f"y = {name}({', '.join(names + attrs)})\nL = sum(y)"
            values = dict(zip(names, sample.operands, strict=True))
            program = parse(source, values, parameters=[names[0]])
            assert program.graph["y"].op == op(**sample.attrs), source
