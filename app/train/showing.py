"""Samples for drawing, in the units that they came in, and which of them an iteration sees."""

from __future__ import annotations

from typing import Any

from app.engine.types import Array
from app.train.batches import Batches

MOST_NUMBERS = 200_000  # written out in one answer


def most_rows(batches: Batches, limit: int) -> int:
    """So many rows are shown: pictures are larger than points."""
    size = int(batches.inputs[0].size + batches.targets[0].size)
    return max(1, min(limit, MOST_NUMBERS // size))


def rows_view(batches: Batches, limit: int, iteration: int = 0) -> dict[str, Any]:
    """The first rows of each part; `notes` says how many there are if not all are shown."""
    most = most_rows(batches, limit)
    train = batches.whole(iteration, "input"), batches.whole(iteration, "target")
    held = batches.validation
    total = batches.samples + (len(held[0]) if held else 0)
    notes = []
    parts = {"train": _part(batches, *train, most)}
    if held is not None:
        parts["validation"] = _part(batches, *held, most)
    shown = sum(len(part["inputs"]) for part in parts.values())
    if shown < total:
        notes.append(f"{shown:,} of {total:,} samples are shown, the first of each part")
    return {
        "samples": total,
        "shape": list(batches.inputs.shape[1:]),
        "target_shape": list(batches.targets.shape[1:]),
        "train": parts["train"],
        "validation": parts.get("validation"),
        "scaling": batches.scaling and batches.scaling.as_json(),
        "notes": notes,
    }


def _part(batches: Batches, inputs: Array, targets: Array, most: int) -> dict[str, Any]:
    shown = inputs[:most]
    original = shown if batches.scaling is None else batches.scaling.undo(shown)
    return {
        "samples": len(inputs),
        "inputs": original.tolist(),
        "targets": targets[:most].tolist(),
    }


def batch_view(batches: Batches, iteration: int) -> dict[str, Any]:
    """Which samples this iteration sees, and the order in which its epoch sees them all. `rows`
    are numbers of training samples, counted from 0.
    """
    epoch = batches.epoch(iteration)
    augment = batches.augment
    return {
        "iteration": iteration,
        "epoch": epoch,
        "batch": iteration % batches.count,
        "batches": batches.count,
        "batch_size": batches.batch_size,
        "size": batches.size(iteration),
        "samples": batches.samples,
        "samples_before": batches.seen(iteration),
        "shuffle": batches.shuffle,
        "rows": batches.rows(iteration).tolist(),
        "order": batches.order(epoch).tolist(),
        "augment": augment and {"jitter": augment.jitter, "shift": augment.shift},
    }


NAMED = 12  # samples that a sentence names


def batch_says(batches: Batches, iteration: int, part: int = 0, parts: int = 1) -> str:
    """Which samples stand in the batch, or in one micro-batch of it; nothing where it is always all
    of them in the same order.
    """
    if batches.count == 1 and not batches.shuffle and batches.augment is None and parts == 1:
        return ""
    rows = batches.rows(iteration)
    rows = rows[part * len(rows) // parts : (part + 1) * len(rows) // parts]
    named = ", ".join(str(row) for row in rows[:NAMED])
    told = f"{'samples' if len(rows) > 1 else 'sample'} {named}"
    if len(rows) > NAMED:
        told += f" and {len(rows) - NAMED} more"
    where = f"Epoch {batches.epoch(iteration)}, batch {iteration % batches.count}"
    if parts > 1:
        where += f", micro-batch {part + 1} of {parts}"
    order = ", in an order drawn anew for every epoch" if batches.shuffle else ""
    other = "; each a little different every time" if batches.augment is not None else ""
    return f"{where}: {told} of {batches.samples}{order}{other}."
