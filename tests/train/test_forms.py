"""Recurrent layers trained as one op and shown step by step, or the other way round: the same
numbers up to rounding wherever somebody looks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import BackstepError
from app.engine.types import GRAD, VALUE
from app.lab.lanes import merged
from app.train.refined import run_of
from app.train.run import Run
from app.train.spec import parse_spec


def linear(out: int) -> dict[str, Any]:
    return {"type": "linear", "out_features": out}


def spec_of(rnn: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Sequence to sequence where the layer shows all its steps, else sequence to last."""
    rng = np.random.default_rng(4)
    whole = rnn.get("return_sequences", True)
    targets = rng.normal(size=(4, 6, 1) if whole else (4, 1))
    return {
        "model": {"layers": [{"type": "rnn", "hidden_size": 3, **rnn}, linear(1)]},
        "loss": "mse",
        "optimizer": {"type": "adam", "lr": 0.02},
        "data": {"inputs": rng.normal(size=(4, 6, 2)).tolist(), "targets": targets.tolist()},
        "batch_size": 2,
        **more,
    }


def started(spec: dict[str, Any], fused: Any = None) -> Run:
    return run_of(parse_spec(spec if fused is None else {**spec, "fused": fused}))


def ops(run: Run, iteration: int = 0) -> set[str]:
    return {node.op_name or "" for node in run.graph(iteration).ops}


def close(a: Run, b: Run, iteration: int, step: int | None = None) -> None:
    """The same parameters, optimizer state and gradients."""
    at = [len(r.plan(iteration)) if step is None else step for r in (a, b)]
    one, other = a.slots(iteration, at[0]), b.slots(iteration, at[1])
    for node in a.graph(iteration).kind("parameter"):
        for slot in (VALUE, GRAD, "exp_avg", "exp_avg_sq"):
            if (node.name, slot) in one:
                np.testing.assert_allclose(
                    one[node.name, slot], other[node.name, slot], rtol=1e-12, atol=1e-14
                )


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    rnn=st.fixed_dictionaries(
        {
            "return_sequences": st.booleans(),
            "num_layers": st.integers(1, 3),
            "truncate": st.integers(0, 4),
            "bias": st.booleans(),
            "nonlinearity": st.sampled_from(["tanh", "relu"]),
        }
    ),
    since=st.integers(0, 5),
    shown=st.booleans(),
    way=st.sampled_from([{}, {"accumulate": 2}, {"regularisation": {"l2": 0.1}}]),
)
def test_every_form_has_the_numbers_of_every_other(
    rnn: dict[str, Any], since: int, shown: bool, way: dict[str, Any]
) -> None:
    spec = spec_of(rnn, **way)
    plain, turned = started(spec), started(spec, {"since": since, "shown": shown})
    for iteration in (5, 2):
        assert ("rnn_layer" in ops(turned, iteration)) == shown
        close(plain, turned, iteration)
        close(plain, turned, iteration, 0)
    losses = (run.history.train_loss for run in (plain, turned))
    np.testing.assert_allclose(*losses, rtol=1e-12)
    assert list(plain.history.train_loss[:since]) == list(turned.history.train_loss[:since])


@pytest.mark.parametrize("fused", [True, {"since": 3}, {"since": 3, "shown": False}])
def test_stepped_and_at_full_speed_it_is_the_same_run(fused: Any) -> None:
    spec = spec_of({"num_layers": 2})
    fast, stepped = started(spec, fused), started(spec, fused)
    fast.train(8)
    for iteration in range(9):
        stepped.slots(iteration, 0)
    assert fast.history.table() == stepped.history.table()
    a, b = fast.slots(8, 0), stepped.slots(8, 0)
    assert a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_a_layer_that_is_fused_in_the_spec_is_shown_step_by_step() -> None:
    spec = spec_of({"fused": True})
    fused, unrolled = started(spec), started(spec, {"shown": False})
    assert "rnn_layer" in ops(fused) and "recurrent" in ops(unrolled)
    close(fused, unrolled, 6)
    assert fused.history.table() == unrolled.history.table(), "what trains is the same"
    numbers = started({**spec, "batch_size": 2, "scalars": True})
    assert numbers.history is not None and len(numbers.graph(0).nodes) > 500


def test_edits_and_settings_reach_what_trains() -> None:
    spec = spec_of({})
    plain, turned = started(spec), started(spec, {"since": 2, "shown": False})
    weight = np.full((3, 2), 0.25)
    for run in (plain, turned):
        run.train(6)
        run.set_value(4, "0.weight_ih_l0", weight)
        run.configure(5, lr=0.1)
        run.set_value(6, "input", np.ones((2, 6, 2)))
        run.train(9)
    close(plain, turned, 9)
    np.testing.assert_allclose(turned.slots(4, 0)["0.weight_ih_l0", VALUE], weight)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"model": {"layers": [{"type": "lstm", "hidden_size": 2}, linear(1)]}}, "of type rnn"),
        ({"precision": {}}, "without precision"),
        ({"fault": {"type": "naive_recursion"}}, "without fault"),
        ({"fused": 3}, "object"),
        ({"fused": {"since": -1}}, "at least 0"),
    ],
)
def test_what_cannot_be_fused_says_so(more: dict[str, Any], words: str) -> None:
    with pytest.raises(BackstepError, match=words) as error:
        parse_spec({**spec_of({}), "fused": True, **more})
    assert (error.value.where or "").startswith("fused")


def test_a_lane_of_another_model_is_trained_as_that_one_says() -> None:
    document = {**spec_of({}), "fused": {"since": 4}}
    other = merged(document, {"model": {"layers": ["flatten", linear(1)]}})
    assert "fused" not in other and merged(document, {"lr": 0.1})["fused"] == {"since": 4}
