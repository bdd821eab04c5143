"""k micro-batches give the large batch's gradient and loss, whatever the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.types import GRAD
from app.train.plans.accumulation import BATCH_LOSS
from app.train.plans.proof import accumulation_proof
from tests.train.plans.specs import CLASSES, NETWORK, end, of_slot, run_of

LOSSES = ["mse", "half_squared_error", "squared_error", "mae", "huber", "bce_with_logits"]
SPECS: dict[str, dict[str, Any]] = {loss: NETWORK | {"loss": loss} for loss in LOSSES}
SPECS["cross_entropy"] = CLASSES
SPECS["with penalties"] = NETWORK | {"regularisation": {"l1": 0.03, "l2": 0.2}}


@pytest.mark.parametrize("parts", [2, 3, 6])
@pytest.mark.parametrize("name", SPECS)
def test_the_sum_is_the_large_batchs_gradient(name: str, parts: int) -> None:
    large, small = run_of(SPECS[name]), run_of(SPECS[name] | {"accumulate": parts})
    whole, summed = end(large), end(small)
    for node in large.graph(0).kind("parameter"):
        np.testing.assert_allclose(
            summed[node.name, GRAD], whole[node.name, GRAD], rtol=1e-12, atol=1e-14
        )
    loss = whole[large.graph(0).output, "value"]
    np.testing.assert_allclose(summed[BATCH_LOSS], loss, rtol=1e-13)
    np.testing.assert_allclose(small.loss(0), loss, rtol=1e-13)


def test_training_goes_the_same_way() -> None:
    large, small = run_of(NETWORK), run_of(NETWORK | {"accumulate": 4})
    large.train(50)
    small.train(50)
    np.testing.assert_allclose(small.history.train_loss, large.history.train_loss, rtol=1e-10)
    for key, value in of_slot(large.slots(50, 0), "value").items():
        if key[0].endswith(("weight", "bias")):
            np.testing.assert_allclose(small.slots(50, 0)[key], value, rtol=1e-9)


def test_the_plan_repeats_itself_and_updates_once() -> None:
    phases = [step.phase for step in run_of(NETWORK | {"accumulate": 3}).plan(0)]
    assert phases.count("data") == 3 and phases.count("zero_grad") == 1
    assert phases.index("update") > max(i for i, p in enumerate(phases) if p == "backward")


def test_gradients_grow_from_part_to_part_in_the_record() -> None:
    run = run_of(NETWORK | {"accumulate": 2})
    stepper = run.stepper(0)
    stepper.seek(len(stepper.plan))
    terms = [
        c for record in stepper.records for c in record.contributions if c.target == "0.weight"
    ]
    assert [c.first for c in terms] == [True, False]
    assert np.array_equal(terms[0].value + terms[1].value, stepper.slots["0.weight", GRAD])


def test_a_micro_batchs_rows_cannot_be_edited() -> None:
    with pytest.raises(BackstepError, match="accumulate"):
        run_of(NETWORK | {"accumulate": 2}).set_value(0, "input", np.zeros((6, 2)))


def test_the_proof_shows_each_part_their_sum_and_the_large_batch() -> None:
    proof = accumulation_proof(run_of(NETWORK | {"accumulate": 3}), 0)
    assert len(proof["parts"]) == 3 and proof["share"] == 1 / 3
    assert proof["worst"] < 1e-12
    first = proof["parameters"][0]
    assert first["node"] == "0.weight"
    np.testing.assert_allclose(np.sum(first["parts"], axis=0), first["sum"])
    np.testing.assert_allclose(first["sum"], first["large_batch"], rtol=1e-12)
