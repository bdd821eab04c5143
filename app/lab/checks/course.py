"""Checks of the course: what the losses do over time, and the way that the weights take."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

import numpy as np

from app.engine.plan import Forward
from app.engine.stepper import Stepper
from app.engine.types import INT, VALUE, Array
from app.lab.checks.check import Check, Sign
from app.lab.evidence import Evidence
from app.render import numbers

TURNS = 5  # directions that are compared at least
ARRIVED = 1e-6  # a loss below this share of its start has arrived: it may do what it likes
STRAIGHT = 0.99  # the median cosine of steps that all lead the same way
BENT = 0.5  # a curve is straight while its second half still brings half as much as its first
SOME = 50  # iterations before slowness can be told
LONG = 100  # iterations before standing still can be told
HIGH = 0.5  # of its start: a loss that stands still above this has not arrived
LEVEL = 0.1  # a loss that falls by less than a tenth in the second half is near its end
TAIL = 0.1  # the end of a run is the mean of its last tenth


def _end(losses: list[float]) -> float:
    count = max(1, int(len(losses) * TAIL))
    return math.fsum(losses[-count:]) / count


def oscillation(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    losses = evidence.losses
    if len(losses) < 2 * TURNS or abs(losses[-1]) <= ARRIVED * abs(losses[0]):
        return
    cosines = evidence.cosines
    if len(cosines) < TURNS or not median(cosines) < threshold:
        return
    turned = sum(cosine < 0 for cosine in cosines)
    yield Sign(
        f"{turned} of the last {len(cosines)} steps lead back against the one before: they jump "
        "across the lowest point of the valley instead of going down into it.",
        median(cosines),
        evidence.iteration - len(cosines) * evidence.stride,
    )


def too_slow(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    losses = evidence.smooth
    if len(evidence.losses) < SOME or len(losses) < 4 or not losses[0] > 0:
        return
    first, middle, last = losses[0], losses[len(losses) // 2], losses[-1]
    gone = (first - last) / first
    straight = first > middle and middle - last >= BENT * (first - middle)
    if not 0 < gone < threshold or not straight or len(evidence.cosines) < 2:
        return
    if median(evidence.cosines) > STRAIGHT:
        yield Sign(
            f"After {len(evidence.losses):,} iterations {100 * gone:.1f} % of the loss are gone, "
            "and all steps lead the same way: larger ones would get there sooner.",
            gone,
            evidence.iteration,
        )


def plateau(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    losses = evidence.smooth
    if not evidence.learns or len(evidence.losses) < LONG or len(losses) < 4 or not losses[0] > 0:
        return
    half = losses[len(losses) // 2 :]
    start, end = half[0], _end(half)
    if end <= HIGH * losses[0] or not 0 <= abs(start - end) < threshold * abs(start):
        return
    since = len(losses) // 2
    while since and abs(losses[since - 1] - end) < threshold * abs(end):
        since -= 1
    yield Sign(
        f"Since iteration {since * evidence.stride} the loss stands at {numbers.text(end)}; it "
        f"started at {numbers.text(losses[0])}.",
        abs(start - end) / abs(start),
        since * evidence.stride,
    )


def overfitting(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    known = list(evidence.validation.items())
    if len(known) < 4 or not all(math.isfinite(loss) for _, loss in known):
        return
    best_at, best = min(known, key=lambda entry: entry[1])
    end = _end([loss for _, loss in known])
    place = best_at // evidence.stride
    fallen = place < len(evidence.smooth) and evidence.smooth[-1] < evidence.smooth[place]
    if best > 0 and end / best - 1 > threshold and fallen:
        yield Sign(
            f"Since iteration {best_at} the validation loss climbs, from {numbers.text(best)} to "
            f"{numbers.text(end)}, while the training loss falls to "
            f"{numbers.text(evidence.smooth[-1])}: the network learns its samples by heart.",
            end / best - 1,
            best_at,
            until=best_at + 1,
        )


def underfitting(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    losses, constant = evidence.smooth, constant_loss(evidence)
    if not evidence.learns or len(evidence.losses) < LONG or len(losses) < 4 or not constant:
        return
    middle, end = losses[len(losses) // 2], _end(losses)
    level = middle - end < LEVEL * abs(middle)
    if level and end > threshold * constant:
        yield Sign(
            f"The best that a constant answer can reach is a loss of {numbers.text(constant)}; the "
            f"network is at {numbers.text(end)} and gets no better, on the very samples that it "
            "is trained on.",
            end / constant,
            evidence.iteration,
        )


def constant_loss(evidence: Evidence) -> float | None:
    """The loss if the answer were the same for all samples: mean, median or class shares."""
    problem = evidence.model
    if problem is None:
        return None
    targets = problem.batches.whole(evidence.iteration, "target")
    model = problem.evaluation(len(targets))
    loss = model.graph[model.graph.output]
    shape = model.graph[model.prediction].shape
    answer = _constant(loss.op_name or "", targets, shape)
    if answer is None:
        return None
    start = {
        (model.prediction, VALUE): np.broadcast_to(answer, shape).copy(),
        ("target", VALUE): targets,
    }
    stepper = Stepper([Forward(loss)], start, {}, {})
    stepper.step()
    return float(stepper.slots[loss.name, VALUE])


def _constant(loss: str, targets: Array, shape: tuple[int, ...]) -> Array | None:
    if loss in ("cross_entropy", "nll"):
        if targets.dtype == INT:
            counts = np.bincount(targets.reshape(-1), minlength=shape[-1])[: shape[-1]]
            share = counts / counts.sum()
        else:
            share = targets.reshape(-1, shape[-1]).mean(axis=0)
        return np.asarray(np.log(np.clip(share, 1e-12, 1.0)))
    if not targets.size or not np.isfinite(targets).all():
        return None
    if loss == "mae":
        return np.asarray(np.median(targets, axis=0))
    mean = np.asarray(targets.mean(axis=0))
    if loss == "bce_with_logits":
        p = np.clip(mean, 1e-12, 1 - 1e-12)
        return np.asarray(np.log(p / (1 - p)))
    return mean


CHECKS = [
    Check(
        "oscillation",
        "Oscillation",
        "the median cosine of the angles between the last steps, an epoch each",
        -0.7,
        "LeCun, Bottou, Orr & Müller 1998, Efficient BackProp; steps above 1/λmax turn back. "
        "Noise alone gives −0.5",
        ("half_rate", "lower_rate", "adam"),
        oscillation,
        "median cosine between steps",
        above=False,
    ),
    Check(
        "too_slow",
        "Too slow",
        "the share of the loss that is gone after 50 iterations or more, while all steps lead the "
        "same way and the curve has not bent",
        0.4,
        "Goodfellow, Bengio & Courville 2016, section 11.4.1",
        ("higher_rate", "momentum", "adam"),
        too_slow,
        "share of the loss that is gone",
        above=False,
        share=True,
    ),
    Check(
        "plateau",
        "Plateau",
        "by how much the loss falls in the second half of at least 100 iterations, while it is "
        "above half of its start",
        0.01,
        "Dauphin et al. 2014, on saddle points",
        ("adam", "xavier", "he", "momentum", "higher_rate"),
        plateau,
        "fall of the loss in the second half",
        above=False,
        share=True,
    ),
    Check(
        "overfitting",
        "Overfitting",
        "how far the validation loss has climbed above its lowest value",
        0.1,
        "Prechelt 1998, Early stopping — but when? (generalisation loss)",
        ("l2", "dropout"),
        overfitting,
        "climb of the validation loss",
        share=True,
    ),
    Check(
        "underfitting",
        "Underfitting",
        "the loss on the training samples, when it has levelled off, over that of the best "
        "constant answer",
        0.5,
        "Goodfellow, Bengio & Courville 2016, section 5.2",
        ("wider", "adam", "higher_rate"),
        underfitting,
        "loss : that of the best constant answer",
    ),
]
