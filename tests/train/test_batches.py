"""Batches: which samples an iteration sees, and how long training runs on without a pause."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from app.train.batches import Batches


def batches(samples: int, size: int, *, shuffle: bool = False, validation: bool = False) -> Batches:
    rows = np.arange(float(samples)).reshape(-1, 1)
    return Batches(rows, rows, size, shuffle, 3, (rows, rows) if validation else None)


def test_an_epochs_order_is_the_same_again_whatever_was_asked_between() -> None:
    b = batches(7, 2, shuffle=True)
    first = [b.rows(i).tolist() for i in range(8)]
    assert sorted(sum(first[:4], [])) == sorted(sum(first[4:], [])) == list(range(7))
    assert first[:4] != first[4:]
    assert [b.rows(i).tolist() for i in (6, 1, 5, 3)] == [first[i] for i in (6, 1, 5, 3)]


@pytest.mark.parametrize(
    ("samples", "size", "validation"), list(product((4, 6, 7), (2, 6, 7), (False, True)))
)
def test_training_pauses_for_another_size_and_for_a_validation(
    samples: int, size: int, validation: bool
) -> None:
    """Nothing is run past a pause, and there is none without a reason."""
    b = batches(samples, min(size, samples), validation=validation)
    at = 0
    while at < 20:
        until = min(20, b.pause(at))
        assert until > at
        assert len({b.size(i) for i in range(at, until)}) == 1
        ends = [i for i in range(at, until) if (i + 1) % b.count == 0]
        assert not validation or ends in ([], [until - 1])
        another = until < 20 and b.size(until) != b.size(until - 1)
        assert until == 20 or another or (validation and ends)
        at = until
