"""Clipping: equal to PyTorch's, also where numbers are not finite; norms before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.graph import Graph
from app.engine.kernel import Eager, Record, Recorder
from app.engine.replay import replay
from app.engine.types import Array
from app.render import mathml
from app.render.template import Template
from app.train.clipping import CLIPS, ClipNorm, ClipStep, ClipValue, parse_clip
from tests.engine.latex import evaluate
from tests.train import cases

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "optimizers.json").read_text("utf-8"))
GOLDEN_CLIPS = pytest.mark.parametrize(
    "row", GOLDEN["clips"], ids=lambda row: f"{row['clip']['type']}-{row['gradients']}"
)


def arrays(gradients: Any) -> dict[str, Array]:
    """float() also reads "NaN" and "Infinity"."""
    return {n: np.vectorize(float, otypes=[float])(g) for n, g in gradients.items()}


def step(clip: Any) -> ClipStep:
    graph, made = Graph(), parse_clip(clip)
    assert made is not None
    shapes = {name: np.shape(g) for name, g in cases.GRADIENTS["plain"].items()}
    return ClipStep(tuple(graph.leaf("parameter", n, s) for n, s in shapes.items()), made)


def run(clip: Any, gradients: dict[str, Array]) -> Record:
    kernel = Eager({(name, "grad"): g for name, g in gradients.items()}, {}, {})
    with np.errstate(all="ignore"):
        step(clip).run(kernel)
    return kernel.seal()


@GOLDEN_CLIPS
def test_equals_pytorch(row: dict[str, Any]) -> None:
    writes = run(row["clip"], arrays(cases.GRADIENTS[row["gradients"]])).writes
    np.testing.assert_allclose(writes["", "grad_norm"], float(row["norm"]), rtol=1e-12)
    after = arrays(row["after"])
    for name, expected in after.items():
        np.testing.assert_allclose(writes[name, "grad"], expected, rtol=1e-12)
    with np.errstate(all="ignore"):
        norm = np.sqrt(sum((g * g).sum() for g in after.values()))
    if row["gradients"] != "overflow":  # inf · 0: what the norm was cannot be told any more
        np.testing.assert_allclose(writes["", "clipped_norm"], norm, rtol=1e-6)


def test_the_golden_values_cover_the_table() -> None:
    assert {row["clip"]["type"] for row in GOLDEN["clips"]} == set(CLIPS)


@GOLDEN_CLIPS
def test_replayed_numbers_are_the_stepped_ones_bit_for_bit(row: dict[str, Any]) -> None:
    gradients = arrays(cases.GRADIENTS[row["gradients"]])
    flat = np.zeros(sum(g.size for g in gradients.values()))
    buffers, first = {}, 0
    for name, g in gradients.items():
        buffers[name, "grad"] = flat[first : first + g.size].reshape(g.shape)
        first += g.size
    k = Recorder(buffers, set(buffers), frozenset(gradients), {"grad": flat})
    step(row["clip"]).run(k)
    for _ in range(3):
        for name, g in gradients.items():
            np.copyto(buffers[name, "grad"], g)
        with np.errstate(all="ignore"):
            replay(k.calls)
        for slot, written in run(row["clip"], gradients).writes.items():
            assert written is not None
            assert buffers[slot].tobytes() == written.tobytes(), slot


def test_parameters_without_a_gradient_are_left_out() -> None:
    gradients = arrays(cases.GRADIENTS["plain"])
    only = run({"max_norm": 1.0}, {"b": gradients["b"]}).writes
    assert ("w", "grad") not in only
    np.testing.assert_allclose(only["", "grad_norm"], np.linalg.norm(gradients["b"]))
    assert not run({"max_norm": 1.0}, {}).writes


@pytest.mark.parametrize("spec", cases.CLIPS, ids=json.dumps)
def test_the_lines_tell_what_is_computed(spec: Any) -> None:
    writes = run(spec, arrays(cases.GRADIENTS["plain"])).writes
    flat = np.concatenate([np.ravel(g) for g in cases.GRADIENTS["plain"].values()])
    for line in step(spec).lines:
        names: dict[str, Any] = {}
        for word, letter in line.letters.items():
            names[word] = letter.worth if letter.when == "constant" else writes["", letter.source]
            assert "\\" not in mathml.symbol(letter.symbol)
        for latex in (line.latex, line.numbers, line.right):
            Template(latex, line.letters)
        functions = {r"\min": np.minimum, r"\max": np.maximum, r"\sum": np.sum, "g": flat}
        told = evaluate(line.right, names | functions)
        np.testing.assert_allclose(told, names[line.target], rtol=1e-9)


@pytest.mark.parametrize("spec", cases.CLIPS, ids=json.dumps)
def test_the_numpy_line_computes_the_same(spec: Any) -> None:
    gradients = arrays(cases.GRADIENTS["plain"])
    names: dict[str, Any] = {"np": np, "grads": list(gradients.values())}
    made = parse_clip(spec)
    assert made is not None
    exec(made.numpy, names)
    writes = run(spec, gradients).writes
    for name, told in zip(gradients, names["grads"], strict=True):
        np.testing.assert_allclose(writes[name, "grad"], told, rtol=1e-12)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, None),
        ({"type": "norm", "max_norm": 1.0}, ClipNorm(max_norm=1.0)),
        ({"max_norm": 2}, ClipNorm(max_norm=2.0)),
        ({"norm": 0.5}, ClipNorm(max_norm=0.5)),
        ({"type": "norm", "norm": 0.5}, ClipNorm(max_norm=0.5)),
        ({"type": "value", "clip_value": 0.5}, ClipValue(clip_value=0.5)),
        ({"clip_value": 0.5}, ClipValue(clip_value=0.5)),
        ({"value": 3}, ClipValue(clip_value=3.0)),
    ],
)
def test_what_a_person_may_write(told: Any, expected: Any) -> None:
    assert parse_clip(told) == expected
    if expected is not None:
        assert parse_clip(json.loads(json.dumps(expected.spec))) == expected
        assert expected.says and expected.summary


@pytest.mark.parametrize(
    ("told", "where", "words"),
    [
        (1.0, "clip", "null or an object"),
        ("norm", "clip", "null or an object"),
        ([], "clip", "null or an object"),
        ({}, "clip", "exactly one of max_norm and clip_value"),
        ({"max_norm": 1, "clip_value": 1}, "clip", "exactly one"),
        ({"type": "norm"}, "clip.max_norm", "missing: 'max_norm'"),
        ({"type": "length", "max_norm": 1}, "clip.type", "known are norm, value"),
        ({"type": ["norm"], "max_norm": 1}, "clip.type", "known are norm, value"),
        ({"max_norm": 0}, "clip.max_norm", "more than 0: 0"),
        ({"max_norm": -1}, "clip.max_norm", "more than 0: -1"),
        ({"max_norm": "Infinity"}, "clip.max_norm", "number"),
        ({"value": None}, "clip.clip_value", "number"),
        ({"type": "norm", "max_norm": 1, "norm_type": 1}, "clip.norm_type", "accepted: max_norm"),
    ],
)
def test_errors_say_what_would_be_accepted(told: Any, where: str, words: str) -> None:
    with pytest.raises(BackstepError) as caught:
        parse_clip(told)
    assert words in caught.value.message and caught.value.where == where
