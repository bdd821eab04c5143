"""Recorded calls, run again and again: as a list, or written out as one straight function.

The function is what a person would write by hand for this one network: `f0(a0, a1, a2)`, line
after line, in a loop. Its text is made of numbered names alone; nothing of a visitor's is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

Call = Callable[[], Any]
Straight = Callable[[int, list[float], list[float]], None]
LONGEST = 4_000  # calls; compiling a longer function takes longer than it saves


def replay(calls: Iterable[Call]) -> None:
    """Run recorded calls in order."""
    for call in calls:
        call()


def straight(calls: Sequence[partial[Any]], loss: Call, square: Call) -> Straight:
    """A function of (times, losses, squares) that runs all calls so many times and appends what
    `loss` and `square` give after each.
    """
    if len(calls) > LONGEST:
        return partial(_walk, calls, loss, square)
    names: dict[int, str] = {}
    objects: list[Any] = []

    def name(thing: Any) -> str:
        if id(thing) not in names:
            names[id(thing)] = f"o{len(objects)}"
            objects.append(thing)
        return names[id(thing)]

    lines = []
    for call in calls:
        given = [name(x) for x in call.args]
        given += [f"{word}={name(x)}" for word, x in call.keywords.items()]
        lines.append(f"            {name(call.func)}({', '.join(given)})")
    body = "\n".join(lines)
    source = (
        f"def make(loss, square, {', '.join(names.values())}):\n"
        "    def run(times, losses, squares):\n"
        "        for _ in range(times):\n"
        f"{body}\n"
        "            losses.append(loss())\n"
        "            squares.append(square())\n"
        "    return run\n"
    )
    room: dict[str, Any] = {}
    exec(compile(source, "<recorded calls>", "exec"), room)  # our own numbered names only
    made: Straight = room["make"](loss, square, *objects)
    return made


def _walk(
    calls: Sequence[Call],
    loss: Call,
    square: Call,
    times: int,
    losses: list[float],
    squares: list[float],
) -> None:
    for _ in range(times):
        replay(calls)
        losses.append(loss())
        squares.append(square())
