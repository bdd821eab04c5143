"""Moves are arithmetic: many small ones are one large one, and back undoes on."""

from __future__ import annotations

import pytest

from app.sessions.moment import (
    START,
    Moment,
    boundaries,
    by_block,
    by_node,
    by_phase,
    settled,
    spans,
)

PLAN = ["data", "zero_grad", "forward", "forward", "loss", "backward", "backward", "update"]
SHORT = ["data", "forward", "loss", "backward"]


def phases(iteration: int) -> list[str]:
    """Every third iteration is shorter than the others."""
    return SHORT if iteration % 3 == 2 else PLAN


def of(iteration: int) -> int:
    return len(phases(iteration))


def test_a_step_over_the_seam_lands_in_the_next_iteration() -> None:
    assert by_node(Moment(0, 7), 1, of) == (0, 8)
    assert by_node(Moment(0, 8), 1, of) == (1, 1)
    assert by_node(Moment(1, 0), -1, of) == (0, 7)
    assert settled(Moment(0, 8), of) == (1, 0) == settled(Moment(1, 0), of)


@pytest.mark.parametrize("start", [Moment(0, 0), Moment(0, 8), Moment(1, 0), Moment(2, 3)])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 30])
def test_many_steps_are_one_move_and_back_undoes_it(start: Moment, count: int) -> None:
    one_by_one = start
    for _ in range(count):
        one_by_one = by_node(one_by_one, 1, of)
    there = by_node(start, count, of)
    assert there == one_by_one
    assert settled(by_node(there, -count, of), of) == settled(start, of)


def test_nothing_is_before_the_start() -> None:
    assert by_node(Moment(0, 3), -100, of) == START
    assert by_phase(Moment(0, 3), -100, phases) == START
    assert by_block(Moment(1, 3), -100, 4, of) == START


def test_phases_end_where_the_next_begins() -> None:
    assert boundaries(PLAN) == [0, 1, 2, 4, 5, 7, 8]
    stops, at = [], START
    for _ in range(8):
        at = by_phase(at, 1, phases)
        stops.append(at)
    assert stops == [(0, 1), (0, 2), (0, 4), (0, 5), (0, 7), (0, 8), (1, 1), (1, 2)]
    assert by_phase(Moment(0, 6), -1, phases) == (0, 5)
    assert by_phase(Moment(1, 0), -1, phases) == (0, 7)


def test_blocks_of_iterations() -> None:
    assert by_block(Moment(3, 0), 1, 1, of) == (4, 0)
    assert by_block(Moment(3, 2), 1, 1, of) == (4, 0)
    assert by_block(Moment(3, 8), 1, 1, of) == (5, 0), "the end of 3 is the start of 4"
    assert by_block(Moment(3, 2), -1, 1, of) == (3, 0)
    assert by_block(Moment(3, 0), -1, 1, of) == (2, 0)
    assert by_block(Moment(5, 0), 1, 4, of) == (8, 0)
    assert by_block(Moment(5, 0), -1, 4, of) == (4, 0)
    assert by_block(Moment(4, 0), -1, 4, of) == (0, 0)


def test_the_steps_between_two_moments() -> None:
    assert spans(Moment(0, 6), Moment(2, 2), of) == [(0, 6, 8), (1, 0, 8), (2, 0, 2)]
    assert spans(Moment(0, 8), Moment(1, 1), of) == [(1, 0, 1)]
    assert spans(Moment(1, 1), Moment(1, 1), of) == []
