"""A long history answered short: what a curve of it would show is still there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.train.history import History


@pytest.fixture
def long() -> History:
    """50,000 iterations that fall slowly, with one peak, one dip, one NaN, and rare validation."""
    losses = np.linspace(2.0, 1.0, 50_000)
    losses[[12_345, 23_456]] = 9.0, 0.01
    losses[34_567] = math.nan
    history = History()
    history.add(losses.tolist(), [4.0] * 50_000, [0.1] * 50_000)
    history.validation_loss = {i: 1.5 for i in range(999, 50_000, 1000)}
    return history


@pytest.mark.parametrize("most", [8, 100, 2000])
def test_peaks_valleys_and_gaps_stay(long: History, most: int) -> None:
    table = long.table(most=most)
    kept = table["iteration"]
    assert len(kept) <= most and kept == sorted(set(kept))
    assert kept[0] == 0 and kept[-1] == 49_999
    if most >= 100:
        assert {12_345, 23_456, 34_567} <= set(kept)
        assert sum(v is not None for v in table["validation_loss"]) >= min(50, most // 3 - 1)
    for i, loss in zip(kept, table["train_loss"], strict=True):
        assert loss == long.train_loss[i] or (math.isnan(loss) and i == 34_567)


def test_a_short_one_is_whole(long: History) -> None:
    assert long.table(100, 140, most=2000)["iteration"] == list(range(100, 140))


def test_without_an_optimizer_there_is_no_rate() -> None:
    history = History()
    history.add([1.0], [4.0], [None])
    assert history.table()["lr"] == [None] and history.table()["grad_norm"] == [2.0]
