from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render import mathml
from app.render.mathml import Template, math, number, symbol

FORMULAS = [
    r"@y = \sigma(@x)",
    r"@y = @a \cdot @b",
    r"@y = \frac{@a}{@b}",
    r"\frac{\partial L}{\partial @x} = @g \cdot @y(1 - @y)",
    r"@y = \tfrac{1}{2}(@a - @b)^2",
    r"@y = \max(0, @x)",
    r"@y = e^{-@x}",
    r"@W \leftarrow @W - \eta\, @g",
    r"\frac{\partial L}{\partial W} = @g @x^\top",
    r"@y = \begin{cases} @x & @x > 0 \\ 0 & \text{else} \end{cases}",
    r"@y = \operatorname{softmax}(@x)_i",
    r"@y = \sqrt{@x + \varepsilon}",
    r"\hat{@y} = \mathrm{tanh}'(@x) \odot @g",
]


def flat(markup: str) -> str:
    """The markup as one line of text; exponents behind ^, fractions as a slash."""

    def walk(element: ElementTree.Element) -> str:
        parts = [walk(child) for child in element]
        if element.tag.endswith("msup"):
            return f"{parts[0]}^{parts[1]}"
        if element.tag.endswith("mfrac"):
            return f"{parts[0]}/{parts[1]}"
        return (element.text or "") + "".join(parts)

    return walk(ElementTree.fromstring(markup))


def filled(latex: str, **values: float) -> str:
    template = Template(latex)
    return flat(math(template.fill({slot: number(values[slot]) for slot in template.slots})))


@pytest.mark.parametrize("latex", FORMULAS)
@given(x=st.floats())
def test_templates_are_well_formed_with_symbols_and_with_numbers(latex: str, x: float) -> None:
    template = Template(latex)
    for fragment in (symbol("z_1", role="value"), number(x, ref="r0", role="grad")):
        root = ElementTree.fromstring(
            math(template.fill(dict.fromkeys(template.slots, fragment)), block=True)
        )
        assert "@" not in "".join(root.itertext())
        assert not any("\ue000" <= sign <= "\uf8ff" for sign in "".join(root.itertext()))
        marked = [e for e in root.iter() if e.get("class") in ("value", "ref r0 grad")]
        assert len(marked) == latex.count("@")


@given(st.text(max_size=20))
def test_a_visitors_names_are_only_text(name: str) -> None:
    root = ElementTree.fromstring(math(symbol(name), mathml.identifier(name)))
    assert {e.tag.split("}")[1] for e in root.iter()} <= {
        *("math", "mrow", "mi", "mn", "mo", "msub", "msup", "msubsup", "mover"),
    }


def test_hostile_names_are_escaped() -> None:
    assert "<script" not in symbol("<script>alert(1)</script>")
    assert "&lt;script&gt;" in symbol("<script>")
    assert symbol("a\x00b") == "<mrow><mi>a\ufffdb</mi></mrow>"


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"@y = \sigma(@x)", "−0.5=σ(−0.5)"),
        (r"@a \cdot @b", "−0.5·(−0.5)"),
        (r"@a - @b", "−0.5−(−0.5)"),
        (r"@x^2", "(−0.5)^2"),
        (r"e^{@x}", "e^−0.5"),
        (r"e^{-@x}", "e^−(−0.5)"),
        (r"\frac{@a}{@b}", "−0.5/−0.5"),
        (r"\max(0, @x)", "max(0,−0.5)"),
        (r"\log @x", "log(−0.5)"),
    ],
)
def test_parentheses_stand_only_where_a_negative_number_needs_them(
    latex: str, expected: str
) -> None:
    assert filled(latex, **dict.fromkeys("abxy", -0.5)) == expected


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"2@x", "2·0.5"),
        (r"@a @x", "0.5·0.5"),
        (r"2@x^2", "2·0.5^2"),
        (r"\frac{1}{2} @x", "1/2·0.5"),
        (r"(1 - @a)@x", "(1−0.5)·0.5"),
        (r"-\eta\, @x", "−η·0.5"),
        (r"\log @x", "log0.5"),
        (r"\sum_i @x", "∑i0.5"),
        (r"@a + @x", "0.5+0.5"),
    ],
)
def test_a_product_without_a_sign_gets_its_dot_between_numbers(latex: str, expected: str) -> None:
    assert filled(latex, **dict.fromkeys("ax", 0.5)) == expected
    letters = Template(latex).fill(dict.fromkeys("ax", symbol("w")))
    assert "·" not in letters


def test_a_prime_and_an_index_stand_close() -> None:
    assert flat(math(symbol("x_2'"))) == "x2′"
    assert "<msup>" not in Template(r"\sigma'(@x)").fill({"x": symbol("z")})
    assert '<mo lspace="0" rspace="0">−</mo>' in symbol("h_{t-1}")


def test_a_function_stands_apart_from_a_bare_argument() -> None:
    assert '<mi>log</mi><mspace width="0.17em" />' in Template(r"\log @x").fill({"x": symbol("z")})
    assert "<mi>log</mi><mo" in Template(r"\log(@x)").fill({"x": symbol("z")})


def test_a_power_of_ten_is_kept_together_under_an_exponent() -> None:
    assert filled("@x^2", x=3e-6) == "(3×10^−6)^2"


def test_a_number_knows_its_source() -> None:
    assert number(0.5, ref="r3", role="grad") == '<mrow class="ref r3 grad"><mn>0.5</mn></mrow>'
    assert "(" in number(-0.5, ref="r3")
    assert "(" not in number(-0.5, ref="r3", first=True)
    assert number(0.5) == '<mrow class="value"><mn>0.5</mn></mrow>'


@pytest.mark.parametrize("latex", ["@a & @b", r"@x\begin{foo}", r"\mathrm{@x y}"])
def test_a_broken_template_is_refused_and_shown(latex: str) -> None:
    with pytest.raises(ValueError, match="template") as caught:
        Template(latex)
    assert latex in str(caught.value)


def test_an_unknown_slot_is_named() -> None:
    with pytest.raises(ValueError, match="unknown slots: q in @y = @q"):
        Template("@y = @q", slots="xy")


def test_builders_read_as_they_should() -> None:
    two, minus = number(2), number(-3)
    assert flat(math(mathml.partial("L", "z_1"))) == "∂L/∂z1"
    assert flat(math(mathml.fraction(minus, two))) == "−3/2"
    assert flat(math(mathml.sup(minus, two))) == "(−3)^2"
    assert flat(math(mathml.parentheses(minus))) == "(−3)"
    assert flat(math(mathml.product([minus, minus]))) == "−3·(−3)"
    assert flat(math(mathml.product([minus, two], first=False))) == "(−3)·2"
    assert flat(math(mathml.total([minus, minus, two]))) == "−3+(−3)+2"
    assert flat(math(mathml.total([]))) == "0"
    assert flat(math(mathml.matrix([[minus, two], [two, two]]))) == "[−3222]"
    assert flat(math(mathml.sub(symbol("x"), two))) == "x2"


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 10, 1000])
def test_a_long_sum_is_cut_in_the_middle(count: int) -> None:
    terms = [[number(i), number(-1)] for i in range(count)]
    line = flat(math(mathml.sum_of_products(terms)))
    places = mathml.shown(count)
    assert len(places) == min(count, 8)
    assert ("⋯" in line) == (count > 8) == (None in places)
    if count:
        assert line.startswith("0·(−1)") and line.endswith(f"{count - 1}·(−1)")
    assert line.count("+") == max(min(count, 8) - 1, 0)
    assert flat(math(mathml.total([number(i) for i in range(count)]))).count("+") == line.count("+")


def test_math_is_inline_or_a_block() -> None:
    inline, block = (ElementTree.fromstring(math(symbol("x"), block=b)) for b in (False, True))
    assert inline.get("display") is None
    assert block.get("display") == "block"
