"""Backstep: walk through backpropagation one step at a time.

The arrays here are small, and threads inside NumPy's BLAS only get in each other's way: they are
held to one, and this is the one place that surely runs before NumPy is imported.
"""

from __future__ import annotations

import os

__version__ = "0.1.0"

for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("VECLIB_MAXIMUM_THREADS", "1")
