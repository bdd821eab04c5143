"""The same numbers in another process, whatever the order of its hashes and its place in memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.serving import ROOT

SCRIPT = """
import hashlib, sys
import numpy as np
import app.engine.ops
from app.engine.op import OPS, make
from tests.engine import checks
from tests.engine.walks import network, replayed, stepper

waste = [np.empty(int(sys.argv[1]) + 8 * i) for i in range(7)]
digest = hashlib.sha256()
for name, op_class in OPS.items():
    for sample in op_class.samples():
        op = make(name, sample.attrs)
        y, grads = checks.run(op, sample.operands, checks.upstream(op, sample.operands))
        digest.update(name.encode() + y.tobytes() + b"".join(g.tobytes() for g in grads.values()))
graph, values = network()
walk = stepper(graph, values)
walk.seek(len(walk.plan))
for slots in (walk.slots, replayed(graph, values)):
    for slot, array in slots.items():
        digest.update(repr(slot).encode() + array.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_another_process_computes_the_same_bytes(threads: str) -> None:
    told = set()
    for seed in ("0", "1234"):
        result = subprocess.run(
            [sys.executable, "-c", SCRIPT, seed],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        told.add(result.stdout)
    assert len(told) == 1 and len(told.pop().strip()) == 64
