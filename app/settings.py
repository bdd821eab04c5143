"""Every setting and every limit, each with its default and a sentence. A setting `name` is read
from the environment as BACKSTEP_NAME; the four that the command also takes as options win there.
Help text, tests and error messages read these tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from app import paths

PREFIX = "BACKSTEP_"


class SettingsError(ValueError):
    """A setting that cannot be used, in words."""


def _setting(default: Any, says: str) -> Any:
    return field(default=default, metadata={"says": says})


def default_store() -> str:
    return f"sqlite:///{paths.user_data() / 'backstep.db'}"


@dataclass(frozen=True)
class Limits:
    """What one visitor may ask of the server. Zero is allowed and means: none at all."""

    graph_nodes: int = _setting(1_000, "nodes in one graph")
    array_entries: int = _setting(1_000_000, "numbers in one array")
    graph_entries: int = _setting(10_000_000, "numbers in all arrays of one graph")
    inline_entries: int = _setting(4_096, "numbers of an array written out inside an answer")
    data_samples: int = _setting(20_000, "samples in one data set")
    data_rows_shown: int = _setting(2_000, "rows of each part of a data set in one answer")
    program_characters: int = _setting(2_000, "characters in a typed program")
    program_depth: int = _setting(60, "brackets or operators inside each other in a program")
    snapshot_bytes: int = _setting(64_000_000, "bytes remembered for going back in one session")
    body_bytes: int = _setting(2_000_000, "bytes in the body of one request")
    steps_per_request: int = _setting(10_000, "steps run by one step request")
    frames_per_request: int = _setting(2_000, "frames in one answer")
    iterations_per_request: int = _setting(100_000, "iterations run by one train request")
    iterations_per_session: int = _setting(1_000_000, "iterations that one session may reach")
    changes_per_session: int = _setting(10_000, "changes by hand kept in one session")
    sessions: int = _setting(10_000, "sessions kept in the store")
    sessions_in_memory: int = _setting(64, "sessions kept ready in memory at once")
    streams_per_session: int = _setting(64, "event streams open on one session at once")
    sweep_lanes: int = _setting(12, "lanes of one sweep")
    sweep_iterations: int = _setting(5_000, "iterations of one sweep or range test")
    sharpness_points: int = _setting(20, "iterations at which one answer tells the sharpness")
    vitals_looks: int = _setting(60, "iterations looked at for one answer about the layers")
    noise_batches: int = _setting(64, "mini-batch gradients of one size in one answer")
    landscape_points: int = _setting(10_201, "points of one loss landscape")


@dataclass(frozen=True)
class Settings:
    host: str = _setting("127.0.0.1", "address to listen on; 0.0.0.0 lets others in the network in")
    port: int = _setting(8000, "port to listen on; 0 takes any free one")
    store: str = field(
        default_factory=default_store,
        metadata={"says": "where sessions are kept, as sqlite:///FILE"},
    )
    browser: bool = _setting(True, "open the page in the browser at the start")
    idle_minutes: float = _setting(15.0, "an untouched session leaves memory after so many minutes")
    expiry_days: float = _setting(30.0, "an untouched session is deleted after so many days")
    processes: int = _setting(
        0, "processes for long experiments; 0: one less than the machine has cores"
    )
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        limits = replace(Limits(), **_read(Limits(), environment))
        settings = cls(limits=limits)
        return replace(settings, **_read(settings, environment))


def table() -> list[tuple[str, Any, str]]:
    """(environment variable, default, sentence) of every setting and limit."""
    rows = []
    for settings in (Settings(), Limits()):
        for item in fields(settings):
            if item.name != "limits":
                default = getattr(settings, item.name)
                rows.append((PREFIX + item.name.upper(), default, item.metadata["says"]))
    return rows


def _read(settings: Settings | Limits, environment: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for item in fields(settings):
        text = environment.get(PREFIX + item.name.upper())
        if text is not None and item.name != "limits":
            default = getattr(settings, item.name)
            found[item.name] = _convert(PREFIX + item.name.upper(), text, type(default))
    return found


def _convert(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in words:
            raise SettingsError(f"{name}: neither yes nor no: {text!r}")
        return words[text.lower()]
    if kind is str:
        return text
    try:
        number = kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise SettingsError(f"{name}: not {what}: {text!r}") from None
    if not 0 <= number < float("inf"):
        raise SettingsError(f"{name}: below zero or not finite: {text!r}")
    return number
