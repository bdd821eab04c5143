"""Every step of every layer explains itself: a line of the plan, a formula, and numbers where one
entry can be written out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.sessions import views
from app.train.run import Run
from app.train.spec import parse_spec

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "layers.json").read_text())
CASES = {case["name"]: case for case in GOLDEN["cases"]}
CASES["rnn, fused"] = CASES["rnn"] | {"layers": [dict(CASES["rnn"]["layers"][0], fused=True)]}
CASES["rnn, fused, without biases"] = CASES["rnn, fused"] | {
    "layers": [dict(CASES["rnn, fused"]["layers"][0], bias=False)],
    "parameters": {n: p for n, p in CASES["rnn"]["parameters"].items() if "bias" not in n},
}


def run_of(case: dict[str, Any]) -> Run:
    spec = {
        "model": {"layers": case["layers"]},
        "loss": "mse",
        "optimizer": None,
        "data": {"inputs": case["inputs"][:2], "targets": case["targets"][:2]},
        "parameters": case["parameters"],
    }
    return Run(parse_spec(spec))


def plain(markup: str | None) -> str:
    return re.sub(r"<[^>]*>", "", markup or "")


@pytest.mark.parametrize("name", CASES)
def test_every_step_has_words_and_a_formula(name: str) -> None:
    run = run_of(CASES[name])
    for line in views.plan_view(run, 0):
        assert line["label"]
        frame = views.frame_view(run, 0, line["index"])
        json.dumps(frame, allow_nan=False)
        if frame["phase"] in ("forward", "loss", "backward"):
            assert frame["says"] and frame["formula"]["mathml"] and frame["code"]["numpy"]
            assert frame["lines"]


WORKED = {
    ("conv2d", "0.z"): r"z1\[0,0,0,0\]=.+·.+\+⋯\+.+",
    ("max_pool2d", "0.p"): r"p1\[0,0,0,0\]=max\(.+,.+,.+,.+\)",
    ("avg_pool2d", "0.p"): r"p1\[0,0,0,0\]=0\.25·.+\+0\.25·.+",
    ("rnn", "0.z_2"): r"z2\[0,0\]=.+·.+",
    ("lstm", "0.i_1"): r"i1\[0,0\]=σ\(.+\)",
    ("lstm", "0.g_1"): r"g1\[0,0\]=tanh\(.+\)",
    ("gru", "0.r_1"): r"r1\[0,0\]=σ\(.+\+.+\)",
    ("gru", "0.n_1"): r"n1\[0,0\]=tanh\(.+\+.+·.+\)",
    ("self_attention", "0.q"): r"q\[0,0,0\]=.+·.+",
    ("self_attention", "0.scores"): r"s\[0,0,0\]=.+·.+",
}


@pytest.mark.parametrize(("name", "node"), WORKED)
def test_an_entry_is_written_out(name: str, node: str) -> None:
    run = run_of(CASES[name])
    index = next(i for i, step in enumerate(run.plan(0)) if step.node == node)
    numbers = plain(views.frame_view(run, 0, index)["formula"]["numbers"])
    assert re.fullmatch(WORKED[name, node], numbers), numbers
