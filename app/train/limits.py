"""Sizes that a spec may ask for; the web floor fills them from its settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SpecLimits:
    graph_nodes: int = 1_000
    array_entries: int = 1_000_000
    graph_entries: int = 10_000_000
    data_samples: int = 20_000
    program_characters: int = 2_000
    program_depth: int = 60
    snapshot_bytes: int = 64_000_000
