"""Layers: small classes that add nodes to a graph. Names, arguments, defaults and parameter names
as in PyTorch; importing this package fills the table `LAYERS`.
"""

from __future__ import annotations

from app.nn.layers import activations as activations
from app.nn.layers import attention as attention
from app.nn.layers import branches as branches
from app.nn.layers import convolution as convolution
from app.nn.layers import dense as dense
from app.nn.layers import normalisation as normalisation
from app.nn.layers import recurrent as recurrent
from app.nn.layers import transformer as transformer
from app.nn.layers.layer import LAYERS as LAYERS
from app.nn.layers.layer import Layer as Layer
from app.nn.layers.layer import parse_layer as parse_layer
from app.nn.layers.layer import stack as stack
