"""Every op, from simple to complex; importing this package fills the table `OPS`."""

from __future__ import annotations

from app.engine.op import OPS as OPS
from app.engine.ops import activation as activation
from app.engine.ops import arithmetic as arithmetic
from app.engine.ops import attention as attention
from app.engine.ops import cast as cast
from app.engine.ops import choice as choice
from app.engine.ops import class_loss as class_loss
from app.engine.ops import convolution as convolution
from app.engine.ops import gates as gates
from app.engine.ops import joining as joining
from app.engine.ops import layers as layers
from app.engine.ops import loss as loss
from app.engine.ops import matrix as matrix
from app.engine.ops import normalisation as normalisation
from app.engine.ops import pooling as pooling
from app.engine.ops import recurrent as recurrent
from app.engine.ops import reduce as reduce
from app.engine.ops import shaping as shaping
