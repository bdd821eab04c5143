"""Experiments on a run that leave it as it was: is the gradient right, which learning rate is."""
