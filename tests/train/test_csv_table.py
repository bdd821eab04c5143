"""A person's table: what is understood, and that every mistake is told with its line and column."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine.errors import BackstepError, LimitError
from app.train.csv_table import Table, read_table
from app.train.limits import SpecLimits
from app.train.run import Run
from app.train.spec import parse_spec

IRISES = "length,width,kind\n5.1,3.5,setosa\n7.0,3.2,versicolor\n6.3,3.3,virginica\n"


def said(table: Table, words: str) -> bool:
    return any(words in note for note in table.notes)


def test_names_and_labels_are_understood() -> None:
    table = read_table(IRISES)
    assert table.columns == ["length", "width"] and table.target == "kind" and table.header
    assert table.inputs.tolist() == [[5.1, 3.5], [7.0, 3.2], [6.3, 3.3]]
    assert table.targets.tolist() == [[0], [1], [2]]
    assert table.classes == ["setosa", "versicolor", "virginica"]
    assert said(table, "setosa is 0, versicolor is 1") and said(table, "commas")
    told = table.as_json()
    assert (told["task"], told["loss"], told["outputs"]) == ("multiclass", "cross_entropy", 3)
    assert told["features"][0] == {
        "name": "length",
        "min": 5.1,
        "max": 7.0,
        "mean": pytest.approx(6.1333, abs=1e-3),
        "std": pytest.approx(0.785, abs=1e-3),
    }


@pytest.mark.parametrize(
    ("text", "inputs", "targets"),
    [
        ("1,2,0\n3,4,1\n", [[1, 2], [3, 4]], [[0], [1]]),
        ("1;2;0\n3;4;1", [[1, 2], [3, 4]], [[0], [1]]),
        ("1\t2\t0\r\n3\t4\t1\r\n", [[1, 2], [3, 4]], [[0], [1]]),
        ("\ufeff1,2,0\n\n3,4,1\n , , \n", [[1, 2], [3, 4]], [[0], [1]]),
        ("0,5;1,5;2,25\n1,0;2,0;3,5\n", [[0.5, 1.5], [1, 2]], [[2.25], [3.5]]),
        ('"1","2","no"\n"3","4","yes"', [[1, 2], [3, 4]], [[0], [1]]),
        ('1,2,"no, never"\n3,4,"a ""yes"""\n', [[1, 2], [3, 4]], [[1], [0]]),
        ("-1e3,+.5,1.25\n2.,3E-2,0\n", [[-1000, 0.5], [2, 0.03]], [[1.25], [0]]),
        ("x,y\n1,10\n2,20\n", [[1], [2]], [[0], [1]]),
    ],
)
def test_ways_to_write_a_table(text: str, inputs: Any, targets: Any) -> None:
    table = read_table(text)
    assert table.inputs.tolist() == inputs and table.targets.tolist() == targets


def test_whole_numbers_may_be_classes_or_values() -> None:
    lines = "\n".join(f"{i},{3 + i % 2}" for i in range(12))
    assert read_table(lines).classes == ["3", "4"]
    assert read_table(lines).targets[:2].tolist() == [[0], [1]]
    values = read_table(lines, task="values")
    assert values.classes is None and values.targets[:2].tolist() == [[3], [4]]
    counted = "\n".join(f"{i},{i}" for i in range(12))
    assert read_table(counted).classes is None, "as many values as lines are no classes"
    assert len(read_table(counted, task="classes").classes or []) == 12


def test_the_target_is_the_last_column_or_any_other() -> None:
    for target in ("kind", 3, None):
        assert read_table(IRISES, target=target).target == "kind"
    table = read_table("a,b,c\n1,2,3\n4,5.5,6\n", target="b")
    assert table.columns == ["a", "c"] and table.targets.tolist() == [[2], [5.5]]
    assert read_table("1,2.5,3\n4,5,6\n", target=2).columns == ["x1", "y"]


def test_lines_with_missing_values_can_be_left_out() -> None:
    text = "a,b\n1,2.5\nNA,3\n4,\n5,6\n"
    table = read_table(text, skip_missing=True)
    assert table.inputs.tolist() == [[1], [5]] and said(table, "2 lines")


def test_what_looks_odd_is_a_note() -> None:
    assert said(read_table("1,7,0\n2,7,1\n"), "'x2' is 7 in every line")
    assert said(read_table("1,700,0\n2,900,1\n"), "turn standardisation on")
    assert said(read_table("1,0.5\n2,0.5\n"), "0.5 in every line")
    assert read_table("a,a\n1,2\n").columns == ["a"] and read_table("a,a\n1,2\n").target == "a (2)"


LONG = "\n".join("1,2" for _ in range(30))


@pytest.mark.parametrize(
    ("text", "options", "where", "words"),
    [
        ("", {}, "text", "nothing here"),
        (" \n\n,,\n", {}, "text", "nothing here"),
        ("1,2\n3,x\n5,6", {"task": "values"}, "line 2, column 2 (y)", "a number is needed"),
        ("a,b,c\n1,2,3\n4,red,6\n", {}, "line 3, column 2 (b)", "only the target (c) may hold"),
        ("a,b,c\n1,2,3\n4,,6\n", {}, "line 3, column 2 (b)", "is empty"),
        ("1,2\nNaN,4\n", {}, "line 2, column 1 (x1)", "'NaN' is no number"),
        ("1,2\n3,n/a\n", {}, "line 2, column 2 (y)", "leave out all lines"),
        ("1,2\ninf,4\n", {}, "line 2, column 1 (x1)", "a number is needed here: 'inf'"),
        ("1,2\n1e999,4\n", {}, "line 2, column 1 (x1)", "too large for float64"),
        ("1,2\n0x10,4\n", {}, "line 2, column 1 (x1)", "'0x10'"),
        ("1,2\n1_000,4\n", {}, "line 2, column 1 (x1)", "'1_000'"),
        ("1,2,3\n4,5\n", {}, "line 2", "has 2 columns, the first has 3"),
        ('1,2,3\n4,"5\n6,7,8\n', {}, "line 2", "never closed"),
        ('1,2,3\n4,"5"x,6\n', {}, "line 2", "written twice"),
        ("1,2\n3,1,5\n", {}, "line 2", "needs quotes"),
        ("1\n2\n", {}, "line 1", "one column only"),
        ("some words without anything", {}, "line 1", "one column only"),
        ("1;2;3\n4;5\n", {}, "line 2", "has 2 columns, the first has 3"),
        ("a,b\n", {"header": True}, "line 2", "no line with numbers"),
        ("1,yes\n2,yes\n", {}, "column 2 (y)", "at least two classes"),
        ("\n".join(f"1,n{i}" for i in range(101)), {}, "column 2 (y)", "at most 100 classes"),
        ("1,2\n3,4\n", {"target": "z"}, "target", "there are x1, y"),
        ("1,2\n3,4\n", {"target": 3}, "target", "columns 1 to 2: 3"),
        (",\n?,NA\n", {"skip_missing": True}, "text", "every line"),
        (LONG, {}, "line 22", "at most 20 lines"),
        (",".join("1" * 1001) + "\n", {}, "line 1", "at most 1,000 columns"),
        ("1,2\n" + "9" * 130_000 + "x,4\n", {}, "line 2, column 1 (x1)", "a number is needed"),
        ("1,2\n" + "9" * 130_000 + ",4\n", {}, "line 2, column 1 (x1)", "too large"),
        ("1,b\n2," + "a" * 181, {}, "line 2, column 2 (y)", "at most 180 characters: 181"),
        ("1,2\n" + "9" * 140_000 + ",4\n", {}, "line 2", "field larger"),
    ],
)
def test_every_mistake_has_its_place(text: str, options: Any, where: str, words: str) -> None:
    with pytest.raises(BackstepError) as caught:
        read_table(text, **options, limits=SpecLimits(data_samples=20 if text is LONG else 20_000))
    assert caught.value.where == where and words in caught.value.message


def test_more_numbers_than_an_array_may_have() -> None:
    with pytest.raises(LimitError, match="60 numbers; at most 50"):
        read_table("\n".join("1,2,3,4" for _ in range(20)), limits=SpecLimits(array_entries=50))


def test_what_was_read_can_be_trained_on() -> None:
    lines = [f"{i % 7},{i * 3 % 5},{'high' if i % 7 > 3 else 'low'}" for i in range(40)]
    told = read_table("a,b,is\n" + "\n".join(lines)).as_json()
    data = {name: told[name] for name in ("inputs", "targets", "columns", "classes")}
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": told["outputs"]}]},
        "loss": told["loss"],
        "optimizer": {"type": "sgd", "lr": 1.0},
        "data": {**data, "validation": 0.2, "standardise": True},
    }
    run = Run(parse_spec(spec))
    run.train(200)
    assert run.history.train_loss[-1] < 0.2 < run.history.train_loss[0]
