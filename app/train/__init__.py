"""What turns gradients into learning: optimizers, schedules, clipping, data sets, and the plan of an iteration."""
