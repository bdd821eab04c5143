"""Recorded calls, run again and again: as a list, or written out as one straight function.

The function is what a person would write by hand for this one network: `f0(a0, a1, a2)`, line
after line, in a loop. Its text is made of numbered names alone; nothing of a visitor's is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from app.engine.types import Array

Call = Callable[[], Any]
Rows = Iterable[Any]
"""For each iteration the new contents of the buffers that change from one to the next."""
Straight = Callable[[Rows, list[float], list[float]], None]
LONGEST = 4_000  # calls; compiling a longer function takes longer than it saves


def fill(buffers: Iterable[Array], row: Iterable[Any]) -> None:
    """Put a row's entries into the buffers."""
    for buffer, content in zip(buffers, row, strict=True):
        buffer[...] = content


def taken(names: Collection[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """A function that takes these entries out of a mapping."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda known: tuple(known[name] for name in names)


def replay(calls: Iterable[Call]) -> None:
    """Run recorded calls in order."""
    for call in calls:
        call()


def straight(
    calls: Sequence[partial[Any]], loss: Call, square: Call, changing: Sequence[Array] = ()
) -> Straight:
    """A function of (rows, losses, squares): for every row it fills the buffers `changing` with the
    row's entries, runs all calls, and appends what `loss` and `square` give.
    """
    if len(calls) > LONGEST:
        return partial(_walk, calls, loss, square, changing)
    names: dict[int, str] = {}
    objects: list[Any] = []

    def name(thing: Any) -> str:
        if id(thing) not in names:
            names[id(thing)] = f"o{len(objects)}"
            objects.append(thing)
        return names[id(thing)]

    lines = []
    for call in map(_bound, calls):
        given = [name(x) for x in call.args]
        given += [f"{word}={name(x)}" for word, x in call.keywords.items()]
        lines.append(f"            {name(call.func)}({', '.join(given)})")
    body = "\n".join(lines)
    row = "".join(f"{name(x)}[{'...' if x.shape else '()'}], " for x in changing)
    source = (
        f"def make(loss, square, {', '.join(names.values())}):\n"
        "    def run(rows, losses, squares):\n"
        f"        for {row or '_'} in rows:\n"
        f"{body}\n"
        "            losses.append(loss())\n"
        "            squares.append(square())\n"
        "    return run\n"
    )
    room: dict[str, Any] = {}
    exec(compile(source, "<recorded calls>", "exec"), room)  # our own numbered names only
    made: Straight = room["make"](loss, square, *objects)
    return made


def _bound(call: partial[Any]) -> partial[Any]:
    """`np.dot(a, b, out)` as `a.dot(b, out)`: the same product without NumPy's look at who might
    want to override it, which takes longer than a small product.
    """
    if call.func is np.dot and isinstance(call.args[0], np.ndarray):
        return partial(call.args[0].dot, *call.args[1:])
    return call


def _walk(
    calls: Sequence[Call],
    loss: Call,
    square: Call,
    changing: Sequence[Array],
    rows: Rows,
    losses: list[float],
    squares: list[float],
) -> None:
    for row in rows:
        fill(changing, row if changing else ())
        replay(calls)
        losses.append(loss())
        squares.append(square())
