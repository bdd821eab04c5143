"""A lesson is data: a spec, a question, sentences for the steps that matter, a takeaway, numbers.

The numbers (`checks`) are what a guide or a calculation by hand states; tests hold the engine to
them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import build
from app.engine.plan import Step

FOLDER = Path(__file__).parent
KINDS = ("value", "grad", "loss", "update", "state", "validation")
PICTURES = ("", "sequence", "maps", "attention", "paths", "norms")


class LessonError(BackstepError):
    """A lesson's file is wrong; `where` is the file and the field."""

    code = "lesson"


@dataclass(frozen=True)
class Note:
    """A sentence for one step: the one of this phase and node, or the one at a plan index."""

    says: str
    phase: str = ""
    node: str = ""
    index: int = -1

    def find(self, plan: Iterable[Step]) -> int | None:
        """Its index in a plan; None when a changed plan has no such step."""
        for i, step in enumerate(plan):
            if i == self.index or (step.phase == self.phase and (step.node or "") == self.node):
                return i
        return None


@dataclass(frozen=True)
class Check:
    """A stated number: a node's value or grad after a phase of an iteration, that iteration's loss,
    the validation loss after it, or a parameter's value, or one of the optimizer's slots (`slot`)
    of it, after its update.
    `entry` picks one element of an array."""

    kind: str
    value: Any
    node: str = ""
    iteration: int = 0
    after: str = "backward"
    slot: str = ""
    entry: tuple[int, ...] = ()
    tolerance: float = 1e-12


@dataclass(frozen=True)
class Link:
    """A place on this server that goes on from here: another lesson, a laboratory, a picture."""

    says: str
    href: str


@dataclass(frozen=True)
class Lesson:
    """What a file says. `convention` tells which squared error is in use, where one is."""

    title: str
    topic: str
    order: int
    question: str
    summary: str
    takeaway: str
    source: str
    spec: dict[str, Any]
    convention: str = ""
    opens: str = ""
    """The picture that is shown first, such as sequence; empty: the graph."""
    notes: list[Note] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    id: str = ""

    def noted(self, plan: Iterable[Step]) -> list[tuple[int, str]]:
        """(plan index, sentence) of every note that has a step in this plan."""
        steps = list(plan)
        found = ((note.find(steps), note.says) for note in self.notes)
        return sorted((index, says) for index, says in found if index is not None)


def load(path: Path) -> Lesson:
    """Read one file; whatever is wrong with it is told with file and field."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LessonError(f"not a TOML file: {error}", where=path.name) from None
    try:
        return _checked(path.stem, given)
    except BackstepError as error:
        raise LessonError(error.message, where=f"{path.name}: {error.where}") from None


def _checked(name: str, given: Mapping[str, Any]) -> Lesson:
    parts = dict(given)
    parts["notes"] = _rows(Note, given.get("notes", []), "notes")
    parts["checks"] = _rows(Check, given.get("checks", []), "checks")
    parts["links"] = _rows(Link, given.get("links", []), "links")
    lesson = replace(build(Lesson, parts, "lesson"), id=name)
    for attribute in ("title", "topic", "question", "summary", "takeaway", "source"):
        if not getattr(lesson, attribute).strip():
            raise BackstepError("must say something", where=attribute)
    if not isinstance(lesson.spec, dict):
        raise BackstepError("must be a table", where="spec")
    if lesson.spec.get("optimizer") == "none":  # TOML has no null
        lesson.spec["optimizer"] = None
    precision = lesson.spec.get("precision")
    if isinstance(precision, dict) and precision.get("loss_scale") == "none":
        precision["loss_scale"] = None
    for i, check in enumerate(lesson.checks):
        if check.kind not in KINDS:
            raise BackstepError(
                f"must be one of {', '.join(KINDS)}: {check.kind!r}", where=f"checks[{i}].kind"
            )
        if bool(check.node) == (check.kind in ("loss", "validation")):
            raise BackstepError("every check but a loss names a node", where=f"checks[{i}].node")
        if bool(check.slot) != (check.kind == "state"):
            raise BackstepError("a state names its slot", where=f"checks[{i}].slot")
    for i, link in enumerate(lesson.links):
        if not link.says.strip() or not link.href.startswith("/"):
            raise BackstepError("needs words and an address here", where=f"links[{i}]")
    if lesson.opens not in PICTURES:
        raise BackstepError(
            f"must be one of {', '.join(filter(None, PICTURES))}: {lesson.opens!r}", where="opens"
        )
    for i, note in enumerate(lesson.notes):
        if not note.says.strip() or (note.index < 0) == (not note.phase):
            raise BackstepError("needs words, and a phase or an index", where=f"notes[{i}]")
    return lesson


def _rows(cls: type[Any], given: Any, where: str) -> list[Any]:
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        raise BackstepError(f"must be written as [[{where}]]", where=where)
    rows = []
    for i, row in enumerate(given):
        if "entry" in row:
            row = {**row, "entry": tuple(row["entry"])}
        rows.append(build(cls, row, f"{where}[{i}]"))
    return rows


@cache
def lessons() -> dict[str, Lesson]:
    """All lessons by id (the file's name), in the order in which they are shown."""
    found = [load(path) for path in FOLDER.glob("*.toml")]
    return {lesson.id: lesson for lesson in sorted(found, key=lambda one: (one.order, one.id))}


def next_lesson(id: str) -> Lesson | None:
    """The one after it, in the order in which they are shown; None after the last."""
    ids = list(lessons())
    after = ids[ids.index(id) + 1 :]
    return lessons()[after[0]] if after else None


def topics() -> list[str]:
    """The topics, in the order of their first lessons."""
    return list(dict.fromkeys(lesson.topic for lesson in lessons().values()))
