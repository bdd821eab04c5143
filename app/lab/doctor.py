"""The doctor: watches a run and names cause, place and cure.

Each check is one row of `CHECKS`. To examine changes nothing: the run is a pure function, and the
doctor reads iterations of it that have been, or that stand at the position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.lab.checks import course, flow, recipe
from app.lab.checks.check import Check, Sign
from app.lab.cures import Cure, prescribe
from app.lab.evidence import Evidence
from app.lab.vitals import vitals
from app.train.run import Run

CHECKS: dict[str, Check] = {
    check.name: check for check in (*recipe.CHECKS, *flow.CHECKS, *course.CHECKS)
}
"""In the order in which one leads to another: a recipe's faults, what becomes of the gradients,
what becomes of the loss."""


@dataclass(frozen=True)
class Finding:
    check: Check
    sign: Sign
    cures: tuple[Cure, ...]


def examine(run: Run, iteration: int, progress: Callable[[], bool] | None = None) -> list[Finding]:
    """All findings of a run that has come to the start of this iteration; `progress` is asked
    between checks and may end the round.
    """
    with np.errstate(all="ignore"):
        return list(_round(Evidence(run, iteration), progress))


def _round(evidence: Evidence, progress: Callable[[], bool] | None) -> Iterator[Finding]:
    for check in CHECKS.values():
        if progress is not None and not progress():
            return
        yield from findings_of(evidence, check)


def findings_of(evidence: Evidence, check: Check) -> Iterator[Finding]:
    """Of one check, each with the cures that apply."""
    known: dict[tuple[str, ...], tuple[Cure, ...]] = {}  # trying whether they apply is work
    for sign in check.find(evidence, check.threshold):
        names = check.cures if sign.cures is None else sign.cures
        if names not in known:
            known[names] = prescribe(evidence.document, names, evidence.run.spec.limits)
        cures = known[names]
        if sign.until is not None:
            stop = f"End the training at iteration {sign.until:,} (early stopping)."
            cures = (Cure("early_stopping", stop, None, sign.until), *cures)
        yield Finding(check, sign, cures)


def report(
    run: Run,
    iteration: int,
    progress: Callable[[], bool] | None = None,
    *,
    with_vitals: bool = True,
) -> dict[str, Any]:
    """Findings, the table of checks and, if wanted, each layer's vitals, as an answer."""
    with np.errstate(all="ignore"):
        evidence = Evidence(run, iteration, progress=progress)
        findings = [_finding(evidence, found) for found in _round(evidence, progress)]
        signs = vitals(evidence) if with_vitals else None
    return {
        "iteration": iteration,
        "findings": findings,
        "verdict": verdict([f["title"] for f in findings]),
        "spec": evidence.document,
        "checks": [_row(check) for check in CHECKS.values()],
        "vitals": signs,
    }


def verdict(titles: list[str]) -> str:
    if not titles:
        return f"Nothing found: all {len(CHECKS)} checks are passed."
    names = list(dict.fromkeys(titles))
    return f"{len(names)} of {len(CHECKS)} checks found something: {', '.join(names)}."


def in_words(told: dict[str, Any]) -> str:
    """A report as a text to be read: each finding with cause, place, number and cures."""
    lines = [f"After {told['iteration']:,} iterations. {told['verdict']}"]
    for finding in told["findings"]:
        place = finding["place"]
        lines += ["", finding["title"].upper(), finding["says"], f"  look at: {place['says']}"]
        lines += [f"  {finding['compared']} ({finding['source']})"]
        lines += [f"  cure {cure['name']}: {cure['says']}" for cure in finding["cures"]]
    return "\n".join(lines) + "\n"


def _row(check: Check) -> dict[str, Any]:
    told = {name: value for name, value in vars(check).items() if name not in ("find", "cures")}
    return {**told, "cures": list(check.cures)}


def _place(evidence: Evidence, sign: Sign) -> str:
    """Iteration, step and what is computed there, in words."""
    words = [f"iteration {sign.iteration:,}"]
    if sign.step is not None and not evidence.apart:
        plan = evidence.run.plan(sign.iteration)
        if sign.step < len(plan):
            words += [f"step {sign.step + 1} of {len(plan)}", plan[sign.step].phase]
    if sign.node is not None:
        node = evidence.graph.nodes.get(sign.node)
        label = sign.node if node is None else node.label
        words.append(label if label == sign.node else f"{label} ({sign.node})")
    return ", ".join(words)


def _finding(evidence: Evidence, found: Finding) -> dict[str, Any]:
    check, sign = found.check, found.sign
    return {
        "check": check.name,
        "title": check.title,
        "says": sign.says,
        "measured": sign.measured,
        "threshold": check.threshold if sign.threshold is None else sign.threshold,
        "compared": check.compared(sign),
        "source": check.source,
        "place": {
            "layer": sign.layer,
            "node": sign.node,
            "iteration": sign.iteration,
            "step": None if evidence.apart else sign.step,
            "says": _place(evidence, sign),
        },
        "cures": [vars(cure) for cure in found.cures],
    }
