"""A cure as a lane beside the sick run: both are real runs, and what is said of them is true."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.errors import BackstepError, LimitError
from app.lab.doctor import examine, in_words, report
from app.lab.evidence import Evidence
from app.lab.sweep import sweep
from app.lab.treatment import treat
from app.lab.vitals import USUAL_STEP, vitals
from app.lessons import lessons
from app.train.run import Run
from app.train.spec import parse_spec
from tests.lab.test_doctor import SICK, moons


def test_a_cured_lane_is_a_run_of_its_own_that_can_be_walked() -> None:
    spec, iterations = SICK["vanishing"]
    run = Run(parse_spec(spec))
    told = treat(run, iterations, "vanishing", "batch_norm", max_iterations=500)
    sick, cured = told.lanes
    assert told.healed and "vanishing" not in told.findings and "is gone" in told.says
    assert told.iterations == len(sick.loss) == len(cured.loss) == 60
    again = Run(parse_spec(cured.spec))
    again.train(60)
    assert again.history.train_loss.tolist() == cured.loss and again.loss(60) == cured.final
    run.train(60)
    assert run.history.train_loss.tolist() == sick.loss


def test_a_cure_that_does_not_help_is_said_to() -> None:
    spec, iterations = SICK["vanishing"]
    told = treat(Run(parse_spec(spec)), iterations, "vanishing", "xavier", max_iterations=500)
    assert told.healed == ("is gone" in told.says)
    assert told.healed or "sick below 0.001" in told.says


def test_what_both_lanes_have_is_not_called_new() -> None:
    run = Run(parse_spec(lessons()["init-zeros"].spec))
    order = [one.check.name for one in examine(run, 200)]
    assert order[0] == "symmetric_init" and "plateau" in order, "what leads to it comes first"
    told = treat(run, 200, "plateau", "adam", max_iterations=500)
    assert "Found in both lanes: Zero or symmetric start" in told.says
    assert "New here" not in told.says


def test_standardised_inputs_are_the_same_task() -> None:
    spec, iterations = SICK["unnormalised_input"]
    run = Run(parse_spec(spec))
    told = treat(run, iterations, "unnormalised_input", "normalise_input", max_iterations=500)
    cured = told.lanes[1]
    assert told.healed and told.comparable and cured.spec["data"]["standardise"] is True
    assert cured.spec["model"] == spec["model"], "no layer was put in"


def test_early_stopping_is_a_shorter_lane() -> None:
    spec, iterations = SICK["overfitting"]
    run = Run(parse_spec(spec))
    told = treat(run, iterations, "overfitting", "early_stopping", max_iterations=500)
    sick, cured = told.lanes
    assert told.healed and len(cured.loss) < len(sick.loss) == iterations
    assert cured.loss == sick.loss[: len(cured.loss)]
    ends = [[x for x in lane.validation if x is not None][-1] for lane in (cured, sick)]
    assert ends[0] < ends[1]


def test_losses_that_measure_different_things_are_not_compared() -> None:
    spec, iterations = SICK["wrong_loss"]
    told = treat(Run(parse_spec(spec)), iterations, "wrong_loss", "cut_sigmoid", max_iterations=99)
    assert told.healed and not told.comparable and "different things" in told.says


def test_what_vanishes_through_time_is_healed_by_an_lstm() -> None:
    inputs = [[[float((3 * i + t * t) % 5 - 2)] for t in range(24)] for i in range(4)]
    spec = {
        "model": {
            "input_shape": [24, 1],
            "layers": [
                {"type": "rnn", "hidden_size": 3, "return_sequences": False},
                {"type": "linear", "out_features": 1},
            ],
        },
        "loss": "mse",
        "optimizer": {"type": "sgd", "lr": 0.05},
        "data": {"inputs": inputs, "targets": [[row[0][0]] for row in inputs]},
        "seed": 3,
    }
    told = treat(Run(parse_spec(spec)), 10, "vanishing", "lstm", max_iterations=99)
    assert told.healed and told.lanes[1].spec["model"]["layers"][0]["type"] == "lstm"
    assert "the first step of time" in examine(Run(parse_spec(spec)), 10)[0].sign.says


def test_a_programs_relu_gets_a_leak() -> None:
    run = Run(parse_spec(lessons()["dead-relu"].spec))
    told = treat(run, 10, "dead_relu", "leaky_relu", max_iterations=99)
    sick, cured = told.lanes
    assert "leaky_relu(z, 0.1)" in cured.spec["program"]
    assert told.healed and told.comparable and cured.final < sick.final == 0.5
    other = treat(run, 10, "dead_relu", "elu", max_iterations=99).lanes[1]
    assert "a = elu(z)" in other.spec["program"]
    (lane,) = sweep(sick.spec, [{"program": cured.spec["program"]}], 5)
    assert lane.label == "another program" and lane.loss == cured.loss[:6]


def test_what_is_not_found_or_not_offered_or_too_long_is_refused() -> None:
    run = Run(parse_spec(moons(8)))
    with pytest.raises(BackstepError, match="nothing is found by this check after 20"):
        treat(run, 20, "vanishing", "relu", max_iterations=99)
    with pytest.raises(BackstepError, match="must be one of forgotten_zero_grad, "):
        treat(run, 20, "hiccups", "relu", max_iterations=99)
    sick = Run(parse_spec(SICK["forgotten_zero_grad"][0]))
    with pytest.raises(BackstepError, match="one of those offered here, zero_grad: 'relu'"):
        treat(sick, 10, "forgotten_zero_grad", "relu", max_iterations=99)
    with pytest.raises(LimitError, match="at most 99 iterations: 100"):
        treat(sick, 10, "forgotten_zero_grad", "zero_grad", 100, max_iterations=99)


def test_a_report_can_be_read_aloud() -> None:
    run = Run(parse_spec(SICK["vanishing"][0]))
    words = in_words(report(run, 20))
    assert "VANISHING GRADIENT\nThe gradient shrinks on its way back" in words
    assert "look at: iteration 10, step" in words and "backward, W₁ (0.weight)" in words
    assert "sick below 0.001 (Hochreiter 1991" in words and "  cure relu: Use ReLU" in words
    assert in_words(report(Run(parse_spec(moons(8))), 20)).endswith("all 13 checks are passed.\n")


def test_the_ladder_of_ten_sigmoid_layers_is_a_staircase() -> None:
    run = Run(parse_spec(SICK["vanishing"][0]))
    told = vitals(Evidence(run, 20, 7))
    assert len(told["iterations"]) == 7 and told["iterations"][-1] == 20
    steps = [layer["looks"][0]["delta"] for layer in told["layers"]]
    assert len(steps) == 11 and steps == sorted(steps) and steps[0] < 1e-5 * steps[-1]
    means = []
    for layer in told["layers"]:
        bins = layer["looks"][0]["sizes"]
        middle = [bins["low"] + (i + 0.5) * (bins["high"] - bins["low"]) / 24 for i in range(24)]
        means.append(float(np.average(middle, weights=bins["counts"])))
    assert means[1:] == sorted(means[1:])  # the first one's inputs have another size
    assert told["layers"][3]["output"]["node"] == "7.a"
    assert told["usual_step"] == USUAL_STEP


def test_bins_are_the_same_at_all_looks() -> None:
    told = vitals(Evidence(Run(parse_spec(moons(8, 8))), 40))
    for layer in told["layers"]:
        for kind in ("outputs", "gradients", "weights", "sizes"):
            bins = {(look[kind]["low"], look[kind]["high"]) for look in layer["looks"]}
            assert len(bins) == 1
            assert len({sum(look[kind]["counts"]) for look in layer["looks"]}) == 1


def test_the_ratio_of_an_update_is_the_rate_times_gradient_to_weight() -> None:
    told = vitals(Evidence(Run(parse_spec(moons(8, lr=0.5))), 10))
    look = told["layers"][0]["looks"][0]
    assert look["update_ratio"] == pytest.approx(0.5 * look["gradient"] / look["weight"])


def test_vitals_hold_where_numbers_are_not_finite() -> None:
    spec, iterations = SICK["exploding"]
    run = Run(parse_spec(spec))
    run.train(400)
    assert examine(run, 400) and vitals(Evidence(run, 400))["layers"]
