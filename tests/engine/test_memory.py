"""Arrays of a recording that share memory: never while both hold something that is still read."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import pytest

from app.engine.kernel import Recorder
from app.engine.memory import Pool, shared_places
from app.engine.replay import replay
from app.engine.types import VALUE, Array, owner
from tests.engine.checks import same_bits


def recorder(
    places: Mapping[Hashable, Array] | None = None, x: Array | None = None
) -> tuple[Recorder, Array]:
    x = np.linspace(-1, 1, 12).reshape(3, 4) if x is None else x
    return Recorder({("x", VALUE): x}, set(), frozenset(), {}, places), x


def chain(k: Recorder) -> Array:
    """Six arrays one after the other, of which each needs the one before, the fourth the first
    too."""
    x = k.read("x")
    arrays = [k.scratch((3, 4)) for _ in range(6)]
    k(np.exp, x, arrays[0])
    k(np.tanh, arrays[0], arrays[1])
    k(np.dot, arrays[1], np.eye(4)[::-1], arrays[2])
    k(np.add, arrays[2], arrays[0], arrays[3])
    k(np.dot, arrays[3], 2 * np.eye(4), arrays[4])
    out = k.write("y", VALUE, (3, 4))
    k(np.negative, arrays[4], arrays[5])
    k(np.add, arrays[5], arrays[4], out)
    return out


def test_the_numbers_are_the_same_in_less_memory() -> None:
    k, x = recorder()
    plain = chain(k)
    replay(k.calls)
    places = shared_places(k.calls, k.made)
    assert places.keys() == k.made.keys()
    again, _ = recorder(places, x)
    shared = chain(again)
    replay(again.calls)
    assert same_bits(plain, shared) and plain is not shared
    starts = [place.ctypes.data for place in places.values()]
    assert len(set(starts)) == 3 and len(starts) == 7
    assert all(start % 64 == 0 for start in starts)


def test_a_result_may_stand_where_its_operand_stood_if_it_is_made_entry_by_entry() -> None:
    for function, inherits in ((np.tanh, True), (np.transpose, False)):
        k, x = recorder(x=np.ones((4, 4)))
        a, b, c = (k.scratch((4, 4)) for _ in range(3))
        k(np.exp, k.read("x"), a)
        if function is np.tanh:
            k(np.tanh, a, b)
        else:
            k(np.add, a, a.T, b)  # reads entries that it would have written over
        k(np.dot, b, x, c)
        places = list(shared_places(k.calls, k.made).values())
        assert np.shares_memory(places[0], places[1]) == inherits
        assert not np.shares_memory(places[1], places[2]), "a product reads what it would write on"


def test_what_has_to_stay_is_left_out() -> None:
    k, x = recorder()
    number, border, taps = (k.scratch(shape) for shape in ((), (5, 6), (3, 4)))
    k(np.dot, x.reshape(-1), x.reshape(-1), number)
    border.fill(0)  # once, when it is recorded: only the inside is written again
    k(np.tanh, x, border[1:4, 1:5])
    k(np.exp, x[:, ::2], taps[:, ::2])
    k(np.exp, x[:, 1::2], taps[:, 1::2])
    k(np.add, border[1:4, 1:5], taps, k.write("y", VALUE, (3, 4)))
    assert list(shared_places(k.calls, k.made)) == [2, ("y", VALUE)]


@pytest.mark.parametrize("last", [False, True])
def test_a_place_lies_as_the_array_did(last: bool) -> None:
    k, _ = recorder(x=np.ones((2, 3, 4)))
    made = [k.scratch((2, 3, 4), np.dtype(dtype), last) for dtype in (float, bool)]
    k(np.exp, k.read("x"), made[0])
    k(np.greater, made[0], k.read("x"), made[1])
    for array, place in zip(made, shared_places(k.calls, k.made).values(), strict=True):
        assert (place.shape, place.dtype, place.strides) == (
            array.shape,
            array.dtype,
            array.strides,
        )


def test_a_block_is_used_again_only_when_nobody_holds_any_of_it() -> None:
    pool, x = Pool(), {("w", VALUE): np.arange(40.0).reshape(4, 10), ("n", VALUE): np.array(7)}
    copies = pool.copies(x)
    kept, where = copies["w", VALUE][1:3, ::2], owner(copies["w", VALUE]).ctypes.data
    assert all(same_bits(copies[slot], x[slot]) for slot in x)
    del copies
    x["w", VALUE][...] = 0
    assert owner(pool.copies(x)["w", VALUE]).ctypes.data != where
    assert kept.tolist() == [[10, 12, 14, 16, 18], [20, 22, 24, 26, 28]]
    del kept
    assert where in {owner(pool.copies(x)["w", VALUE]).ctypes.data for _ in range(3)}
