"""A cure is tried: the same run once as it is and once with the cure, from the same start.

Both lanes are runs like any other, so both can be walked; the doctor examines the second one and
says whether what it was given for is gone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.lab.cures import Cure
from app.lab.doctor import CHECKS, Finding, examine, findings_of
from app.lab.evidence import Evidence
from app.lab.lanes import counted, kindred, merged
from app.render import numbers
from app.train.limits import SpecLimits
from app.train.refined import run_of
from app.train.run import Run
from app.train.spec import parse_spec

FEWEST = 60  # iterations that both lanes run at least: a cure needs time to show
ROUND = 64  # iterations between two looks whether somebody still waits

Progress = Callable[[int, int], bool]


@dataclass(frozen=True)
class Lane:
    """One run. `loss[k]` is that of iteration k's batch; a validation loss is null where none was
    computed.
    """

    label: str
    spec: dict[str, Any]
    loss: list[float]
    validation: list[float | None]
    final: float


@dataclass(frozen=True)
class Treatment:
    """`healed`: the doctor no longer finds it in the second lane; `findings` are what it does find
    there; `comparable`: both losses measure the same thing.
    """

    check: str
    cure: str
    iterations: int
    lanes: list[Lane]
    healed: bool
    comparable: bool
    findings: list[str]
    says: str


def treat(
    run: Run,
    iteration: int,
    check: str,
    cure: str,
    iterations: int | None = None,
    *,
    max_iterations: int,
    progress: Progress = lambda done, of: True,
) -> Treatment:
    """Try one cure of one finding of a run that has come to the start of this iteration."""
    finding, chosen, document = _offered(run, iteration, check, cure)
    wanted = max(FEWEST, iteration) if iterations is None else iterations
    count = counted(wanted, max_iterations, "a cure may be tried for")
    changed = merged(document, chosen.changes or {})
    until = count if chosen.until is None else min(count, chosen.until)
    limits = run.spec.limits
    both = count + until
    sick, ill = _lane("as it is", document, count, limits, lambda i: progress(i, both))
    cured, healthy = _lane(chosen.name, changed, until, limits, lambda i: progress(count + i, both))
    before = {one.check.name for one in examine(ill, len(sick.loss), lambda: progress(both, both))}
    found = examine(healthy, len(cured.loss), lambda: progress(both, both))
    names = list(dict.fromkeys(one.check.name for one in found))
    healed = check not in names
    same = {"program": changed["program"]} if "program" in changed else {}  # only its bends differ
    comparable = kindred({**document, **same}) == kindred(changed)
    says = _says(finding, chosen, sick, cured, found, before, comparable)
    return Treatment(check, cure, count, [sick, cured], healed, comparable, names, says)


def _offered(
    run: Run, iteration: int, check: str, cure: str
) -> tuple[Finding, Cure, dict[str, Any]]:
    if check not in CHECKS:
        raise BackstepError(f"must be one of {', '.join(CHECKS)}: {check!r}", where="check")
    with np.errstate(all="ignore"):
        evidence = Evidence(run, iteration)
        found = list(findings_of(evidence, CHECKS[check]))
    if not found:
        raise BackstepError(
            f"nothing is found by this check after {iteration:,} iterations: {check!r}",
            where="check",
        )
    for one in found:
        for offered in one.cures:
            if offered.name == cure:
                return one, offered, evidence.document
    names = ", ".join(dict.fromkeys(offered.name for one in found for offered in one.cures))
    raise BackstepError(f"must be one of those offered here, {names}: {cure!r}", where="cure")


def _lane(
    label: str,
    document: dict[str, Any],
    count: int,
    limits: SpecLimits,
    progress: Callable[[int], bool],
) -> tuple[Lane, Run]:
    run, done = run_of(parse_spec(document, limits)), 0
    while done < count and progress(done):
        done = min(count, done + ROUND)
        run.train(done)
    history = run.history
    validation = [history.validation_loss.get(i) for i in range(done)]
    losses = history.train_loss[:done].tolist()
    return Lane(label, document, losses, validation, run.loss(done)), run


def _says(
    finding: Finding,
    cure: Cure,
    sick: Lane,
    cured: Lane,
    found: list[Finding],
    before: set[str],
    comparable: bool,
) -> str:
    title = finding.check.title
    again = next((one for one in found if one.check.name == finding.check.name), None)
    others = {one.check.name: one.check.title for one in found if one.check != finding.check}
    left = [title for name, title in others.items() if name in before]
    new = [title for name, title in others.items() if name not in before]
    words = [
        f"“{title}” is gone."
        if again is None
        else f"“{title}” is still there ({finding.check.compared(again.sign)})."
    ]
    if comparable and cure.until is None:
        words.append(
            f"The loss after {len(cured.loss):,} iterations is {numbers.text(cured.final)} "
            f"instead of {numbers.text(sick.final)}."
        )
    elif cure.until is not None:
        words.append(_stopped(sick, cured))
    else:
        words.append("The two losses measure different things: compare their shapes.")
    if left:
        words.append(f"Found in both lanes: {', '.join(left)}.")
    if new:
        words.append(f"New here: {', '.join(new)}.")
    return " ".join(words)


def _stopped(sick: Lane, cured: Lane) -> str:
    """What early stopping saves, on the samples that were held back."""
    ends = [
        next((x for x in reversed(lane.validation) if x is not None and math.isfinite(x)), math.nan)
        for lane in (sick, cured)
    ]
    return (
        f"Ended at iteration {len(cured.loss):,} the validation loss is "
        f"{numbers.text(ends[1])} instead of {numbers.text(ends[0])}."
    )
