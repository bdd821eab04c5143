"""Every step of every plan is told: a label, a sentence, code, and lines where a number is made."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.sessions.graphs import graph_view
from app.sessions.views import frame_view, plan_view, state_view
from tests.train.plans.specs import NETWORK, run_of

METHODS: dict[str, dict[str, Any]] = {
    "accumulate": {"accumulate": 2},
    "checkpoint": {"checkpoint": 2},
    "precision": {"precision": {"loss_scale": 256}},
    "regularisation": {"regularisation": {"l1": 0.1, "l2": 0.1}},
    "in place": {"fault": {"type": "in_place", "node": "1.a"}},
    "repaired": {"fault": {"type": "in_place", "node": "1.a", "repaired": True}},
    "recursion": {"fault": {"type": "naive_recursion"}},
    "forward mode": {"forward_mode": {"node": "2.weight"}},
    "scalars": {"scalars": True, "data": {"inputs": [[1.0, 2.0]], "targets": [[1.0]]}},
}


def words(fragment: str | None) -> str:
    return re.sub(r"<[^>]+>", "", fragment or "")


@pytest.mark.parametrize("method", METHODS)
def test_all_steps(method: str) -> None:
    run = run_of(NETWORK | METHODS[method])
    plan = plan_view(run, 0)
    json.dumps(graph_view(run.graph(0)))
    json.dumps(state_view(run, 0, len(plan)))
    for row in plan:
        frame = frame_view(run, 0, row["index"])
        json.dumps(frame)
        assert row["label"] and frame["says"] and frame["code"]["pytorch"]
        quiet = row["error"] or row["phase"] in ("data", "zero_grad", "release")
        assert quiet or frame["lines"], row
        assert frame["error"] is None or row["error"] == frame["error"]["message"]


def line_of(method: str, phase: str, number: int = 0) -> tuple[str, str, str]:
    run = run_of(NETWORK | METHODS[method])
    steps = [row["index"] for row in plan_view(run, 0) if row["phase"] == phase]
    line = frame_view(run, 0, steps[number])["lines"][0]
    return words(line["symbols"]), words(line["numbers"]), words(line["result"])


def test_numbers_stand_where_symbols_stood() -> None:
    assert line_of("precision", "update_scale") == ("S←S·f", "256·1", "=256")
    assert line_of("in place", "in_place")[0] == "a1←a1+1"
    symbols, numbers, _ = line_of("forward mode", "tangent", 2)
    assert symbols == "a2˙=∂a2∂z2·z2˙" and re.search(r"=0\.\d+·", numbers)


def test_micro_batches_are_marked() -> None:
    plan = plan_view(run_of(NETWORK | {"accumulate": 3}), 0)
    assert [row["part"] for row in plan if row["phase"] == "data"] == [0, 1, 2]
    assert [row["label"] for row in plan if row["phase"] == "data"][1] == "load micro-batch 2 of 3"
