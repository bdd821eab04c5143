"""The base of all layers, the table of them, and how a list of layers is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from app.engine.errors import BackstepError
from app.engine.fields import pick
from app.engine.graph import Node
from app.nn.builder import Builder

LAYERS: dict[str, type[Layer]] = {}


@dataclass(frozen=True)
class Layer:
    """A row of the table: its dataclass fields are its arguments."""

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    pytorch: ClassVar[str] = ""
    differs: ClassVar[str] = ""
    """What is not as in PyTorch, where the two could be mixed up."""

    def __init_subclass__(cls) -> None:
        if cls.name:
            LAYERS[cls.name] = cls

    def build(self, b: Builder, x: Node) -> Node:
        """Add this layer's nodes after x and return its output."""
        raise NotImplementedError

    def positive(self, *names: str) -> None:
        """These arguments count something."""
        for name in names:
            if getattr(self, name) < 1:
                raise BackstepError(f"{name} must be at least 1: {getattr(self, name)}")

    def agrees(self, name: str, found: int) -> None:
        """An argument that PyTorch asks for and that is inferred here must not contradict."""
        told = getattr(self, name)
        if told and told != found:
            raise BackstepError(f"{name} is {told}, but the input has {found}")


def parse_layer(given: Any, where: str) -> Layer:
    """{"type": "linear", "out_features": 3} as a row of the table."""
    return pick(LAYERS, given, where, "the layer")


def stack(b: Builder, x: Node, layers: Any, where: str) -> Node:
    """Build layers one after the other; an error names the layer's place in the list."""
    if not isinstance(layers, list) or not layers:
        raise BackstepError(f"must be a list of at least one layer: {layers!r}", where=where)
    for i, given in enumerate(layers):
        place = f"{where}[{i}]"
        try:
            with b.within(str(i)):
                x = parse_layer(given, place).build(b, x)
        except BackstepError as error:
            if error.where and error.where.startswith(where):
                raise
            raise type(error)(error.message, where=_field(error.message, given, place)) from None
    return x


def _field(message: str, given: Any, place: str) -> str:
    """A message that begins with an argument's name points to that argument, if it was given."""
    subject = message.split(" ", 1)[0]
    return f"{place}.{subject}" if isinstance(given, dict) and subject in given else place
