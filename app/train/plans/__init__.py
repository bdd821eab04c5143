"""Other plans over the same graph: micro-batches, checkpointing, mixed precision, two faults."""
