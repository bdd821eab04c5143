"""Stepping: a step is part of a run, back puts the former arrays in place, nothing is written
over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from app.engine.graph import Graph
from app.engine.kernel import Kernel
from app.engine.plan import backward_steps, forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array, Slot
from tests.engine.checks import same_bits
from tests.engine.walks import FAN_OUT, fan_out, leaves, network, replayed, stepper, use


def identical(a: dict[Slot, Array], b: dict[Slot, Array]) -> bool:
    """The very same arrays in the same slots."""
    return a.keys() == b.keys() and all(a[slot] is b[slot] for slot in a)


def walks() -> list[Stepper]:
    return [stepper(fan_out(), FAN_OUT), stepper(*network())]


@pytest.mark.parametrize("number", [0, 1])
def test_back_restores_the_very_same_arrays(number: int) -> None:
    walk = walks()[number]
    stood = [dict(walk.slots)]
    while walk.position < len(walk.plan):
        walk.step()
        stood.append(dict(walk.slots))
    done = list(walk.records)
    for position in reversed(range(len(walk.plan))):
        assert walk.back() is done[position]
        assert walk.position == position
        assert identical(walk.slots, stood[position]), f"after stepping back to {position}"


@pytest.mark.parametrize("number", [0, 1])
def test_seek_goes_anywhere_and_ends_where_a_run_would(number: int) -> None:
    whole, walk = walks()[number], walks()[number]
    states = [dict(whole.slots)]
    for _ in whole.plan:
        whole.step()
        states.append(dict(whole.slots))
    end = len(walk.plan)
    for position in (3, 0, end, 1, end - 1, 2, 2, end, 0):
        walk.seek(position)
        assert walk.position == position
        assert walk.slots.keys() == states[position].keys()
        assert all(same_bits(walk.slots[s], states[position][s]) for s in walk.slots)


@pytest.mark.parametrize("number", [0, 1])
def test_forward_again_gives_the_same_bits(number: int) -> None:
    walk = walks()[number]
    walk.seek(len(walk.plan))
    once = dict(walk.slots)
    walk.seek(0)
    walk.seek(len(walk.plan))
    assert not any(
        walk.slots[slot] is once[slot] for slot in once if slot in walk.records[-1].writes
    )
    assert all(same_bits(walk.slots[slot], once[slot]) for slot in once)


def test_a_run_is_its_steps() -> None:
    """Running the plan with the recorder's buffers gives what stepping gives, to the last bit."""
    for graph, values in ((fan_out(), FAN_OUT), network()):
        walk = stepper(graph, values)
        walk.seek(len(walk.plan))
        buffers = replayed(graph, values)
        assert buffers.keys() == walk.slots.keys()
        assert all(same_bits(buffers[slot], walk.slots[slot]) for slot in buffers)


def test_a_record_tells_all_that_changed_and_nothing_else() -> None:
    walk = stepper(*network())
    for _ in walk.plan:
        before = dict(walk.slots)
        record = walk.step()
        changed = {s for s, array in walk.slots.items() if array is not before.get(s)}
        assert changed == set(record.writes) == set(record.former)
        for slot, array in record.writes.items():
            assert array is walk.slots[slot]
            assert record.former[slot] is before.get(slot)


def test_what_a_step_wrote_cannot_be_written_over() -> None:
    walk = stepper(*network())
    walk.seek(len(walk.plan))
    arrays = [a for record in walk.records for a in record.writes.values() if a is not None]
    arrays += [c.value for record in walk.records for c in record.contributions]
    assert len(arrays) > 15
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_an_earlier_contribution_stays_as_it_was_when_a_later_one_is_added() -> None:
    walk = stepper(fan_out(), FAN_OUT)
    walk.seek(len(walk.plan))
    last = walk.records[-1]
    first, second = last.contributions
    assert float(first.value) == float(second.value) == 24.0
    total = last.writes["a", GRAD]
    assert total is not None and total is not first.value and float(total) == 48.0


def test_leaves_given_are_left_alone() -> None:
    graph, values = network()
    given = leaves(values)
    copies = {slot: array.copy() for slot, array in given.items()}
    walk = Stepper(forward_steps(graph) + backward_steps(graph), given, {}, {})
    walk.seek(len(walk.plan))
    assert set(given) == set(copies), "the caller's slots are not the stepper's"
    assert all(same_bits(given[slot], copies[slot]) for slot in given)


def test_a_step_may_say_none_only_for_what_it_empties() -> None:
    """A step that clears: its writes are None, back brings the arrays."""
    graph = fan_out()
    passes = forward_steps(graph) + backward_steps(graph)

    @dataclass(frozen=True)
    class Zero:
        phase: str = "zero_grad"
        node: None = None

        def run(self, k: Kernel) -> None:
            for name in graph.nodes:
                k.clear(name, GRAD)

    walk = Stepper([*passes, Zero(), *passes], leaves(FAN_OUT), {}, {})
    walk.seek(len(passes))
    full = dict(walk.slots)
    record = walk.step()
    assert record.writes == {(name, GRAD): None for name in "abtc"}
    assert not any(slot == GRAD for _, slot in walk.slots)
    walk.back()
    assert identical(walk.slots, full)
    walk.seek(len(walk.plan))
    assert walk.slots["a", GRAD] == 48.0, "the second pass starts from nothing"


def test_loading_data_puts_the_feed_in_place() -> None:
    graph = Graph()
    x = graph.leaf("input", "x", (2,))
    use(graph, "sum", x, name="y")

    @dataclass(frozen=True)
    class Data:
        phase: str = "data"
        node: None = None

        def run(self, k: Kernel) -> None:
            k.load("x")

    walk = Stepper([Data(), *forward_steps(graph)], {}, {"x": np.array([1.0, 2.0])}, {})
    record = walk.step()
    assert record.writes["x", VALUE] is walk.slots["x", VALUE]
    walk.step()
    assert walk.slots["y", VALUE] == 3.0
    walk.seek(0)
    assert walk.slots == {}


def test_numbers_that_are_not_finite_are_stepped_through_without_a_warning() -> None:
    graph = Graph()
    a = graph.leaf("parameter", "a", ())
    use(graph, "log", use(graph, "exp", a), name="y")
    walk = stepper(graph, {"a": 1000.0})
    walk.seek(len(walk.plan))
    assert walk.slots["y", VALUE] == np.inf
    assert np.isnan(walk.slots["a", GRAD])
