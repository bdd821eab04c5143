"""The graph is data: names, order, edges, and who depends on whom."""

from __future__ import annotations

import pytest

from app.engine.errors import LimitError, ShapeError
from app.engine.graph import LEAVES, Edge, Graph
from app.engine.op import make
from app.engine.types import INT
from tests.engine.walks import fan_out, network, use


def test_nodes_stand_in_the_order_in_which_they_were_made() -> None:
    graph, _ = network()
    assert list(graph.nodes) == ["x", "w1", "b1", "w2", "b2", "t", "z", "h", "y", "loss"]
    assert [node.name for node in graph.ops] == ["z", "h", "y", "loss"]
    for number, node in enumerate(graph.nodes.values()):
        assert all(list(graph.nodes).index(name) < number for name in node.inputs)


def test_a_square_written_as_a_product_has_two_edges() -> None:
    graph = Graph()
    a = graph.leaf("parameter", "a", (2,))
    use(graph, "mul", a, a, name="y")
    assert graph.edges == [Edge("a", "y", 0), Edge("a", "y", 1)]


def test_edges_name_operands_in_order() -> None:
    graph, _ = network()
    assert [e for e in graph.edges if e.target == "z"] == [
        Edge("x", "z", 0),
        Edge("w1", "z", 1),
        Edge("b1", "z", 2),
    ]
    assert len(graph.edges) == 3 + 1 + 3 + 2


def test_a_taken_name_gets_a_number_if_it_is_an_op_and_an_error_if_it_is_a_leaf() -> None:
    graph = Graph()
    a = graph.leaf("parameter", "a", ())
    assert [use(graph, "neg", a).name for _ in range(3)] == ["neg", "neg_2", "neg_3"]
    assert use(graph, "neg", a, name="a").name == "a_2"
    with pytest.raises(ShapeError, match="taken: 'a'"):
        graph.leaf("input", "a", ())


def test_a_misfit_adds_nothing() -> None:
    graph = Graph()
    a, b = graph.leaf("parameter", "a", (8, 3)), graph.leaf("parameter", "b", (4, 4))
    with pytest.raises(
        ShapeError, match=r"matmul: inner sizes differ: \(8, 3\) and \(4, 4\) \(operands a, b\)"
    ):
        graph.add(make("matmul"), a, b)
    assert list(graph.nodes) == ["a", "b"]


def test_the_limit_of_nodes_is_named() -> None:
    graph = Graph(max_nodes=2)
    a = graph.leaf("parameter", "a", ())
    graph.add(make("neg"), a)
    with pytest.raises(LimitError, match="at most 2 nodes"):
        graph.add(make("neg"), a)


def test_who_needs_a_gradient() -> None:
    graph = Graph()
    nodes = {kind: graph.leaf(kind, kind, (3,)) for kind in LEAVES}
    assert {kind for kind, node in nodes.items() if node.needs_grad} == {"parameter", "input"}
    assert not graph.leaf("input", "ids", (3,), dtype=INT).needs_grad
    assert not graph.leaf("parameter", "frozen", (3,), needs_grad=False).needs_grad
    assert not graph.add(make("neg"), nodes["constant"]).needs_grad
    assert graph.add(make("mul"), nodes["constant"], nodes["input"]).needs_grad
    flat = graph.add(make("greater"), nodes["parameter"], nodes["input"], name="flat")
    assert not flat.needs_grad, "no gradient flows through a comparison"
    loss = graph.add(make("mse"), nodes["target"], nodes["parameter"], name="loss")
    assert not loss.needs_grad, "no gradient flows into the target of a loss"


def test_ancestors_go_through_differentiable_operands_only() -> None:
    graph, _ = network()
    assert graph.ancestors("h") == {"h", "z", "x", "w1", "b1"}
    assert graph.ancestors("loss") == set(graph.nodes) - {"t"}
    assert graph.ancestors("x") == {"x"}


def test_what_training_wants() -> None:
    graph = Graph()
    x, w = graph.leaf("input", "x", ()), graph.leaf("parameter", "w", ())
    before = use(graph, "tanh", x, name="before")
    use(graph, "mul", before, w, name="y")
    assert graph.trained() == {"w", "y"}
    assert fan_out().trained() == {"a", "b", "t", "c"}


def test_names_as_latex() -> None:
    graph = Graph()
    assert graph.leaf("parameter", "a_2", ()).latex == "a_{2}"
    assert graph.leaf("parameter", "w", ()).latex == "w"
    assert graph.leaf("parameter", "bias", ()).latex == r"\mathrm{bias}"
    assert graph.leaf("parameter", "a_b_c", ()).latex == r"a_{b\_c}"
    w0 = graph.leaf("parameter", "w0", (), latex="w_0", label="w₀")
    assert (w0.label, w0.latex) == ("w₀", "w_0")
    node = graph.add(make("neg"), w0, name="z1", latex="z_1", label="z₁", scope="first")
    assert (node.name, node.label, node.latex, node.scope) == ("z1", "z₁", "z_1", "first")
    assert graph.add(make("neg"), w0).latex == r"\mathrm{neg}"
