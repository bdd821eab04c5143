"""Symbols of what has no name of its own: a product by its factors, a constant by its worth."""

from __future__ import annotations

import re

import pytest

from app.nn.program import parse
from app.render import text
from app.render.mathml import symbol


def read(latex: str) -> str:
    """What stands on the page, with a mark for each fraction."""
    markup = symbol(latex).replace("<mfrac>", "<mo>⁄</mo>")
    return re.sub(r"<[^>]+>", "", markup)


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        ("w x", "wx"),
        ("2 x", "2x"),
        ("0.5 u_{7}", "0.5u7"),
        (r"u_{1} \cdot 2", "u1·2"),
        (r"\mathrm{price} \cdot \mathrm{size}", "price·size"),
        (r"\frac{1}{2}", "⁄12"),
        (r"\frac{(-1)}{2}", "⁄(−1)2"),
        ("(-3)", "(−3)"),
        ("1e-08", "1e−08"),
        ("7", "7"),
        (r"\mathrm{my\_var}", "my_var"),
        (r"W_{\mathrm{hh}}", "Whh"),
    ],
)
def test_symbols(latex: str, shown: str) -> None:
    assert read(latex) == shown


@pytest.mark.parametrize(
    "name", "w x_1 price my_var w_hat alpha W_hh z_12 loss_2 β_1 fan_in a_1_2 learning_rate".split()
)
def test_a_name_survives_its_latex(name: str) -> None:
    assert symbol(text.latex(name)) == symbol(name)


def test_no_latex_is_left_in_a_programs_symbols() -> None:
    values = {"price": 2, "my_size": 3, "w_1": 1, "α": 2, "x": 1}
    source = "loss = price*my_size + w_1*α - 1/2*x**2*price + x*-3e-9 + my_size*w_1*2 + 1.5*price"
    graph = parse(source, values).graph
    for node in graph.nodes.values():
        assert not set("\\{}_") & set(read(node.latex)) - {"_"}, (node.label, read(node.latex))
    labels = [node.label for node in graph.ops]
    assert {"price·my_size", "w₁α", "loss", "1.5·price"} - set(labels) == {"price·my_size"}
