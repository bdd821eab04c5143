"""Data sets made from a seed: nothing is downloaded, and a spec that names one is a whole recipe.
Each is a class; importing its module puts it into the table.
"""

from __future__ import annotations

from app.train.datasets import digits, points, sequences
from app.train.datasets.dataset import DATASETS, Dataset

__all__ = ["DATASETS", "Dataset", "digits", "points", "sequences"]
