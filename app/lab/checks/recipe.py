"""Checks of the recipe: what is wrong before the first number has moved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app.engine.types import GRAD, INT, VALUE, Array
from app.lab.checks.check import Check, Sign, layer_of
from app.lab.evidence import Evidence
from app.render import numbers

SQUARED = ("mse", "half_squared_error", "squared_error")
SCORES = ("cross_entropy", "bce_with_logits")
SAME = 1e-9  # rows this close, measured by their largest entry, differ by rounding alone
RANGES = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf)}


def forgotten_zero_grad(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    run = evidence.run
    if run.settings(evidence.iteration).zero_grad or run.spec.optimizer is None:
        return
    since = evidence.iteration
    while since and not run.settings(since - 1).zero_grad:
        since -= 1
    sums = evidence.iteration - since
    yield Sign(
        "The gradients are not emptied before the backward pass, and backward adds to what stands "
        f"there: the update uses the sum of {sums + 1:,} iterations' gradients.",
        float(sums),
        since,
        step=1,
    )


def unnormalised_input(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    problem = evidence.model
    if problem is None:
        return
    x = problem.batches.whole(evidence.iteration, "input")
    bare = [n for n in evidence.graph.ops if "input" in n.inputs and n.op_name != "batch_normalise"]
    if x.dtype == INT or not bare or len(x) < 2 or not np.isfinite(x).all():
        return
    rows = x.reshape(len(x), -1) if x.ndim == 2 else x.reshape(-1, 1)
    spread, size = rows.std(axis=0), np.sqrt(np.mean(np.square(rows), axis=0))
    moving = spread[spread > 0]
    ratio = float(moving.max() / moving.min()) if moving.size else 1.0
    largest = float(size.max())
    if largest > threshold:
        yield Sign(
            f"Feature {int(size.argmax())} of the input is about {numbers.text(largest)} in size. "
            "The gradient of the first weights is proportional to it: what is a small step for "
            "others is a large one for them.",
            largest,
            0,
            "input",
            step=0,
        )
    elif ratio > threshold:
        yield Sign(
            f"The widest feature of the input spreads {numbers.text(ratio)} times as far as the "
            "narrowest: no one rate fits both.",
            ratio,
            0,
            "input",
            step=0,
            measures="spread of the widest feature : the narrowest",
        )


def symmetric_init(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    if evidence.model is None:
        return
    look = evidence.last
    for node in evidence.weights:
        value, grad = look.slots.get((node.name, VALUE)), look.grad(node.name)
        if value is None or grad is None or len(value) < 2:
            continue
        if evidence.weights_after(node.name) < 2 or not (_alike(value) and _alike(grad)):
            continue
        weights = "zeros for weights" if not np.any(value) else "equal weights"
        yield Sign(
            f"All {len(value)} units of this layer have {weights} and equal gradients: they stay "
            "equal for ever, as if there were one.",
            1.0,
            look.iteration,
            node.name,
            layer_of(evidence, node.name),
            look.wrote.get((node.name, GRAD)),
        )


def _alike(array: Array) -> bool:
    """Whether all rows are equal, but for the rounding of sums made in another order."""
    apart = np.abs(array - array[:1]).max(initial=0.0)
    return bool(apart <= SAME * np.abs(array).max(initial=0.0))


def wrong_loss(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    problem = evidence.model
    if problem is None:
        return
    model = problem.model(problem.batches.size(evidence.iteration))
    last = model.graph[model.prediction].op_name or ""
    loss = model.graph[model.graph.output].op_name or ""
    targets = problem.batches.whole(evidence.iteration, "target")
    found = _misfit(last, loss, targets)
    if found is not None:
        says, share, cures = found
        if share > threshold:
            step = evidence.last.wrote.get((evidence.graph.output, VALUE))
            yield Sign(says, share, 0, evidence.graph.output, None, step, cures)


def _misfit(last: str, loss: str, targets: Array) -> tuple[str, float, tuple[str, ...]] | None:
    """What is wrong, for which share of the targets, and what helps."""
    if loss == "cross_entropy" and last in ("softmax", "log_softmax"):
        says = "Cross-entropy takes scores and contains the softmax: here it is applied twice."
        return says, 1.0, ("cut_softmax",)
    if loss in SCORES and last in ("sigmoid", "tanh", "relu"):
        says = (
            f"{loss} takes scores of any size; after {last} they cannot be: a sure answer is out "
            "of reach."
        )
        return says, 1.0, ("open_end",)
    if loss == "bce" and last not in ("sigmoid", "softmax"):
        says = "bce takes probabilities from 0 to 1; nothing holds the output there."
        return says, 1.0, ("bce_with_logits",)
    if loss == "nll" and last != "log_softmax":
        says = "nll takes logarithms of probabilities; the output is none."
        return says, 1.0, ()
    if targets.dtype == INT or loss in ("bce", *SCORES):
        return None
    low, high = RANGES.get(last, (-np.inf, np.inf))
    outside = float(np.mean((targets < low) | (targets > high)))
    if outside:
        says = (
            f"{100 * outside:.0f} % of the targets lie outside of what {last} can give, "
            f"{numbers.text(low)} to {numbers.text(high)}."
        )
        return says, outside, ("open_end",)
    if loss in SQUARED and last == "sigmoid" and set(np.unique(targets)) == {0.0, 1.0}:
        says = (
            "Targets are classes, and a squared error sits on a sigmoid: where the answer is "
            "surely wrong the sigmoid is flat, and the gradient next to nothing. Cross-entropy "
            "leaves ŷ − y."
        )
        return says, 1.0, ("cut_sigmoid",)
    return None


CHECKS = [
    Check(
        "forgotten_zero_grad",
        "Forgotten zero_grad",
        "iterations whose gradients are added to the next one's",
        0.0,
        "PyTorch, What does optimizer.zero_grad() do",
        ("zero_grad",),
        forgotten_zero_grad,
        "old gradients in the sum",
    ),
    Check(
        "unnormalised_input",
        "Input not normalised",
        "the size of the largest input feature, and the spread of the widest over the narrowest",
        10.0,
        "LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, section 4.3",
        ("normalise_input",),
        unnormalised_input,
        "size of the largest feature",
    ),
    Check(
        "symmetric_init",
        "Zero or symmetric start",
        "whether all units of an inner layer have equal weights and equal gradients",
        0.0,
        "Goodfellow, Bengio & Courville 2016, section 8.4",
        ("xavier", "he"),
        symmetric_init,
        "layers whose units are all alike",
    ),
    Check(
        "wrong_loss",
        "Loss does not fit the output",
        "the last layer, the loss and the targets: the share of targets for which they do not fit",
        0.0,
        "Nielsen 2015, Neural Networks and Deep Learning, chapter 3; PyTorch, CrossEntropyLoss",
        ("open_end",),
        wrong_loss,
        "targets for which they do not fit",
        share=True,
    ),
]
