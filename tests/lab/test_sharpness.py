"""λmax against Hessians known by hand, and 2/λmax against what descent really does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.lab.recorded import recorded
from app.lab.sharpness import as_json, course, hessian_product, sharpness
from app.lab.sweep import sweep
from app.train import slopes
from app.train.run import Run
from app.train.spec import parse_spec
from tests.lab.test_doctor import moons

BOWL: dict[str, Any] = {
    "program": "L = 3*x**2 + 0.5*y**2 + x*y",
    "values": {"x": 1, "y": 2},
    "parameters": ["x", "y"],
    "optimizer": {"type": "sgd", "lr": 0.1},
}
HESSIAN = np.array([[6.0, 1.0], [1.0, 1.0]])
LARGEST = float(np.linalg.eigvalsh(HESSIAN)[-1])


def run_of(spec: dict[str, Any]) -> Run:
    return Run(parse_spec(spec))


def test_a_bowl() -> None:
    found = sharpness(run_of(BOWL), 0)
    assert found.sharpness == pytest.approx(LARGEST, rel=1e-5) and found.settled
    assert found.limit == pytest.approx(2 / LARGEST, rel=1e-5)


@pytest.mark.parametrize("factor", [0.9, 0.98, 1.02, 1.1])
def test_predicted_and_observed_divergence_agree(factor: float) -> None:
    limit = sharpness(run_of(BOWL), 0).limit
    assert limit is not None
    (lane,) = sweep(BOWL, [{"lr": factor * limit}], 400)
    assert (lane.verdict.kind == "diverges") == (factor > 1)


def test_products_are_those_of_the_hessian() -> None:
    product = hessian_product(recorded(run_of(BOWL), 0, gradient=True))
    for v in (np.array([1.0, 0.0]), np.array([0.6, -0.8])):
        np.testing.assert_allclose(product(v), HESSIAN @ v, rtol=1e-8, atol=1e-8)


def test_the_largest_is_found_beside_a_larger_negative_one() -> None:
    saddle = {**BOWL, "program": "L = x**2 - 5*y**2"}
    assert sharpness(run_of(saddle), 0).sharpness == pytest.approx(2.0, rel=1e-4)
    hill = sharpness(run_of({**BOWL, "program": "L = -x**2 - 5*y**2"}), 0)
    assert hill.limit is None and "no direction" in hill.says


def test_a_network_against_its_whole_hessian() -> None:
    run = run_of(moons(4))
    run.train(20)
    f = recorded(run, 20, gradient=True)
    product = hessian_product(f)
    whole = np.array([product(row) for row in np.eye(f.start.size)])
    np.testing.assert_allclose(whole, whole.T, atol=1e-6)
    found = sharpness(run, 20)
    assert found.sharpness == pytest.approx(float(np.linalg.eigvalsh(whole)[-1]), rel=1e-3)


@pytest.mark.parametrize(
    "more",
    [{}, {"batch_size": 30}, {"regularisation": {"l2": 0.1}}, {"precision": "float16"}],
    ids=str,
)
def test_recorded_loss_and_gradient_are_those_of_the_run(more: dict[str, Any]) -> None:
    run = run_of(moons(4, **more))
    f = recorded(run, 3, gradient=True)
    loss = f.loss(f.start)
    if "batch_size" in more:
        whole = run_of(moons(4))
        slots = run.slots(3, 0)
        replaced = {node.name: slots[node.name, "value"] for node in f.parameters}
        assert loss == pytest.approx(whole.loss(0, replaced), rel=1e-12)
        return
    assert loss == pytest.approx(slopes.loss(run, 3), rel=1e-12)
    wanted = slopes.gradients(run, 3)
    for name, part in f.parts(f.gradient(f.start)).items():
        np.testing.assert_allclose(part, wanted[name], rtol=1e-9, atol=1e-12)


def test_over_time() -> None:
    told = as_json(course(run_of(moons(6)), 40, 4))
    assert [point["iteration"] for point in told["points"]] == [0, 10, 20, 30, 40]
    assert "central differences" in told["method"]
    assert len(course(run_of(moons(6)), 40, 1)) == 1


def test_broken_and_empty_runs() -> None:
    broken = sharpness(run_of({**BOWL, "program": "L = log(x - 5) + y"}), 0)
    assert "no finite number" in broken.says
    nothing = {"program": "L = 2*3", "values": {}, "optimizer": None}
    assert sharpness(run_of(nothing), 0).limit is None
