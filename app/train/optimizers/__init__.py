"""Rules that turn a gradient into an update, each from its source and under PyTorch's names.
What a rule must keep to stands in base.py; importing its module puts it into the table.
"""

from __future__ import annotations

from app.train.optimizers import descent, scaled
from app.train.optimizers.base import OPTIMIZERS, Optimizer

__all__ = ["OPTIMIZERS", "Optimizer", "descent", "scaled"]
