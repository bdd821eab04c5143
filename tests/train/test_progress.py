"""Training tells how far it is, can be ended there, and then stands exactly where it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.types import VALUE
from app.train.run import Run
from app.train.spec import parse_spec
from tests.train.specs import hidden

SPEC: dict[str, Any] = {
    "model": hidden(3),
    "loss": "mse",
    "optimizer": {"type": "adam", "lr": 0.01},
    "data": {"dataset": "plane", "samples": 11, "validation": 0.2},
    "batch_size": 4,
}


@pytest.mark.parametrize("end", [1, 40, 299, 300])
def test_an_end_by_progress_is_where_training_goes_on(end: int) -> None:
    run, whole = Run(parse_spec(SPEC)), Run(parse_spec(SPEC))
    told: list[int] = []

    def progress(done: int) -> bool:
        assert len(run.history) == done, "what is done is told"
        told.append(done)
        return done < end

    done = run.train(300, progress)
    assert done == told[-1] >= end and told == sorted(set(told))
    assert run.train(300) == whole.train(300) == 300
    assert run.history.table() == whole.history.table()
    for at in (done, 300):
        one, other = run.slots(at, 0), whole.slots(at, 0)
        assert all(np.array_equal(one[slot], other[slot]) for slot in other)


def test_buffers_that_stand_are_not_taken_for_what_was_edited() -> None:
    """Going on takes what an edit put in, and what an earlier iteration left."""
    run, again = Run(parse_spec(SPEC)), Run(parse_spec(SPEC))
    run.train(20)
    run.set_value(20, "0.bias", np.full(3, 0.5))
    run.train(25)
    run.slots(3, 0)
    run.train(30)
    again.set_value(20, "0.bias", np.full(3, 0.5))
    for i in range(31):
        again.slots(i, 0)
    assert np.array_equal(run.slots(20, 0)["0.bias", VALUE], np.full(3, 0.5))
    one, other = run.slots(30, 0), again.slots(30, 0)
    assert all(np.array_equal(one[slot], other[slot]) for slot in other)
    assert run.history.table() == again.history.table()
