"""Lessons that are meant to go wrong, by what goes wrong in them; all others have to be well."""

NOT_LEARNING = {"rate-too-large", "exploding-nan", "dead-relu", "relu-killed", "init-zeros"}
"""Their loss does not fall."""

NO_RATE_HELPS = {"vanishing-chain", "dead-relu", "init-zeros", "lstm-and-rnn"}
"""No learning rate halves the loss: nothing is learned, or an LSTM, which stays below 1, has its
target above.
"""

RESTLESS = {"overfitting-dropout", "augmentation", "eight-lines"}
"""Noise covers within sixty iterations which rate is right."""

STEEP = {"exploding-chain", "inputs-unscaled"}
"""The gradient is so large that the smallest rate is right already."""

STOPPED = {"in-place", "in-place-leaf"}
"""An error stops every update …"""

STOPPED_AT_ONCE = {"in-place-leaf"}
"""… or even the first step forward, so that there is no loss."""
