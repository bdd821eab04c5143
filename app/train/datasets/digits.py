"""The ten digits as pictures of 8 × 8 grey values, drawn by Backstep itself.

They are no scans of anybody's handwriting: each digit is a font of strokes (some have two forms),
written with a seeded slant, turn, size, bend, shift and thickness, and then seen by 8 × 8 pixels,
each of which measures how far its centre is from the nearest stroke. 0 is paper, 1 is ink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from app.engine.types import Array, Shape
from app.train.arguments import option
from app.train.datasets.dataset import Dataset

SIDE = 8
HALF = 1.2  # the picture reaches from −HALF to HALF; a digit is 2 high and about 1.1 wide
SOFT = 0.16  # over such a way around a stroke's edge, ink fades into paper
BLOCK = 512  # pictures that are drawn at once

Line = list[tuple[float, float]]


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> Line:
    """Points on an ellipse; angles in degrees, 0 is right, 90 is down."""
    angles = np.radians(np.linspace(start, stop, max(3, int(abs(stop - start) / 30) + 1)))
    return [(x + rx * np.cos(a), y + ry * np.sin(a)) for a in angles]


SIX = [arc(0.45, 0.4, 0.95, 1.35, 265, 180), arc(0.0, 0.42, 0.5, 0.53, 0, 360)]

FONT: list[list[list[Line]]] = [
    [[arc(0, 0, 0.55, 0.95, 0, 360)]],
    [[[(-0.3, -0.55), (0.05, -0.95), (0.05, 0.95)]], [[(0.0, -0.95), (0.0, 0.95)]]],
    [[[*arc(0, -0.45, 0.5, 0.5, 190, 390), (-0.55, 0.95), (0.58, 0.95)]]],
    [[arc(0, -0.47, 0.45, 0.46, 205, 450), arc(0, 0.45, 0.53, 0.5, 270, 515)]],
    [
        [[(0.1, -0.95), (-0.55, 0.35), (0.6, 0.35)], [(0.3, -0.1), (0.3, 0.95)]],
        [[(-0.42, -0.9), (-0.5, 0.15), (0.45, 0.15)], [(0.42, -0.8), (0.36, 0.95)]],
    ],
    [[[(0.5, -0.93), (-0.38, -0.93), *arc(0, 0.36, 0.52, 0.58, 225, 510)]]],
    [SIX],
    [
        [[(-0.55, -0.93), (0.55, -0.93), (-0.1, 0.95)]],
        [[(-0.55, -0.93), (0.55, -0.93), (-0.1, 0.95)], [(-0.3, 0.05), (0.45, 0.05)]],
    ],
    [[arc(0, -0.48, 0.42, 0.45, 0, 360), arc(0, 0.46, 0.5, 0.5, 0, 360)]],
    [[[(-x, -y) for x, y in line] for line in SIX]],
]
"""For each digit its forms; a form is some strokes, a stroke is a line through points, y down."""


def segments(form: list[Line]) -> Array:
    """(segments, 2 ends, 2)."""
    pairs = [pair for line in form for pair in zip(line[:-1], line[1:], strict=True)]
    return np.array(pairs)


def distance(points: Array, ends: Array) -> Array:
    """From each point (…, 2) to the nearest of the segments."""
    a, way = ends[:, 0], ends[:, 1] - ends[:, 0]
    along = np.einsum("...sd,sd->...s", points[..., None, :] - a, way)
    along = np.clip(along / np.sum(way * way, axis=1), 0.0, 1.0)
    gap = points[..., None, :] - (a + along[..., None] * way)
    nearest: Array = np.sqrt(np.min(np.sum(gap * gap, axis=-1), axis=-1))
    return nearest


@dataclass(frozen=True)
class Digits(Dataset):
    samples: int = option(500, "how many pictures", integer=True, low=1, high=15_000)
    noise: float = option(0.05, "how far grey values are moved at random", low=0, high=5)
    variety: float = option(1.0, "how differently they are written; 0: all the same", low=0, high=2)
    flat: bool = option(False, "64 numbers in a row instead of 1 × 8 × 8")

    name = "digits"
    summary = "0 to 9 in 8 × 8 grey values, drawn from strokes by Backstep itself"
    task = "multiclass"
    classes = 10
    loss = "cross_entropy"
    outputs = 10

    @property
    def shape(self) -> Shape:
        return (SIDE * SIDE,) if self.flat else (1, SIDE, SIDE)

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        places = (np.arange(SIDE) + 0.5) / SIDE * 2 * HALF - HALF
        pixels = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
        hand = self._hands(rng)
        which = rng.random(self.samples)
        pictures = np.zeros((self.samples, SIDE * SIDE))
        for digit, forms in enumerate(FONT):
            for number, form in enumerate(forms):
                chosen = (self.turns_of == digit) & (np.floor(which * len(forms)) == number)
                rows, ends = np.flatnonzero(chosen), segments(form)
                for first in range(0, len(rows), BLOCK):
                    some = rows[first : first + BLOCK]
                    pictures[some] = self._ink(pixels, hand[:, some], ends)
        return pictures.reshape(self.samples, *self.shape), self.turns_of

    def _hands(self, rng: Generator) -> Array:
        """How each picture is written: (shift x, shift y, turn, slant, width, height, bend,
        thickness) in eight rows.
        """
        spread = np.array([0.22, 0.2, 0.22, 0.4, 0.28, 0.17, 0.22, 0.07])[:, None]
        usual = np.array([0, 0, 0, 0.05, 1, 1, 0, 0.2])[:, None]
        drawn = rng.uniform(-1, 1, size=(len(spread), self.samples))
        hand: Array = usual + self.variety * spread * drawn
        hand[4:6] = np.maximum(hand[4:6], 0.3)
        hand[7] = np.maximum(hand[7], 0.03)
        return hand

    def _ink(self, pixels: Array, hand: Array, ends: Array) -> Array:
        """The pixels are moved the other way, instead of the strokes."""
        dx, dy, turn, slant, width, height, bend, thick = hand[:, :, None]
        x, y = pixels[:, 0] - dx, pixels[:, 1] - dy
        x, y = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
        x = (x + slant * y + bend * np.sin(2.5 * y)) / width
        away = distance(np.stack([x, y / height], axis=-1), ends)
        ink: Array = np.clip((thick + SOFT - away) / (2 * SOFT), 0.0, 1.0)
        return ink
