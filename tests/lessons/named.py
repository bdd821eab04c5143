"""Lessons that are meant to go wrong, by what goes wrong in them; all others have to be well."""

NOT_LEARNING = {"rate-too-large", "exploding-nan", "dead-relu", "init-zeros"}
"""Their loss does not fall."""

NO_RATE_HELPS = {"vanishing-chain", "dead-relu", "init-zeros", "lstm-and-rnn"}
"""No learning rate halves the loss: nothing is learned, or an LSTM, which stays below 1, has its
target above.
"""

RESTLESS = {"overfitting-dropout"}
"""Noise covers within sixty iterations which rate is right."""

STEEP = {"exploding-chain"}
"""The gradient is so large that a rate of 0.0001 is right."""
