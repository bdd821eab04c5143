from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.render import text

NAMES = {
    # name: (label, LaTeX)
    "z": ("z", "z"),
    "z_1": ("z₁", "z_{1}"),
    "w2": ("w₂", "w_{2}"),
    "z₁": ("z₁", "z_{1}"),
    "w_ij": ("wᵢⱼ", r"w_{\mathrm{ij}}"),
    "w_1_2": ("w₁,₂", "w_{1,2}"),
    "w_{1,2}": ("w₁,₂", "w_{1,2}"),
    "W_{hh}": ("Wₕₕ", r"W_{\mathrm{hh}}"),
    "W₁ᵀ": ("W₁ᵀ", "W_{1}^{T}"),
    "h_{t-1}": ("hₜ₋₁", "h_{t-1}"),
    "z^{(1)}": ("z⁽¹⁾", "z^{(1)}"),
    "x_2'": ("x₂′", "x_{2}'"),
    "{s'}^{(2)}": ("s′⁽²⁾", "{s'}^{(2)}"),
    "alpha_2": ("α₂", r"\alpha_{2}"),
    r"\theta": ("θ", r"\theta"),
    "lam": ("λ", r"\lambda"),
    "y_hat": ("ŷ", r"\hat{y}"),
    r"\hat{y}_1": ("ŷ₁", r"\hat{y}_{1}"),
    "ŷ": ("ŷ", r"\hat{y}"),
    "é": ("é", "é"),
    "that": ("that", r"\mathrm{that}"),
    "loss": ("loss", r"\mathrm{loss}"),
    "loss_2": ("loss₂", r"\mathrm{loss}_{2}"),
    "a_Q": ("a_Q", "a_{Q}"),
    "my_var": ("my_var", r"\mathrm{my\_var}"),
    "conv2d": ("conv2d", r"\mathrm{conv2d}"),
    "0.weight": ("0.weight", r"\mathrm{0.weight}"),
    "a\\b": ("a\\b", r"\mathrm{a\backslash b}"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_written_as_in_mathematics(name: str) -> None:
    assert (text.label(name), text.latex(name)) == NAMES[name]


@given(st.text(max_size=12))
def test_any_name_has_a_label_and_balanced_latex(name: str) -> None:
    assert text.label(name) or not name.strip()
    plain = text.latex(name).replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")


@given(st.from_regex(r"[a-zA-Z](_[0-9]{1,2})?", fullmatch=True))
def test_a_label_is_read_as_the_name_it_came_from(name: str) -> None:
    assert text.read(text.label(name)) == text.read(name)


def test_what_unicode_cannot_lower_stays_readable() -> None:
    assert text.subscript(12) == "₁₂"
    assert text.subscript(-1) == "₋₁"
    assert text.subscript("Q") == "_Q"
    assert text.superscript(2) == "²"
    assert text.superscript("Q") == "^Q"
    assert text.greek("sigma") == "σ"
    assert text.greek("sigmoid") == "sigmoid"
