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
    check.name: check for check in (*flow.CHECKS, *course.CHECKS, *recipe.CHECKS)
}


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
        for sign in check.find(evidence, check.threshold):
            names = check.cures if sign.cures is None else sign.cures
            cures = prescribe(evidence.document, names, evidence.run.spec.limits)
            if sign.until is not None:
                stop = f"End the training at iteration {sign.until:,} (early stopping)."
                cures = (Cure("early_stopping", stop, None, sign.until), *cures)
            yield Finding(check, sign, cures)


def report(run: Run, iteration: int, progress: Callable[[], bool] | None = None) -> dict[str, Any]:
    """Findings, the table of checks and each layer's vitals, as an answer."""
    with np.errstate(all="ignore"):
        evidence = Evidence(run, iteration)
        findings = [_finding(found) for found in _round(evidence, progress)]
        signs = vitals(evidence)
    return {
        "iteration": iteration,
        "findings": findings,
        "verdict": _verdict([f["title"] for f in findings]),
        "spec": evidence.document,
        "checks": [_row(check) for check in CHECKS.values()],
        "vitals": signs,
    }


def _verdict(titles: list[str]) -> str:
    if not titles:
        return f"Nothing found: all {len(CHECKS)} checks are passed."
    names = list(dict.fromkeys(titles))
    return f"{len(names)} of {len(CHECKS)} checks found something: {', '.join(names)}."


def _row(check: Check) -> dict[str, Any]:
    told = {name: value for name, value in vars(check).items() if name not in ("find", "cures")}
    return {**told, "cures": list(check.cures)}


def _finding(found: Finding) -> dict[str, Any]:
    check, sign = found.check, found.sign
    return {
        "check": check.name,
        "title": check.title,
        "says": sign.says,
        "measured": sign.measured,
        "threshold": check.threshold,
        "source": check.source,
        "place": {
            "layer": sign.layer,
            "node": sign.node,
            "iteration": sign.iteration,
            "step": sign.step,
        },
        "cures": [vars(cure) for cure in found.cures],
    }
