"""The two kernels: one runs at once into fresh buffers, the other binds the same calls to buffers
that stay."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.graph import Graph
from app.engine.kernel import Eager, Recorder, const, empty, ones, zeros
from app.engine.replay import replay
from app.engine.types import GRAD, VALUE
from tests.engine.checks import same_bits
from tests.engine.walks import FAN_OUT, fan_out, network, replayed, stepper, use


def test_a_call_whose_out_is_none_is_skipped() -> None:
    eager = Eager({}, {}, {})
    recorder = Recorder({}, set(), frozenset(), {})
    for k in (eager, recorder):
        k(np.add, np.ones(2), np.ones(2), None)
    assert recorder.calls == []


def test_eager_runs_at_once_and_recorder_when_replayed() -> None:
    a, out = np.array([1.0, -2.0]), np.zeros(2)
    Eager({}, {}, {})(np.absolute, a, out)
    assert out.tolist() == [1.0, 2.0]
    k, out = Recorder({}, set(), frozenset(), {}), np.zeros(2)
    k(np.absolute, a, out)
    k(np.maximum, out, const(1.5), out)
    assert out.tolist() == [0.0, 0.0]
    replay(k.calls)
    assert out.tolist() == [1.5, 2.0]
    a[:] = [-7.0, 0.5]
    replay(k.calls)
    assert out.tolist() == [7.0, 1.5]


def test_eager_writes_into_fresh_buffers() -> None:
    old = np.ones(2)
    k = Eager({("a", VALUE): old}, {}, {})
    first, second = k.write("a", VALUE, (2,)), k.write("a", VALUE, (2,))
    assert first is not old and second is not first
    record = k.seal()
    assert record.former == {("a", VALUE): old} or record.former["a", VALUE] is old
    assert record.writes["a", VALUE] is second
    assert not second.flags.writeable and old.flags.writeable


def test_recorder_writes_into_the_buffer_it_was_given() -> None:
    mine = np.zeros(2)
    k = Recorder({("a", VALUE): mine}, set(), frozenset({"a"}), {})
    assert not k.has("a", VALUE)
    assert k.write("a", VALUE, (2,)) is mine
    assert k.has("a", VALUE)
    k.clear("a", VALUE)
    assert not k.has("a", VALUE)
    assert k.write("b", VALUE, (3,)) is k.write("b", VALUE, (3,)) is k.read("b")


def test_recorder_leaves_out_what_is_not_wanted() -> None:
    assert Eager({}, {}, {}).wants("anything")
    k = Recorder({}, set(), frozenset({"w"}), {})
    assert k.wants("w") and not k.wants("x")


def test_scalars_are_told_in_the_record_and_stay_one_array_in_the_recorder() -> None:
    k = Eager({}, {}, {"lr": 0.1})
    assert k.scalar("lr") == 0.1
    assert k.seal().scalars == {"lr": 0.1}
    recorder = Recorder({}, set(), frozenset(), {})
    lr = recorder.scalar("lr")
    out = np.zeros(())
    recorder(np.multiply, lr, const(2.0), out)
    for value in (0.5, 0.25):
        recorder.scalar("lr")[...] = value
        replay(recorder.calls)
        assert out == 2 * value


def test_saved_arrays_belong_to_the_node_that_is_at_work() -> None:
    k = Eager({}, {}, {})
    for node in ("a", "b"):
        k.at(node)
        k.save("logs", (1,))[...] = ord(node)
    k.at("a")
    assert k.saved("logs") == ord("a")
    assert set(k.slots) == {("a", "saved.logs"), ("b", "saved.logs")}


def test_gathered_gradients_are_one_vector_in_the_order_asked_for() -> None:
    slots = {("a", GRAD): np.array([[1.0, 2.0]]), ("b", GRAD): np.array(3.0)}
    assert Eager(slots, {}, {}).gather(["b", "a"], GRAD).tolist() == [3.0, 1.0, 2.0]


def test_constants_are_sealed_and_shared() -> None:
    assert const(0.5) is const(0.5) and const(0.5).shape == ()
    assert ones(3).tolist() == [1.0, 1.0, 1.0]
    for array in (const(0.5), ones(3)):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 2.0


@pytest.mark.parametrize("times", [1, 2, 3])
def test_passes_add_up_in_the_leaves_as_they_do_stepwise(times: int) -> None:
    """The recorded pass knows whether a leaf holds something already; the numbers are those of
    stepping."""
    for graph, values in ((fan_out(), FAN_OUT), network()):
        kept: dict[tuple[str, str], np.ndarray] = {}
        for _ in range(times):
            walk = stepper(graph, values, kept)
            walk.seek(len(walk.plan))
            kept = {slot: a for slot, a in walk.slots.items() if slot[1] == GRAD}
        buffers = replayed(graph, values, times)
        assert all(same_bits(buffers[slot], kept[slot]) for slot in kept)


def test_a_contribution_to_a_part_is_added_to_that_part_alone() -> None:
    """Else the gradient of a sequence of T steps would cost T times its size."""
    graph = Graph()
    x = graph.leaf("parameter", "x", (2, 5, 3))
    steps = [use(graph, "select", x, index=t) for t in range(5)]
    use(graph, "sum", use(graph, "square", use(graph, "stack", *steps, *steps[:2])))
    values = {"x": np.linspace(-1, 1, 30).reshape(2, 5, 3)}
    walk = stepper(graph, values)
    walk.seek(len(walk.plan))
    assert same_bits(replayed(graph, values)["x", GRAD], walk.slots["x", GRAD])
    buffers = {("x", VALUE): values["x"]}
    k = Recorder(buffers, {("x", VALUE)}, frozenset(graph.nodes), {})
    for step in walk.plan:
        step.run(k)
    whole = [call for call in k.calls if call.args[-1].shape == x.shape]
    assert len(whole) == 1, "it is emptied once"
    assert sum(array.shape == x.shape for array in k.made.values()) == 2, "one addend serves all"


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3, 4)])
@pytest.mark.parametrize("last", [False, True])
def test_zeros_lie_as_the_array_does(shape: tuple[int, ...], last: bool) -> None:
    x = empty(shape, last=last and len(shape) > 1)
    found = zeros(x)
    assert (found.shape, found.strides) == (x.shape, x.strides) and not found.any()
    assert not found.flags.writeable and zeros(x) is found
