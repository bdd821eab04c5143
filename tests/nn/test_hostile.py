"""Hostile programs and values: each is refused in words, with its place, and nothing happens."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import BackstepError, LimitError
from app.nn.program import ProgramLimits, parse
from app.nn.source import ProgramError
from tests.nn.programs import run
from tests.serving import ROOT

V = {"w": 2.0, "x": 3.0, "b": 1.0}
HOSTILE: list[tuple[str, str, str | None]] = [
    ("L = " + "-" * 1990 + "x", "nested", None),
    ("L = " + "(" * 900 + "x" + ")" * 900, "too many brackets", None),
    ("L = " + "(-" * 61 + "x" + ")" * 61, "at most 60 deep", None),
    ("L = x + " + "sin(" * 70 + "x" + ")" * 70, "at most 60 deep", None),
    ("x = 1" * 1000, "at most 2,000 characters", "program"),
    ("L = " + "x" * 100, "at most 40 characters", "line 1, column 5"),
    ("L = " + "+".join(["-x"] * 600), "at most 500 nodes", None),
    ("L = 1e999*x", "too large", "line 1, column 5"),
    ("L = " + "9" * 400 + "*x", "too large", "line 1, column 5"),
    ("L = x + q", "q has no value here", "line 1, column 9"),
    ("y = x\nL = y + αβ*q", "αβ has no value here", "line 2, column 9"),
    ("L = __import__('os').getpid()", "underscore", "line 1, column 5"),
    ("L = __class__", "underscore", "line 1, column 5"),
    ("L = x.__class__.__mro__", "dot", "line 1, column 5"),
    ("L = ().__class__", "dot", "line 1, column 5"),
    ("L = x.real", "dot", "line 1, column 5"),
    ("L = open('/etc/passwd')", "not known", "line 1, column 5"),
    ("L = eval('1')", "not known", "line 1, column 5"),
    ("L = relu(x)(x)", "only a function's name", "line 1, column 5"),
    ("L = (lambda: 1)()", "lambda|only a function's name", None),
    ("L = lambda*x", "call the value lam", "line 1"),
    ("L = w*x +", "not complete", "line 1"),
    ("L = 2 x", "operator may be missing", "line 1, column 7"),
    ("L = f'{x}'", "no texts", "line 1, column 5"),
    ("L = 'x'", "not a number", "line 1, column 5"),
    ("L = b'x'", "not a number", None),
    ("L = x*True", "not a number", "line 1, column 7"),
    ("L = None", "not a number", None),
    ("L = ...", "not a number", None),
    ("L = 1j*x", "not a number", None),
    ("L = (y := x)", "line of its own", None),
    ("L = [x, x]", "arrays in the values", None),
    ("L = x, x", "arrays in the values", None),
    ("L = {x}", "not part of the language", None),
    ("L = [x for x in x]", "not part of the language", None),
    ("L = x[0]", "index", "line 1, column 5"),
    ("L = x if x else x", "where", None),
    ("L = x and x", "combine", None),
    ("L = not x", "not part", None),
    ("L = ~x", "not part", None),
    ("L = 1 < x < 2", "two values at a time", None),
    ("L = x >= 1", "> and <", None),
    ("L = x == 1", "one = gives", None),
    ("L = x != 1", "operators are", None),
    ("L = x ^ 2", r"\*\*", "line 1, column 5"),
    ("L = x // 2", "operators are", None),
    ("L = x % 2", "operators are", None),
    ("L = x << 2", "operators are", None),
    ("L = x²", r"\*\*2", "line 1, column 6"),
    ("L = 2×x", r"write \*", "line 1, column 6"),
    ("L = 2x", r"for a product write \*", "line 1"),
    ("L = x −1", "write -", "line 1, column 7"),
    ("L = x\x00", "no meaning", "line 1, column 6"),
    ("L = x\u202e", "no meaning", "line 1, column 6"),
    ("L = \ufeffx", "no meaning", "line 1, column 5"),
    ("L = x\ud800", "no meaning", "line 1, column 6"),
    ("# \ud800\nL = x*x", "cannot be read", "program"),
    ("L = x \\\n + 1", "no meaning", "line 1, column 7"),
    ("L = (x +", "not understood|never closed", "line 1"),
    ("L = ", "not complete", "line 1"),
    ("L = x +* 2", "not understood", "line 1"),
    ("  L = x", "may not begin with spaces", "line 1"),
    ("import os", "a line must be", "line 1, column 1"),
    ("def f(): pass", "a line must be", None),
    ("for i in x: pass", "a line must be", None),
    ("L: float = x", "a line must be", None),
    ("del x", "a line must be", None),
    ("x.y = 1", "must be one name", "line 1, column 1"),
    ("x[0] = 1", "must be one name", None),
    ("a, b = x, x", "must be one name", None),
    ("2 = x", "must be one name", "line 1"),
    ("x*x\nL = x", "gives its result no name; write y = x", "line 1, column 1"),
    ("L = relu()", r"needs one value: relu\(x\)", None),
    ("L = mul(x)", r"needs 2 values: mul\(a, b\)", None),
    ("L = relu(x, 1)", r"takes at most relu\(x\)", "line 1, column 13"),
    ("L = relu(x, slope=1)", "no such argument", None),
    ("L = leaky_relu(x, 0.1, negative_slope=1)", "no such argument", None),
    ("L = leaky_relu(x, x)", "a number written out", "line 1, column 19"),
    ("L = leaky_relu(x, 1e999)", "too large", None),
    ("L = leaky_relu(x, " + "9" * 400 + ")", "too large", None),
    ("L = relu(*x)", "star", None),
    ("L = relu(**x)", "needs one value|no such", None),
    ("L = sum(v, axis=0.5)", "whole number", None),
    ("L = sum(v, axis=3)", "no axis 3", "line 1, column 5"),
    ("L = sum(v, axis=9999999999)", "whole number", None),
    ("L = sum(v, keepdims=2)", "True or False", None),
    ("L = gelu(x, 'os')", "none", None),
    ("L = sum(softmax(x))", "no axis -1", "line 1, column 9"),
    ("L = max(v, 0)", "two things", "line 1, column 5"),
    ("L = min(v)", "no min of one array", None),
    ("L = sigmiod(x)", "do you mean sigmoid", "line 1, column 5"),
    ("L = sum(reshape(v, 4))", "number of entries differs", "line 1, column 9"),
    ("L = sum(reshape(v, -1, -1))", "at least 1", None),
    ("L = sum(reshape(v, 0))", "at least 1", None),
    ("L = sum(reshape(v, -1, 2))", "do not divide", None),
    ("L = sum(reshape(v, 10**9))", "a number written out", None),
    ("L = sum(transpose(v, 1, 0))", "no order", None),
    ("L = sum(broadcast(v, 1000000, 2, 3))", "BACKSTEP_ARRAY_ENTRIES", "line 1, column 9"),
    ("L = sum(broadcast(v, 1000000, 1000000, 3))", "an array may have at most", None),
    (f"L = {' + '.join(['sum(broadcast(v, 300000, 3))'] * 12)}", "BACKSTEP_GRAPH_ENTRIES", None),
    ("L = sum(avg_pool2d(reshape(v, 1, 1, 1, 3), 4000, 4000, 2000))", "GRAPH_ENTRIES", None),
    ("L = sum(max_pool2d(reshape(v, 1, 1, 1, 3), (1, 2, 3)))", "lists of 2", None),
    ("L = sum(v + u)", r"v \(3,\) and u \(2,\)", "line 1, column 9"),
    ("L = v @ u", r"inner sizes differ.*operands v, u", "line 1, column 5"),
    ("L = x @ v", "a number is no matrix", None),
    ("L = mse(v, u)", "do not fit|shape", None),
    ("L = cross_entropy(x, x)", "occur nowhere else", "line 1, column 22"),
    ("L = cross_entropy(x, 0)", "must be class numbers", "line 1, column 5"),
    ("L = cross_entropy(v, 7)", "from 0 to 2", "line 1, column 22"),
    ("", "empty", "program"),
    ("   \n\t", "empty", "program"),
]  # fmt: skip

HOSTILE_VALUES = {"x": 1.0, "v": [1.0, 2.0, 3.0], "u": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("source", "told", "where"), HOSTILE, ids=[repr(h[0][:40]) for h in HOSTILE]
)
def test_hostile_programs(source: str, told: str, where: str | None) -> None:
    with pytest.raises(BackstepError, match=told) as error:
        parse(source, HOSTILE_VALUES)
    assert error.value.where, error.value.message
    assert error.value.where.startswith(where or ("line", "program"))
    assert len(error.value.message) < 600


VALUES: list[tuple[Any, str, str]] = [
    ([1], "must be an object", "values"),
    ({"1w": 1}, "letters, digits", "values"),
    ({"lambda": 1}, "letters, digits", "values"),
    ({"__proto__": 1}, "letters, digits", "values"),
    ({"w" * 60: 1}, "letters, digits", "values"),
    ({3: 1}, "letters, digits", "values"),
    ({"fi": 1, "\ufb01": 2}, "same name", "values"),
    ({"w": "abc"}, "not a number: 'abc'", "values.w"),
    ({"w": None}, "null", "values.w"),
    ({"w": True}, "true", "values.w"),
    ({"w": {}}, "an object", "values.w"),
    ({"w": []}, "empty", "values.w"),
    ({"w": [1, [2]]}, "not a number", "values.w[1]"),
    ({"w": [[1, 2], [3]]}, "differ in length", "values.w[1]"),
    ({"w": [[1, 2], 3]}, "a list of 2", "values.w[1]"),
    ({"w": 10**400}, "too large", "values.w"),
    ({"w": [[[[[[[[[1]]]]]]]]]}, "at most 8 deep", "values.w"),
    ({"w": [0.0] * 101}, "at most 100 numbers", "values.w"),
]


@pytest.mark.parametrize(("values", "told", "where"), VALUES, ids=[repr(v[0])[:30] for v in VALUES])
def test_values_that_are_none(values: Any, told: str, where: str) -> None:
    limits = ProgramLimits(array_entries=100)
    with pytest.raises(BackstepError, match=told) as error:
        parse("L = w*w", values, limits=limits)
    assert error.value.where == where


@pytest.mark.parametrize("parameters", ["w", 3, ["q"], [None], [["w"]], {"w": 1}])
def test_parameters_that_are_none(parameters: Any) -> None:
    with pytest.raises(BackstepError) as error:
        parse("L = w*x", V, parameters=parameters)
    assert str(error.value.where).startswith("parameters")


@pytest.mark.parametrize("source", [None, 3, ["L = x"], b"L = x"])
def test_a_program_is_a_text(source: Any) -> None:
    with pytest.raises(ProgramError):
        parse(source, {})


@pytest.mark.parametrize(
    "source", ["L = mse(1, 2)", "L = sum(sum(v).T)", "L = cross_entropy(0, v)", "L = relu(-3)"]
)
def test_odd_but_harmless(source: str) -> None:
    run(parse(source, HOSTILE_VALUES))


def test_limits_are_named() -> None:
    with pytest.raises(LimitError, match="at most 3 nodes"):
        parse("L = (w*x + b)**2", V, limits=ProgramLimits(graph_nodes=3))


def test_a_ligature_is_the_letters_it_stands_for() -> None:
    assert parse("L = \ufb01 * fi", {"\ufb01": 3}).parameters == ("fi",)


def test_the_module_never_evaluates() -> None:
    for path in (ROOT / "app" / "nn").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, path


PIECES = st.sampled_from(
    textwrap.dedent("""
    L a b x w W v = + - * / ** @ ( ) , ; . T > < 2 0 -1 1e5 0.5 1e999 9**9 relu softmax sum mean max
    axis=0 dim=-1 keepdims=True reshape matmul mse cross_entropy where log += \n # := lambda [ ] { }
    'x' f'{x}' if else for not and : ! ~ ^ % \\ __class__ None True 0x10 1_0 1j αx fi ﬁ σ transpose
    """).split(" ")
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.lists(PIECES, max_size=25).map(" ".join),
        st.lists(PIECES, max_size=25).map("".join),
        st.text(max_size=80),
        st.text("Lx=+-*/()@.,;<>0 2e\n", max_size=60).map(lambda text: "L = " + text),
    )
)
def test_nothing_but_a_backstep_error_comes_out(source: str) -> None:
    values = {"x": 1.0, "w": 2.0, "W": [[1.0, 2.0], [3.0, 4.0]], "v": [1.0, 2.0]}
    try:
        program = parse(source, values)
    except BackstepError as error:
        assert error.where and error.message
    else:
        run(program)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(JSON, JSON, JSON)
def test_any_values_output_and_parameters(values: Any, output: Any, parameters: Any) -> None:
    for given_values in (values, {"x": values}):
        try:
            parse("L = sum(x*x)", given_values, output, parameters)
        except BackstepError as error:
            assert error.where and error.message
